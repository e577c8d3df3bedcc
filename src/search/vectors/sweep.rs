//! Removes what is no longer used.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::Path,
};

use tracing::debug;

use super::{Key, ModelId, VECTORS, file, manifest};

/// Rewrites the file at `path` with the records of `used`, each once, and of those the newest if
/// they fill more than three quarters of `max_bytes`. Returns how many records went. Call it with
/// the lock.
pub(super) fn vectors(
    path: &Path,
    model: ModelId,
    used: &HashSet<Key>,
    max_bytes: u64,
) -> io::Result<usize> {
    let (mut count, mut record_bytes) = (0, 1);
    let mut latest: HashMap<Key, usize> = HashMap::new();
    file::scan(path, model, |key, values| {
        if used.contains(&key) {
            latest.insert(key, count);
        }
        record_bytes = (Key::LEN + values.len()) as u64;
        count += 1;
    })?;
    // Room for others to come, so that not every addition sweeps.
    let most = usize::try_from(max_bytes / 4 * 3 / record_bytes).unwrap_or(usize::MAX);
    let mut kept: Vec<_> = latest.into_values().collect();
    kept.sort_unstable();
    let kept: HashSet<_> = kept.iter().rev().take(most).copied().collect();
    let aside = path.with_extension("new");
    file::copy(path, &aside, model, |number| kept.contains(&number))?;
    fs::rename(aside, path)?;
    Ok(count - kept.len())
}

/// Removes the directories of models that no corpus was indexed with for long.
pub(super) fn stale_models(dir: &Path) {
    let Some(siblings) = dir.parent().and_then(|cache| fs::read_dir(cache).ok()) else {
        return;
    };
    for sibling in siblings.flatten().map(|entry| entry.path()) {
        // The manifests' directory changes with each manifest that is renamed into it.
        let ours = sibling.join(VECTORS).is_file() && sibling != dir;
        if ours && manifest::is_gone(&sibling.join(manifest::CORPORA)) {
            let removed = fs::remove_dir_all(&sibling);
            debug!(path = %sibling.display(), ok = removed.is_ok(), "vectors of an unused model");
        }
    }
}
