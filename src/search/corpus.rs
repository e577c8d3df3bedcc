//! The standards: read from their directory and cut into passages.

mod chunk;
mod cut;
mod document;
mod fault;
mod files;
mod front_matter;
mod labels;
mod lines;
mod markdown;
mod tokens;
mod triples;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

pub(super) use chunk::Chunk;
pub(super) use document::Document;
pub use fault::Fault;
use files::File;
pub use tokens::{Estimate, Tokens};

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

/// Reads `content/standards`. A file that cannot be used is a fault; the others are read. Of files
/// that are as they were, the chunks are taken from `known`; the rest are cut on all cores, for
/// the model waits for them.
pub(super) fn read(content: &Path, tokens: &dyn Tokens, known: &[Arc<Chunk>]) -> Corpus {
    let mut corpus = Corpus::default();
    let mut digest = Sha256::new();
    let known = by_file(known);
    let files = files::read(content, &mut corpus.faults).into_par_iter();
    let cut: Vec<_> = files
        .map(|file| cut_if_changed(file, tokens, &known))
        .collect();
    for (name, of_text, chunks) in cut {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(of_text);
        match chunks {
            Ok(chunks) => {
                corpus.files += 1;
                corpus.chunks.extend(chunks);
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

/// Returns the file's name, the digest of its text, and its chunks: those of `known` if it is as it
/// was.
fn cut_if_changed(
    file: File,
    tokens: &dyn Tokens,
    known: &HashMap<&str, &[Arc<Chunk>]>,
) -> (String, [u8; 32], Result<Vec<Arc<Chunk>>, Fault>) {
    let of_text: [u8; 32] = Sha256::digest(&file.text).into();
    let before = known.get(&*file.name).copied().unwrap_or_default();
    let same = |chunk: &Arc<Chunk>| chunk.document.digest == of_text;
    let chunks = if before.first().is_some_and(same) {
        Ok(before.to_vec())
    } else {
        chunk::chunks(&file.name, file.text, of_text, tokens)
            .map(|chunks| chunks.into_iter().map(Arc::new).collect())
    };
    (file.name, of_text, chunks)
}

/// Returns the chunks of each file, which stand side by side.
fn by_file(chunks: &[Arc<Chunk>]) -> HashMap<&str, &[Arc<Chunk>]> {
    let files = chunks.chunk_by(|one, next| one.file == next.file);
    files.map(|of_file| (&*of_file[0].file, of_file)).collect()
}

/// Reads all standards and returns what is wrong with them, in the order of the files.
pub fn check(content: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let files = files::read(content, &mut faults);
    for file in &files {
        faults.extend(form(&file.name, &file.text));
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

/// Tells what other programs may stumble over; search does not.
fn form(file: &str, text: &str) -> Vec<Fault> {
    let mark = text.starts_with('\u{feff}');
    let mark = mark.then(|| Fault::new(file, "begins with a byte order mark").at(1));
    let mut lines = text.split_inclusive('\n');
    let ends = lines.position(|line| line.ends_with("\r\n"));
    let ends = ends.map(|line| Fault::new(file, "ends lines with CR LF").at(line + 1));
    mark.into_iter().chain(ends).map(Fault::harmless).collect()
}

/// Cuts a text for tests.
#[cfg(test)]
pub(super) fn chunks(file: &str, text: &str) -> Vec<Chunk> {
    chunk::chunks(file, text.to_owned(), [0; 32], &Estimate).expect("the text is in order")
}
