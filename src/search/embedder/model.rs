//! A sentence model, run by ONNX Runtime.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
};

use fastembed::{
    InitOptionsUserDefined, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use ort::environment::Environment;

use super::{
    EmbedError, Embedder, Prefixes,
    mapped::graph_alone,
    recipe::{Recipe, missing},
    tokens::ModelTokens,
};
use crate::search::{Error, ModelId, Tokens};

const RUNTIME: &str = "onnxruntime/libonnxruntime.so";

/// Tells ONNX Runtime where the weights are that a graph names.
const WEIGHTS_DIR: &str = "session.model_external_initializers_file_folder_path";

/// Counts the ways in which we have turned text into vectors: part of the id of every model.
const WAY: &[u8] = b"1: fastembed 7, one text at a time, unit length";

/// Loads a model once for each of `workers` threads, or for each core if it is 0: one after
/// another, because ONNX Runtime's allocator keeps for each thread what its loading has taken.
/// `model` is the name of one below `assets/models`, or the path of a directory that holds one.
///
/// # Errors
///
/// [`Error::Asset`] if a file is missing, [`Error::Load`] if it does not load.
pub fn load_model(
    assets: &Path,
    model: &str,
    workers: usize,
) -> Result<Vec<Box<dyn Embedder>>, Error> {
    let environment = environment(assets)?;
    let dir = match Path::new(model) {
        path if path.components().count() > 1 || path.is_absolute() => path.to_owned(),
        name => assets.join("models").join(name),
    };
    let recipe = Recipe::of(&dir)?;
    let source = Source {
        environment,
        dir,
        recipe,
    };
    let (files, id) = source.read()?;
    let source = Arc::new(source);
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let workers = if workers == 0 { cores() } else { workers };
    let files = std::iter::repeat_n(files, workers);
    let load = |files| -> Result<Box<dyn Embedder>, Error> {
        let model = source.load(files)?;
        let source = Arc::clone(&source);
        Ok(Box::new(Sentences { model, id, source }))
    };
    files.map(load).collect()
}

/// Where a model comes from.
struct Source {
    environment: Environment,
    dir: PathBuf,
    recipe: Recipe,
}

impl Source {
    /// Reads the model's files, which with the recipe are what its id stands for.
    fn read(&self) -> Result<(UserDefinedEmbeddingModel, ModelId), Error> {
        let file = |name: &str| {
            let path = self.dir.join(name);
            fs::read(&path).map_err(|source| missing(&self.dir, &path, source))
        };
        let (mut model, tokenizer) = (file(&self.recipe.model)?, file(&self.recipe.tokenizer)?);
        let fingerprint = self.recipe.fingerprint();
        let id = ModelId::of([WAY, &model, &tokenizer, fingerprint.as_bytes()]);
        let tokenizer = tokenizer_files(tokenizer, self.recipe.max_tokens);
        if let Some((_, file)) = self.model_file()
            && let Some(alone) = graph_alone(&model, &file)
        {
            model = alone;
        }
        let files = UserDefinedEmbeddingModel::new(model, tokenizer)
            .with_pooling(self.recipe.pooling())
            .with_quantization(QuantizationMode::Dynamic);
        Ok((files, id))
    }

    /// Returns the directory and the name of the model's file itself, not of a link to it, which
    /// ONNX Runtime would not follow.
    fn model_file(&self) -> Option<(String, String)> {
        let file = fs::canonicalize(self.dir.join(&self.recipe.model)).ok()?;
        let text = |part: &OsStr| part.to_str().map(str::to_owned);
        Some((text(file.parent()?.as_os_str())?, text(file.file_name()?)?))
    }

    fn load(&self, files: UserDefinedEmbeddingModel) -> Result<TextEmbedding, Error> {
        let mut options = InitOptionsUserDefined::new()
            .with_environment(self.environment.clone())
            .with_max_length(self.recipe.max_tokens)
            .with_intra_threads(1);
        if let Some((dir, _)) = self.model_file() {
            options = options.with_session_config(WEIGHTS_DIR, format!("{dir}/"));
        }
        TextEmbedding::try_new_from_user_defined(files, options).map_err(|error| Error::Load {
            path: self.dir.join(&self.recipe.model),
            source: Arc::new(error),
        })
    }
}

struct Sentences {
    model: TextEmbedding,
    id: ModelId,
    source: Arc<Source>,
}

impl Embedder for Sentences {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let vectors = self.model.embed([text], None);
        let vectors = vectors.map_err(|error| EmbedError::Model(error.into()))?;
        let none = || EmbedError::Model("the model gave no vector".into());
        vectors.into_iter().next().ok_or_else(none)
    }

    fn id(&self) -> Option<ModelId> {
        Some(self.id)
    }

    fn name(&self) -> Arc<str> {
        let name = self.source.dir.file_name();
        name.unwrap_or_default().to_string_lossy().into()
    }

    fn prefixes(&self) -> Prefixes {
        self.source.recipe.prefixes()
    }

    fn tokens(&self) -> Arc<dyn Tokens> {
        let recipe = &self.source.recipe;
        let prefix = recipe.prefixes().passage;
        let tokenizer = &self.model.tokenizer;
        Arc::new(ModelTokens::new(tokenizer, recipe.max_tokens, &prefix))
    }

    fn renew(&mut self) -> Result<(), Error> {
        let (files, id) = self.source.read()?;
        if id != self.id {
            let problem = "its files are not those that the process has started with";
            return Err(Error::Load {
                path: self.source.dir.clone(),
                source: Arc::new(std::io::Error::other(problem)),
            });
        }
        self.model = self.source.load(files)?;
        Ok(())
    }
}

/// Returns what fastembed wants of a tokenizer. The padding does not matter: there is never more
/// than one text, or one pair, in a batch.
pub(super) fn tokenizer_files(tokenizer: Vec<u8>, max_tokens: usize) -> TokenizerFiles {
    let config = format!(r#"{{"model_max_length": {max_tokens}, "pad_token": "[PAD]"}}"#);
    TokenizerFiles {
        tokenizer_file: tokenizer,
        config_file: br#"{"pad_token_id": 0}"#.to_vec(),
        special_tokens_map_file: b"{}".to_vec(),
        tokenizer_config_file: config.into(),
    }
}

/// Returns the environment of ONNX Runtime below `assets`, which a process can have only once and
/// for ever: hence the only `static` of this crate that is not a constant.
///
/// # Errors
///
/// If the library is missing or does not load.
pub(super) fn environment(assets: &Path) -> Result<Environment, Error> {
    static ENVIRONMENT: OnceLock<Result<Environment, Arc<ort::Error>>> = OnceLock::new();
    let library = assets.join(RUNTIME);
    fs::File::open(&library).map_err(|source| Error::Asset {
        path: library.clone(),
        remedy: "`make setup` brings it".to_owned(),
        source,
    })?;
    let failed = |source| Error::Load {
        path: library.clone(),
        source,
    };
    // It is loaded by path, never by an environment variable.
    let builder = ort::init_from(&library).map_err(|error| failed(Arc::new(error)))?;
    let environment = ENVIRONMENT.get_or_init(|| builder.build().map_err(Arc::new));
    environment.clone().map_err(|error| failed(error))
}
