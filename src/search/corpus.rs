//! The standards: read from their directory and cut into passages.

mod chunk;
mod fault;
mod files;
mod front_matter;
mod labels;
mod markdown;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

pub(super) use chunk::Chunk;
pub use fault::Fault;

/// The directory below the content directory that is indexed.
pub(super) const STANDARDS: &str = "standards";

/// The passages of all readable files, and what is wrong with the others.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    pub(super) chunks: Vec<Arc<Chunk>>,
    pub(super) files: usize,
    pub(super) faults: Vec<Fault>,
    /// Equal for equal files and faults.
    pub(super) digest: [u8; 32],
}

/// Reads `content/standards`. A file that cannot be used is a fault; the others are read.
pub(super) fn read(content: &Path) -> Corpus {
    let mut corpus = Corpus::default();
    let mut digest = Sha256::new();
    for file in files::read(content, &mut corpus.faults) {
        digest.update(file.name.as_bytes());
        digest.update([0]);
        digest.update(Sha256::digest(&file.text));
        match chunk::chunks(&file.name, &file.text) {
            Ok(chunks) => {
                corpus.files += 1;
                corpus.chunks.extend(chunks.into_iter().map(Arc::new));
            }
            Err(fault) => corpus.faults.push(fault),
        }
    }
    for fault in &corpus.faults {
        digest.update(fault.to_string());
    }
    corpus.digest = digest.finalize().into();
    corpus
}

/// Reads all standards and returns what is wrong with them, in the order of the files.
pub fn check(content: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let files = files::read(content, &mut faults);
    for file in &files {
        match front_matter::split(&file.name, &file.text) {
            Ok((_, body)) => faults.extend(markdown::unclosed_fence(&file.name, &file.text, body)),
            Err(fault) => faults.push(fault),
        }
    }
    if files.is_empty() && faults.is_empty() {
        let path = PathBuf::from(STANDARDS);
        faults.push(Fault::new(path, "holds no Markdown file"));
    }
    faults.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    faults
}
