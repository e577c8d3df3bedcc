//! Real standards to search: the corpus beside the repository, else the sample content.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Copies the first `count` standards to where a server whose content is `content` reads them.
pub(crate) fn copy_standards(content: &Path, count: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [
        "../shared/corpus/standards",
        "../../shared/corpus/standards",
        "content/standards",
    ];
    let mut places = places.iter().map(|place| root.join(place));
    let standards = places
        .find(|place| place.is_dir())
        .expect("there are standards");
    let mut files = markdown_below(&standards);
    files.sort();
    let target = content.join("standards");
    fs::create_dir(&target).expect("the directory is ours");
    for (number, file) in files.iter().take(count).enumerate() {
        fs::copy(file, target.join(format!("{number}.md"))).expect("the standard can be read");
    }
}

fn markdown_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir)
        .expect("the directory can be read")
        .flatten();
    let below = |path: PathBuf| match path.is_dir() {
        true => markdown_below(&path),
        false => vec![path],
    };
    let files = entries.flat_map(|entry| below(entry.path()));
    files
        .filter(|path| path.extension().is_some_and(|of| of == "md"))
        .collect()
}
