//! Evidence that claims a file: a path below the work root, and nothing outside it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use super::pattern::MAX_TEXT_BYTES;

/// The longest path in bytes, as on Linux.
const MAX_PATH_BYTES: usize = 4_096;

/// The directory that evidence names files below.
#[derive(Clone, Debug)]
pub struct WorkRoot(PathBuf);

/// A path as evidence may name it: relative, and never upwards.
#[derive(Debug)]
pub(super) struct ClaimedPath(PathBuf);

/// Why a claim does not hold: what the path must do, after "must".
#[derive(Debug)]
pub(super) struct Unfounded(pub(super) String);

impl ClaimedPath {
    /// Parses what evidence names.
    ///
    /// # Errors
    ///
    /// If it is empty, too long, absolute, or leads upwards.
    pub(super) fn parse(path: &str) -> Result<Self, Unfounded> {
        let parts = Path::new(path).components();
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let named = parts
            .clone()
            .any(|part| matches!(part, Component::Normal(_)));
        let plain = !path.contains(['\0', '\\']) && path.len() <= MAX_PATH_BYTES;
        match named && plain && parts.clone().all(inside) {
            true => Ok(Self(parts.collect())),
            false => Err(Unfounded(
                "be a path relative to the work root, without `..`".to_owned(),
            )),
        }
    }
}

impl WorkRoot {
    /// Uses `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// Checks that there is such a file. Blocks the thread.
    ///
    /// # Errors
    ///
    /// If there is none, or a link leads out of the root.
    pub(super) fn find(&self, claimed: &ClaimedPath) -> Result<PathBuf, Unfounded> {
        let missing = || Unfounded("name a file that exists below the work root".to_owned());
        let root = self.0.canonicalize().map_err(|_| missing())?;
        let file = root
            .join(&claimed.0)
            .canonicalize()
            .map_err(|_| missing())?;
        if !file.starts_with(&root) {
            let problem = "stay below the work root: a link leads out of it";
            return Err(Unfounded(problem.to_owned()));
        }
        match file.is_file() {
            true => Ok(file),
            false => Err(missing()),
        }
    }

    /// Returns the beginning of a file, as much as a pattern is matched against.
    ///
    /// # Errors
    ///
    /// As [`WorkRoot::find`], or if it cannot be read.
    pub(super) fn read(&self, claimed: &ClaimedPath) -> Result<String, Unfounded> {
        let file = self.find(claimed)?;
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let limited = File::open(&file)?.take(MAX_TEXT_BYTES as u64);
            { limited }.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| {
            Unfounded(format!("name a file that can be read ({})", error.kind()))
        })?;
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        // A character that is no text takes three bytes.
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_claimed_path_is_relative_and_never_leads_upwards() {
        let cases = [
            ("a.md", true),
            ("a/b.md", true),
            ("./a", true),
            ("a/./b", true),
            ("", false),
            (".", false),
            ("..", false),
            ("../a", false),
            ("a/../../b", false),
            ("a/..", false),
            ("/etc/passwd", false),
            ("a\0b", false),
            ("..\\a", false),
            ("C:\\a", false),
        ];
        for (path, allowed) in cases {
            assert_eq!(ClaimedPath::parse(path).is_ok(), allowed, "{path:?}");
        }
        assert!(ClaimedPath::parse(&"a".repeat(4_097)).is_err());
    }

    #[test]
    fn a_file_is_found_below_the_root_only() {
        let dir = tempfile::tempdir().unwrap();
        let (root, outside) = (dir.path().join("root"), dir.path().join("secret"));
        fs::create_dir_all(root.join("docs")).unwrap();
        fs::write(root.join("docs/a.md"), "# A").unwrap();
        fs::write(&outside, "secret").unwrap();
        std::os::unix::fs::symlink(&outside, root.join("leak")).unwrap();
        std::os::unix::fs::symlink("docs/a.md", root.join("inside")).unwrap();
        std::os::unix::fs::symlink(dir.path(), root.join("up")).unwrap();
        let cases = [
            ("docs/a.md", true),
            ("./docs/a.md", true),
            ("inside", true),
            ("docs", false),
            ("docs/b.md", false),
            ("leak", false),
            ("up/secret", false),
        ];
        let work = WorkRoot::new(&root);
        for (path, found) in cases {
            let claimed = ClaimedPath::parse(path).unwrap();

            assert_eq!(work.find(&claimed).is_ok(), found, "{path}");
            assert_eq!(work.read(&claimed).is_ok(), found, "{path}");
        }
        let nowhere = WorkRoot::new(dir.path().join("nowhere"));
        assert!(nowhere.find(&ClaimedPath::parse("a").unwrap()).is_err());
    }

    #[test]
    fn no_more_of_a_file_is_read_than_is_matched() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("large"), vec![0xff; 3 << 20]).unwrap();

        let text = WorkRoot::new(root.path())
            .read(&ClaimedPath::parse("large").unwrap())
            .unwrap();

        assert!(text.len() <= MAX_TEXT_BYTES && text.len() > MAX_TEXT_BYTES - 4);
    }
}
