//! all-MiniLM-L6-v2, quantised to 8 bits, by ONNX Runtime.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use fastembed::{
    InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use ort::environment::Environment;

use super::{EmbedError, Embedder};
use crate::search::Error;

const RUNTIME: &str = "onnxruntime/libonnxruntime.so";
const MODEL: &str = "models/all-minilm-l6-v2-q/model.onnx";
const TOKENIZER: &str = "models/all-minilm-l6-v2-q/tokenizer.json";

/// The tokens that the model was trained on; a longer text is cut.
const MAX_TOKENS: usize = 256;

/// What the model's configuration files say beside the tokenizer's own.
const TOKENIZER_CONFIG: &str = r#"{"model_max_length": 512, "pad_token": "[PAD]"}"#;

/// Loads the model from `assets` once for each of `workers` threads, or for each core if it is 0.
///
/// # Errors
///
/// [`Error::Asset`] if a file is missing, [`Error::Load`] if it does not load.
pub fn load_model(assets: &Path, workers: usize) -> Result<Vec<Box<dyn Embedder>>, Error> {
    let environment = environment(&assets.join(RUNTIME))?;
    let model = UserDefinedEmbeddingModel::new(
        asset(assets.join(MODEL))?,
        TokenizerFiles {
            tokenizer_file: asset(assets.join(TOKENIZER))?,
            config_file: br#"{"pad_token_id": 0}"#.to_vec(),
            special_tokens_map_file: b"{}".to_vec(),
            tokenizer_config_file: TOKENIZER_CONFIG.into(),
        },
    )
    .with_pooling(Pooling::Mean)
    .with_quantization(QuantizationMode::Dynamic);
    let options = InitOptionsUserDefined::new()
        .with_environment(environment)
        .with_max_length(MAX_TOKENS)
        .with_intra_threads(1);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if workers == 0 { cores() } else { workers };
    let load = |_| {
        let loaded = TextEmbedding::try_new_from_user_defined(model.clone(), options.clone());
        let model = loaded.map_err(|error| Error::Load {
            path: assets.join(MODEL),
            source: Arc::new(error),
        })?;
        Ok(Box::new(MiniLm(model)) as Box<dyn Embedder>)
    };
    (0..workers).map(load).collect()
}

struct MiniLm(TextEmbedding);

impl Embedder for MiniLm {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let vectors = self.0.embed([text], None);
        let vectors = vectors.map_err(|error| EmbedError::Model(error.into()))?;
        let none = || EmbedError::Model("the model gave no vector".into());
        vectors.into_iter().next().ok_or_else(none)
    }
}

/// Returns the environment of ONNX Runtime, which a process can have only once and for ever:
/// hence the only `static` of this crate that is not a constant.
fn environment(library: &Path) -> Result<Environment, Error> {
    static ENVIRONMENT: OnceLock<Result<Environment, Arc<ort::Error>>> = OnceLock::new();
    fs::File::open(library).map_err(|source| Error::Asset {
        path: library.to_owned(),
        source,
    })?;
    let failed = |source| Error::Load {
        path: library.to_owned(),
        source,
    };
    // It is loaded by path, never by an environment variable.
    let builder = ort::init_from(library).map_err(|error| failed(Arc::new(error)))?;
    let environment = ENVIRONMENT.get_or_init(|| builder.build().map_err(Arc::new));
    environment.clone().map_err(|error| failed(error))
}

fn asset(path: PathBuf) -> Result<Vec<u8>, Error> {
    fs::read(&path).map_err(|source| Error::Asset { path, source })
}
