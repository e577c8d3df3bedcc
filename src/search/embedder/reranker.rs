//! A cross encoder, run by ONNX Runtime beside a sentence model.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fastembed::{OnnxSource, RerankInitOptionsUserDefined, TextRerank, UserDefinedRerankingModel};
use ort::environment::Environment;

use super::{
    EmbedError, Embedder, Prefixes, Reranker,
    model::{environment, tokenizer_files},
};
use crate::search::{Error, ModelId, Tokens};

/// The files of a cross encoder, in its directory.
const MODEL: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";

/// Gives each of `models` an instance of the cross encoder in `dir`, which reads `max_tokens` of a
/// question and a passage together; what is longer is cut. ONNX Runtime is below `assets`.
///
/// # Errors
///
/// [`Error::Asset`] if a file is missing, [`Error::Load`] if it does not load or scores no pair of
/// texts.
pub fn with_reranker(
    models: Vec<Box<dyn Embedder>>,
    assets: &Path,
    dir: &Path,
    max_tokens: usize,
) -> Result<Vec<Box<dyn Embedder>>, Error> {
    let source = Arc::new(Source {
        environment: environment(assets)?,
        dir: dir.to_owned(),
        max_tokens,
    });
    let join = |embedder| -> Result<Box<dyn Embedder>, Error> {
        let model = source.load()?;
        let source = Arc::clone(&source);
        let reranker = CrossEncoder { model, source };
        Ok(Box::new(Joined { embedder, reranker }))
    };
    models.into_iter().map(join).collect()
}

/// Where a cross encoder comes from.
struct Source {
    environment: Environment,
    dir: PathBuf,
    max_tokens: usize,
}

impl Source {
    fn load(&self) -> Result<TextRerank, Error> {
        let (model, tokenizer) = (self.dir.join(MODEL), self.dir.join(TOKENIZER));
        let missing = |path: &Path, source| Error::Asset {
            path: path.to_owned(),
            remedy: format!(
                "search.rerank.model names a directory with a {MODEL}, a cross encoder, and a {TOKENIZER}"
            ),
            source,
        };
        // ONNX Runtime reads the model itself, but does not say which file it misses.
        fs::File::open(&model).map_err(|source| missing(&model, source))?;
        let tokenizer = fs::read(&tokenizer).map_err(|source| missing(&tokenizer, source))?;
        let failed = |source| Error::Load {
            path: model.clone(),
            source: Arc::new(source),
        };
        let files = UserDefinedRerankingModel::new(
            OnnxSource::File(model.clone()),
            tokenizer_files(tokenizer, self.max_tokens),
        );
        let options = RerankInitOptionsUserDefined::new()
            .with_environment(self.environment.clone())
            .with_max_length(self.max_tokens)
            .with_intra_threads(1);
        let mut reranker = TextRerank::try_new_from_user_defined(files, options).map_err(failed)?;
        // A sentence model loads as well, and gives vectors.
        reranker
            .rerank("question", ["passage"], false, Some(1))
            .map_err(failed)?;
        Ok(reranker)
    }
}

struct CrossEncoder {
    model: TextRerank,
    source: Arc<Source>,
}

impl Reranker for CrossEncoder {
    fn score(&mut self, question: &str, passage: &str) -> Result<f32, EmbedError> {
        // One pair at a time: a quantised model's score depends on what else is in the batch.
        let scored = self.model.rerank(question, [passage], false, Some(1));
        let scored = scored.map_err(|error| EmbedError::Model(error.into()))?;
        let score = scored.first().map(|scored| scored.score);
        let none = || EmbedError::Model("the cross encoder gave no number".into());
        score.filter(|score| score.is_finite()).ok_or_else(none)
    }
}

/// A sentence model and a cross encoder of one thread.
struct Joined {
    embedder: Box<dyn Embedder>,
    reranker: CrossEncoder,
}

impl Embedder for Joined {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.embedder.embed(text)
    }

    fn id(&self) -> Option<ModelId> {
        self.embedder.id()
    }

    fn name(&self) -> Arc<str> {
        self.embedder.name()
    }

    fn prefixes(&self) -> Prefixes {
        self.embedder.prefixes()
    }

    fn tokens(&self) -> Arc<dyn Tokens> {
        self.embedder.tokens()
    }

    fn reranker(&mut self) -> Option<&mut dyn Reranker> {
        Some(&mut self.reranker)
    }

    fn renew(&mut self) -> Result<(), Error> {
        self.embedder.renew()?;
        self.reranker.model = self.reranker.source.load()?;
        Ok(())
    }
}
