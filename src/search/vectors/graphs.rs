//! Graphs of neighbours on disk: they take minutes to build, and a moment to map into memory.
//!
//! A graph is of one set of vectors, whose digest is in its name. It is usearch's own file, which
//! must never be mapped if it is damaged; so its checksum stands beside it, written after it.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{
    Key, Store,
    file::{sealed, unsealed},
    manifest,
};
use crate::search::{Error, Index, Layout, Quantization, error::chain};

/// Bytes read at once.
const BUFFER: usize = 1024 * 1024;

/// The place of the graph of one corpus as it is now.
#[derive(Debug)]
pub(super) struct GraphFile<'a> {
    store: &'a Store,
    corpus: String,
    digest: String,
}

impl Store {
    /// Returns the index of `vectors`, whose keys are `keys` and which `corpus` is made of: a graph
    /// from disk, or one that is made of `previous` or built, and then kept there.
    ///
    /// # Errors
    ///
    /// If it cannot be built. One that cannot be kept is used all the same.
    pub(in crate::search) fn index(
        &self,
        corpus: &Path,
        keys: &[Key],
        vectors: &[Arc<[f32]>],
        layout: Layout,
        previous: &Index,
    ) -> Result<Index, Error> {
        let labels: Vec<_> = keys.iter().map(Key::label).collect();
        if !Index::is_graph(vectors.len()) {
            return Index::build(&labels, vectors, layout);
        }
        let file = self.graph(corpus, keys, layout.quantization);
        if let Some(path) = file.whole() {
            match Index::view(&path, &labels, layout) {
                Ok(index) => return Ok(index),
                Err(error) => told(&error, "a graph of vectors is built again"),
            }
        }
        let index = Index::build_from(previous, &labels, vectors, layout)?;
        if let Err(error) = file.replace(|path| index.save(path)) {
            told(&error, "a graph of vectors is not kept on disk");
        }
        Ok(index)
    }

    /// Names the graph of the vectors of `keys`, in whatever order, which `corpus` is made of.
    pub(super) fn graph(
        &self,
        corpus: &Path,
        keys: &[Key],
        quantization: Quantization,
    ) -> GraphFile<'_> {
        let mut digest = Sha256::new();
        // Other versions and other processors may lay a graph out in another way.
        let version = format!("by label: {} {quantization:?}", usearch::version());
        digest.update(version);
        let mut keys: Vec<_> = keys.iter().collect();
        keys.sort_unstable();
        keys.dedup();
        keys.iter().for_each(|key| digest.update(key.bytes()));
        GraphFile {
            store: self,
            corpus: manifest::name(corpus),
            digest: manifest::hex(&digest.finalize()[..16]),
        }
    }
}

impl GraphFile<'_> {
    /// Returns its path if it is there and whole.
    pub(super) fn whole(&self) -> Option<PathBuf> {
        let (graph, sum) = (self.path("usearch"), self.path("sum"));
        let expected = fs::read(&sum).ok()?;
        match sum_of(&graph) {
            Ok(found) if unsealed(&expected) == Some(&found) => Some(graph),
            _ => {
                let path = graph.display();
                warn!(
                    name: "lockstep.search.cache_damaged",
                    { %path },
                    "a damaged graph of vectors is built again"
                );
                None
            }
        }
    }

    /// Has `save` write the graph, and removes those of the corpus as it was before.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    fn replace(&self, save: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let dir = self.dir();
        fs::create_dir_all(&dir)?;
        let _lock = self.store.lock()?;
        let aside = dir.join("graph.new");
        save(&aside)?;
        let sum = sum_of(&aside)?;
        // A process that has mapped one of them keeps it until it lets go.
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(self.corpus.as_bytes()) {
                fs::remove_file(entry.path())?;
            }
        }
        fs::rename(aside, self.path("usearch"))?;
        let aside = dir.join("sum.new");
        fs::write(&aside, sealed(sum.to_vec()))?;
        fs::rename(aside, self.path("sum"))
    }

    fn dir(&self) -> PathBuf {
        self.store.dir().join("graphs")
    }

    fn path(&self, kind: &str) -> PathBuf {
        let (corpus, digest) = (&self.corpus, &self.digest);
        self.dir().join(format!("{corpus}-{digest}.{kind}"))
    }
}

fn told(error: &dyn std::error::Error, what: &str) {
    let problem = chain(error);
    warn!(name: "lockstep.search.graph_not_kept", { problem }, "{what}");
}

/// Returns the length and the CRC-32 of a file.
fn sum_of(path: &Path) -> io::Result<[u8; 12]> {
    let (mut file, mut hasher) = (File::open(path)?, crc32fast::Hasher::new());
    let (mut buffer, mut length) = (vec![0; BUFFER], 0_u64);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        length += count as u64;
    }
    let mut sum = [0; 12];
    sum[..8].copy_from_slice(&length.to_le_bytes());
    sum[8..].copy_from_slice(&hasher.finalize().to_le_bytes());
    Ok(sum)
}
