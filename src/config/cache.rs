//! Where vectors are kept.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::user_cache;

/// The word that keeps vectors in memory only.
const OFF: &str = "off";

/// A directory for vectors, or none.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub struct VectorCache(Option<PathBuf>);

impl VectorCache {
    /// Returns the directory, if there is one.
    pub fn dir(&self) -> Option<&Path> {
        self.0.as_deref()
    }
}

impl Default for VectorCache {
    /// `$XDG_CACHE_HOME/lockstep/vectors`, beside what `make setup` brings.
    fn default() -> Self {
        Self(Some(user_cache().join("lockstep/vectors")))
    }
}

impl From<PathBuf> for VectorCache {
    fn from(dir: PathBuf) -> Self {
        Self((dir != Path::new(OFF)).then_some(dir))
    }
}

impl From<VectorCache> for PathBuf {
    fn from(VectorCache(dir): VectorCache) -> Self {
        dir.unwrap_or_else(|| OFF.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_is_no_directory_and_comes_back_as_it_was_set() {
        for (set, dir) in [("off", None), ("./off", Some("./off")), ("/v", Some("/v"))] {
            let cache: VectorCache = serde_json::from_value(set.into()).unwrap();

            assert_eq!(cache.dir(), dir.map(Path::new), "{set}");
            assert_eq!(serde_json::to_value(cache).unwrap(), set);
        }
    }
}
