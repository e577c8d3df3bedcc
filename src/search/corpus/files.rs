//! The Markdown files of the standards, none from outside the content directory.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{Fault, STANDARDS};

/// The largest file that is read: a megabyte is a book of 150,000 words.
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// The most bytes of all files: about 80,000 passages, whose vectors take 120 MB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The most files that are read.
const MAX_FILES: usize = 10_000;

/// The deepest directory that is looked into.
const MAX_DEPTH: usize = 32;

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    /// Its path relative to the content directory, with `/`.
    pub(super) name: String,
    pub(super) text: String,
}

/// Reads the Markdown files below `content/standards`, ordered by name.
pub(super) fn read(content: &Path, faults: &mut Vec<Fault>) -> Vec<File> {
    let root = match content.canonicalize() {
        Ok(root) => root,
        Err(error) => {
            let problem = format!("cannot read the content directory: {error}");
            faults.push(Fault::new(content, problem));
            return Vec::new();
        }
    };
    let mut walk = Walk {
        root,
        seen: HashSet::new(),
        files: Vec::new(),
        bytes: 0,
        faults,
    };
    walk.visit(Path::new(STANDARDS), 0);
    walk.files
}

struct Walk<'a> {
    root: PathBuf,
    /// Where links lead to, so that no loop is walked and nothing is read twice.
    seen: HashSet<PathBuf>,
    files: Vec<File>,
    bytes: u64,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_> {
    fn visit(&mut self, name: &Path, depth: usize) {
        let target = match self.root.join(name).canonicalize() {
            Ok(target) => target,
            Err(error) => return self.fault(name, format!("cannot be read: {error}")),
        };
        if !target.starts_with(&self.root) {
            return self.fault(name, "is a link that leads out of the content directory");
        }
        if target.is_dir() && self.seen.insert(target.clone()) {
            self.visit_dir(name, &target, depth);
        } else if is_markdown(name) && target.is_file() && self.seen.insert(target.clone()) {
            self.read_file(name, &target);
        }
    }

    fn visit_dir(&mut self, name: &Path, target: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            return self.fault(name, format!("is more than {MAX_DEPTH} directories deep"));
        }
        let entries = fs::read_dir(target).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.fault(name, format!("cannot be read: {error}")),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            // Editors' swap files, and the directories behind a mounted ConfigMap's links.
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                self.visit(&name.join(entry.file_name()), depth + 1);
            }
        }
    }

    fn read_file(&mut self, name: &Path, target: &Path) {
        if self.files.len() >= MAX_FILES {
            return self.fault(name, format!("is not read: {MAX_FILES} files are the most"));
        }
        let bytes = match read_bounded(target) {
            Ok(bytes) => bytes,
            Err(error) => return self.fault(name, format!("cannot be read: {error}")),
        };
        let length = bytes.len() as u64;
        if length > MAX_FILE_BYTES {
            return self.fault(name, format!("has more than {MAX_FILE_BYTES} bytes"));
        }
        if self.bytes + length > MAX_BYTES {
            return self.fault(name, format!("is not read: {MAX_BYTES} bytes are the most"));
        }
        match String::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() => self.fault(name, "is empty"),
            Ok(text) => {
                self.bytes += length;
                let name = name.to_string_lossy().into_owned();
                self.files.push(File { name, text });
            }
            Err(error) => {
                let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
                self.faults
                    .push(Fault::new(name, "is not UTF-8 text").at(line));
            }
        }
    }

    fn fault(&mut self, name: &Path, problem: impl Into<String>) {
        self.faults.push(Fault::new(name, problem));
    }
}

fn is_markdown(name: &Path) -> bool {
    let extension = name.extension().unwrap_or_default();
    ["md", "markdown"].iter().any(|known| extension == *known)
}

/// Reads at most one byte more than allowed, however the file grows meanwhile.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
