//! Real workflows and standards, which lie beside the repository.

use std::path::{Path, PathBuf};

/// Returns the corpus. A checkout of the repository has it beside it, a worktree one further up.
pub fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/corpus", "../../shared/corpus"];
    let found = places.iter().map(|place| root.join(place));
    let mut found = found.filter(|place| place.is_dir());
    found
        .next()
        .expect("the corpus lies beside the repository, in ../shared/corpus")
}
