//! How a sentence model is to be used.

use std::{fs, io, path::Path, sync::Arc};

use fastembed::Pooling;
use serde::Deserialize;

use super::Prefixes;
use crate::search::Error;

/// The file that describes a model, in its directory.
const DESCRIPTION: &str = "lockstep-model.yaml";

/// The models that `make setup` brings, with what their authors say of their use.
const KNOWN: [(&str, &str); 2] = [
    (
        "all-minilm-l6-v2-q",
        "{pooling: mean, max_tokens: 256}", // Trained on no more.
    ),
    (
        "bge-small-en-v1.5-q",
        "{pooling: cls, max_tokens: 512, \
         query_prefix: 'Represent this sentence for searching relevant passages: '}",
    ),
];

/// The description of a model: `lockstep-model.yaml`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// The ONNX file, relative to the directory.
    #[serde(default = "model_file")]
    pub(super) model: String,
    /// The tokenizer's file.
    #[serde(default = "tokenizer_file")]
    pub(super) tokenizer: String,
    /// How the vectors of a text's tokens become one.
    pooling: PoolingName,
    /// Tokens that the model reads; a longer text is cut.
    pub(super) max_tokens: usize,
    #[serde(default)]
    query_prefix: String,
    #[serde(default)]
    passage_prefix: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum PoolingName {
    Mean,
    Cls,
}

impl Recipe {
    /// Reads the description of the model in `dir`, or takes that of a known model.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be understood.
    pub(super) fn of(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(DESCRIPTION);
        let known = KNOWN.iter().find(|(name, _)| dir.ends_with(name));
        let text = match (fs::read_to_string(&path), known) {
            (Ok(text), _) => text,
            (Err(error), Some((_, text))) if error.kind() == io::ErrorKind::NotFound => {
                (*text).to_owned()
            }
            (Err(source), _) => return Err(missing(dir, &path, source)),
        };
        let recipe: Self = serde_saphyr::from_str(&text).map_err(|error| Error::Load {
            path: path.clone(),
            source: Arc::new(error),
        })?;
        match recipe.max_tokens {
            8..=8_192 => Ok(recipe),
            other => {
                let problem = format!("max_tokens is {other}, allowed is 8 to 8192");
                let source = Arc::new(io::Error::other(problem));
                Err(Error::Load { path, source })
            }
        }
    }

    pub(super) fn pooling(&self) -> Pooling {
        match self.pooling {
            PoolingName::Mean => Pooling::Mean,
            PoolingName::Cls => Pooling::Cls,
        }
    }

    pub(super) fn prefixes(&self) -> Prefixes {
        Prefixes {
            question: self.query_prefix.clone(),
            passage: self.passage_prefix.clone(),
        }
    }

    /// Returns its part of the model's id.
    pub(super) fn fingerprint(&self) -> String {
        let Self {
            model: _,
            tokenizer: _,
            pooling,
            max_tokens,
            query_prefix,
            passage_prefix,
        } = self;
        format!("{pooling:?} {max_tokens} {query_prefix:?} {passage_prefix:?}")
    }
}

/// Says which file of a model cannot be read, and what brings it.
pub(super) fn missing(dir: &Path, path: &Path, source: io::Error) -> Error {
    let known = KNOWN.iter().position(|(name, _)| dir.ends_with(name));
    let remedy = match known {
        Some(0) => "`make setup` brings it".to_owned(),
        Some(at) => format!("`make setup MODEL={}` brings it", KNOWN[at].0),
        None => format!(
            "the directory of a model holds an ONNX file, a tokenizer.json and a {DESCRIPTION}; \
             `make setup` brings {} and {}",
            KNOWN[0].0, KNOWN[1].0
        ),
    };
    Error::Asset {
        path: path.to_owned(),
        remedy,
        source,
    }
}

fn model_file() -> String {
    "model.onnx".to_owned()
}

fn tokenizer_file() -> String {
    "tokenizer.json".to_owned()
}
