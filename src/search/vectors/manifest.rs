//! Which vectors a corpus uses, so that others can be removed.

use std::{
    collections::HashSet,
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    Key,
    file::{sealed, unsealed},
};

/// A corpus that nobody has indexed for so long is taken for gone.
pub(super) const GONE_AFTER: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The directory of the manifests, below the model's.
pub(super) const CORPORA: &str = "corpora";

/// Writes the keys that `corpus` uses. Call it with the lock.
pub(super) fn write(dir: &Path, corpus: &Path, keys: &[Key]) -> io::Result<()> {
    let corpora = dir.join(CORPORA);
    fs::create_dir_all(&corpora)?;
    let content = keys.iter().flat_map(Key::bytes).copied().collect();
    let aside = dir.join("manifest.new");
    fs::write(&aside, sealed(content))?;
    fs::rename(aside, corpora.join(name(corpus)))
}

/// Returns what the files of `corpus` are called by.
pub(super) fn name(corpus: &Path) -> String {
    hex(Key::of(&corpus.to_string_lossy()).bytes())
}

/// Returns `bytes` as they stand in a name.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the keys that any corpus uses.
pub(super) fn used(dir: &Path) -> io::Result<HashSet<Key>> {
    let mut used = HashSet::new();
    for manifest in fs::read_dir(dir.join(CORPORA))? {
        let path = manifest?.path();
        if is_gone(&path) {
            fs::remove_file(&path)?;
            continue;
        }
        // A damaged one says nothing: its corpus makes its vectors again.
        let bytes = fs::read(&path)?;
        let keys = unsealed(&bytes).unwrap_or_default().chunks_exact(Key::LEN);
        used.extend(keys.map(Key::from_bytes));
    }
    Ok(used)
}

/// Tells whether a file has not been written for long. One that cannot be asked is not gone.
pub(super) fn is_gone(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|file| file.modified());
    let age = written.map(|written| SystemTime::now().duration_since(written));
    matches!(age, Ok(Ok(age)) if age > GONE_AFTER)
}
