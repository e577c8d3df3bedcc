//! Vectors on disk, by the hash of the text that they are of, so that no text is embedded twice.
//!
//! Each model has a directory of its own: vectors of two models never meet. Several processes may
//! share it. Whatever is wrong with a file costs only the time to make its vectors again.

mod file;
mod graphs;
mod key;
mod manifest;
mod sweep;

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing::{debug, info, warn};

pub(super) use key::Key;
pub use key::ModelId;

use self::file::{Found, Layout};
use crate::observed::{FileLock, LockMetrics, ObservedWait};

/// The file of the vectors, in the directory of their model.
const VECTORS: &str = "vectors";

/// Where vectors are kept, and how many bytes of them.
#[derive(Clone, Debug)]
pub struct Cache {
    /// A directory for this alone. It is made when something is written.
    pub dir: PathBuf,
    /// At more bytes than these, vectors that no corpus uses are removed, then the oldest.
    pub max_bytes: u64,
}

/// The vectors of one model.
///
/// Invariant: `vectors` is changed only under the lock: whole records are added to its end, or
/// another file takes its place. Everything here blocks the thread.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    model: ModelId,
    max_bytes: u64,
    waits: ObservedWait,
}

impl Store {
    /// Names the store; reads and writes nothing.
    pub(super) fn new(cache: &Cache, model: ModelId, metrics: &LockMetrics) -> Self {
        Self {
            dir: cache.dir.join(model.to_string()),
            model,
            max_bytes: cache.max_bytes,
            waits: ObservedWait::new("search.cache", metrics),
        }
    }

    /// Returns the directory of the model.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads the vectors of `wanted` that are there. A file that is not as it should be is set
    /// aside, and what is good of it stays.
    ///
    /// # Errors
    ///
    /// If the file system refuses; that there is no file is no error.
    pub(super) fn load(&self, wanted: &HashSet<Key>) -> io::Result<HashMap<Key, Arc<[f32]>>> {
        let mut vectors = HashMap::new();
        let found = file::scan(&self.path(), self.model, |key, values| {
            if wanted.contains(&key) {
                vectors.insert(key, file::vector(values));
            }
        })?;
        if let Err(error) = self.mend(&found) {
            let error = &error as &dyn std::error::Error;
            warn!(
                name: "lockstep.search.cache_damaged",
                { error, path = %self.path().display() },
                "a damaged file of vectors stays as it is"
            );
        }
        Ok(vectors)
    }

    /// Adds vectors. They are seen by other processes at once.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub(super) fn append(&self, vectors: &[(Key, Arc<[f32]>)]) -> io::Result<()> {
        let Some((_, first)) = vectors.first() else {
            return Ok(());
        };
        let layout = Layout::new(self.model, first.len());
        debug!(vectors = vectors.len(), "keeping vectors");
        let _lock = self.lock()?;
        match file::append(&self.path(), layout, vectors) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                self.set_aside(&error.to_string())?;
                file::append(&self.path(), layout, vectors)
            }
            appended => appended,
        }
    }

    /// Notes that `corpus` uses the vectors of `keys`, and removes others if there are too many.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub(super) fn keep(&self, corpus: &Path, keys: &[Key]) -> io::Result<()> {
        debug!(vectors = keys.len(), "noting the vectors in use");
        let _lock = self.lock()?;
        manifest::write(&self.dir, corpus, keys)?;
        sweep::stale_models(&self.dir);
        let path = self.path();
        let len_bytes = fs::metadata(&path).map_or(0, |file| file.len());
        if len_bytes <= self.max_bytes {
            return Ok(());
        }
        let used = manifest::used(&self.dir)?;
        let removed = sweep::vectors(&path, self.model, &used, self.max_bytes)?;
        info!(removed, path = %path.display(), "vectors that no corpus uses were removed");
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.dir.join(VECTORS)
    }

    fn lock(&self) -> io::Result<FileLock> {
        fs::create_dir_all(&self.dir)?;
        FileLock::acquire(&self.dir.join("lock"), &self.waits)
    }

    /// Sets a file aside that is not ours, or holds broken records; the good ones are kept.
    fn mend(&self, found: &Found) -> io::Result<()> {
        match found {
            Found::Nothing | Found::Records { damaged: 0 } => return Ok(()),
            Found::Foreign(_) | Found::Records { .. } => {}
        }
        let _lock = self.lock()?;
        // Another process may have mended it meanwhile.
        match file::scan(&self.path(), self.model, |_, _| {})? {
            Found::Nothing | Found::Records { damaged: 0 } => Ok(()),
            Found::Foreign(problem) => self.set_aside(problem),
            Found::Records { damaged } => {
                let good = self.dir.join("vectors.new");
                file::copy(&self.path(), &good, self.model, |_| true)?;
                self.set_aside(&format!("{damaged} records are damaged"))?;
                fs::rename(good, self.path())
            }
        }
    }

    /// Renames the file, so that somebody can look at it. Call it with the lock.
    fn set_aside(&self, problem: &str) -> io::Result<()> {
        let (path, aside) = (self.path(), self.dir.join("vectors.damaged"));
        fs::rename(&path, &aside)?;
        let (path, aside) = (path.display(), aside.display());
        warn!(
            name: "lockstep.search.cache_damaged",
            { problem, %path, %aside },
            "a file of vectors was set aside and is made again"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use tempfile::TempDir;

    use super::*;
    use crate::search::{Index, Layout as IndexLayout, Quantization};

    /// Values of a vector.
    const LENGTH: usize = 8;
    const RECORD: usize = Key::LEN + 4 * LENGTH + 4;

    struct Fixture {
        dir: TempDir,
        metrics: LockMetrics,
    }

    impl Fixture {
        fn new() -> Self {
            let meter = SdkMeterProvider::default().meter("test");
            Self {
                dir: tempfile::tempdir().unwrap(),
                metrics: LockMetrics::new(&meter),
            }
        }

        fn store(&self) -> Store {
            self.store_of("model", u64::MAX)
        }

        fn store_of(&self, model: &str, max_bytes: u64) -> Store {
            let dir = self.dir.path().to_owned();
            let cache = Cache { dir, max_bytes };
            Store::new(&cache, ModelId::of([model.as_bytes()]), &self.metrics)
        }
    }

    fn key(number: usize) -> Key {
        Key::of(&number.to_string())
    }

    fn vector(number: usize) -> Arc<[f32]> {
        (0..LENGTH).map(|at| (number * 31 + at) as f32).collect()
    }

    fn records(numbers: std::ops::Range<usize>) -> Vec<(Key, Arc<[f32]>)> {
        numbers
            .map(|number| (key(number), vector(number)))
            .collect()
    }

    /// Returns which of the first twenty records are there; their vectors must be right.
    fn loaded(store: &Store) -> Vec<usize> {
        let wanted = (0..20).map(key).collect();
        let found = store.load(&wanted).unwrap();
        let there = (0..20).filter(|number| found.contains_key(&key(*number)));
        let there: Vec<_> = there.collect();
        for number in &there {
            assert_eq!(found[&key(*number)], vector(*number), "{number}");
        }
        there
    }

    #[test]
    fn what_was_added_is_read_back_by_every_process_and_never_by_another_model() {
        let fixture = Fixture::new();
        let (one, other) = (fixture.store(), fixture.store());

        assert!(loaded(&one).is_empty());
        one.append(&records(0..5)).unwrap();
        other.append(&records(5..9)).unwrap();
        one.append(&[]).unwrap();

        assert_eq!(loaded(&one), (0..9).collect::<Vec<_>>());
        assert_eq!(loaded(&other), loaded(&one));
        assert!(loaded(&fixture.store_of("another", u64::MAX)).is_empty());
    }

    #[test]
    fn whichever_byte_is_broken_no_wrong_vector_comes_back_and_the_file_is_made_again() {
        let fixture = Fixture::new();
        let store = fixture.store();
        store.append(&records(0..3)).unwrap();
        let whole = fs::read(store.path()).unwrap();
        let header = whole.len() - 3 * RECORD;

        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0x40;
            fs::write(store.path(), &broken).unwrap();

            let left: Vec<_> = match at.checked_sub(header) {
                None => Vec::new(),
                Some(at) => (0..3).filter(|number| at / RECORD != *number).collect(),
            };
            assert_eq!(loaded(&store), left, "byte {at}");
            let aside = fs::read(store.dir().join("vectors.damaged")).unwrap();
            assert_eq!(aside, broken, "byte {at}");
            store.append(&records(0..3)).unwrap();
            assert_eq!(loaded(&store), [0, 1, 2], "byte {at}");
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_loses_the_record_that_was_begun_and_takes_others() {
        let fixture = Fixture::new();
        let store = fixture.store();
        store.append(&records(0..3)).unwrap();
        let whole = fs::read(store.path()).unwrap();
        let header = whole.len() - 3 * RECORD;

        for length in 0..whole.len() {
            fs::write(store.path(), &whole[..length]).unwrap();
            let left = length.saturating_sub(header) / RECORD;

            assert_eq!(loaded(&store), (0..left).collect::<Vec<_>>(), "{length}");
            store.append(&records(10..12)).unwrap();
            let expected: Vec<_> = (0..left).chain(10..12).collect();
            assert_eq!(loaded(&store), expected, "{length}");
        }
    }

    #[test]
    fn a_foreign_file_is_set_aside_whether_it_is_read_or_added_to() {
        let fixture = Fixture::new();
        let store = fixture.store();
        let foreign = "not vectors, and longer than the header of a file of vectors";
        for add in [true, false] {
            fs::create_dir_all(store.dir()).unwrap();
            fs::write(store.path(), foreign).unwrap();

            if add {
                store.append(&records(0..2)).unwrap();
                assert_eq!(loaded(&store), [0, 1]);
            } else {
                assert!(loaded(&store).is_empty());
                assert!(!store.path().exists());
            }
            let aside = fs::read_to_string(store.dir().join("vectors.damaged")).unwrap();
            assert_eq!(aside, foreign);
        }
    }

    #[test]
    fn the_file_of_another_model_in_the_place_of_ours_is_set_aside() {
        let fixture = Fixture::new();
        let (ours, theirs) = (fixture.store(), fixture.store_of("another", u64::MAX));
        theirs.append(&records(0..3)).unwrap();
        fs::create_dir_all(ours.dir()).unwrap();
        fs::copy(theirs.path(), ours.path()).unwrap();

        assert!(loaded(&ours).is_empty(), "same texts, other vectors");
        assert!(ours.dir().join("vectors.damaged").exists());
    }

    #[test]
    fn of_processes_that_add_at_once_none_loses_what_another_added() {
        for round in 0..20 {
            let fixture = Fixture::new();
            std::thread::scope(|scope| {
                for process in 0..4 {
                    let store = fixture.store();
                    scope.spawn(move || {
                        for number in 5 * process..5 * process + 5 {
                            store.append(&records(number..number + 1)).unwrap();
                        }
                    });
                }
            });

            assert_eq!(loaded(&fixture.store()).len(), 20, "round {round}");
        }
    }

    #[test]
    fn a_file_that_grew_too_large_keeps_what_any_corpus_uses() {
        let fixture = Fixture::new();
        let store = fixture.store_of("model", 15 * RECORD as u64);
        store.append(&records(0..10)).unwrap();
        store.keep(Path::new("/one"), &[key(1), key(2)]).unwrap();
        assert_eq!(loaded(&store).len(), 10, "there is room for them");

        store.append(&records(10..18)).unwrap();
        store.append(&records(2..3)).unwrap(); // Twice there.
        store.keep(Path::new("/two"), &[key(2), key(15)]).unwrap();

        assert_eq!(loaded(&store), [1, 2, 15]);
        let len_bytes = fs::metadata(store.path()).unwrap().len();
        assert!(len_bytes < 4 * RECORD as u64, "{len_bytes}");
    }

    #[test]
    fn a_corpus_larger_than_the_limit_keeps_its_newest_vectors() {
        let fixture = Fixture::new();
        let store = fixture.store_of("model", 12 * RECORD as u64);
        let keys: Vec<_> = (0..20).map(key).collect();

        store.append(&records(0..20)).unwrap();
        store.keep(Path::new("/one"), &keys).unwrap();

        assert_eq!(loaded(&store), (11..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_graph_is_mapped_from_disk_unless_it_is_damaged_or_of_other_vectors() {
        let fixture = Fixture::new();
        let store = fixture.store();
        let layout = IndexLayout {
            quantization: Quantization::F32,
            threads: 2,
        };
        let count = 5_000;
        let keys: Vec<_> = (0..count).map(key).collect();
        let angle = |at: usize| at as f32 / count as f32;
        let vectors: Vec<Arc<[f32]>> = (0..count)
            .map(|at| [angle(at).cos(), angle(at).sin()].into())
            .collect();
        let index = |keys: &[Key], vectors: &[Arc<[f32]>]| {
            let corpus = Path::new("/corpus");
            let none = Index::empty();
            let index = store.index(corpus, keys, vectors, layout, &none).unwrap();
            assert_eq!(index.nearest(&vectors[100], 1).unwrap()[0].0, 100);
        };
        let graphs = || {
            let files = fs::read_dir(store.dir().join("graphs")).unwrap();
            let files = files.map(|file| file.unwrap().path());
            let mut files: Vec<_> = files
                .filter(|file| file.extension().unwrap() != "sum")
                .collect();
            assert_eq!(files.len(), 1, "{files:?}");
            files.remove(0)
        };
        index(&keys, &vectors);
        let first = graphs();
        let written = fs::metadata(&first).unwrap().modified().unwrap();

        index(&keys, &vectors);
        assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), written);

        let whole = fs::read(&first).unwrap();
        for at in [0, 40, whole.len() / 3, whole.len() - 1] {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&first, &broken).unwrap();
            index(&keys, &vectors);
            assert_eq!(graphs(), first);
            assert_ne!(fs::read(&first).unwrap(), broken, "byte {at}");
            assert!(file_is_whole(&store, &keys), "byte {at}");
        }
        fs::write(&first, &whole[..whole.len() / 2]).unwrap();
        index(&keys, &vectors);
        assert!(file_is_whole(&store, &keys));

        index(&keys[1..], &vectors[1..]);
        assert_ne!(graphs(), first, "the predecessor is gone");
    }

    fn file_is_whole(store: &Store, keys: &[Key]) -> bool {
        let file = store.graph(Path::new("/corpus"), keys, Quantization::F32);
        file.whole().is_some()
    }

    #[test]
    fn a_corpus_and_a_model_that_nobody_used_for_long_are_forgotten() {
        let fixture = Fixture::new();
        let (old_model, store) = (
            fixture.store_of("old", u64::MAX),
            fixture.store_of("model", 0),
        );
        for store in [&old_model, &store] {
            store.append(&records(0..4)).unwrap();
            let corpora = store.dir().join(manifest::CORPORA);
            manifest::write(store.dir(), Path::new("/gone"), &[key(1)]).unwrap();
            let long_ago = SystemTime::now() - 2 * manifest::GONE_AFTER;
            for entry in fs::read_dir(&corpora).unwrap() {
                let file = fs::File::open(entry.unwrap().path()).unwrap();
                file.set_modified(long_ago).unwrap();
            }
            let corpora = fs::File::open(corpora).unwrap();
            corpora.set_modified(long_ago).unwrap();
        }

        store.keep(Path::new("/here"), &[key(2)]).unwrap();

        assert!(loaded(&store).is_empty(), "the limit is 0 bytes");
        assert!(!old_model.dir().exists());
        let corpora = fs::read_dir(store.dir().join(manifest::CORPORA)).unwrap();
        assert_eq!(corpora.count(), 1);
    }
}
