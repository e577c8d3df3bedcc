//! The path of a source.

use std::{
    fmt,
    path::{Component, Path},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// The longest path in bytes: what Linux accepts.
const MAX_BYTES: usize = 4_096;

/// A path below the root of the sources.
///
/// Invariant: no spelling of it leads up or begins elsewhere. A link may still lead out: whoever
/// reads it looks.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourcePath(Arc<str>);

/// A string that is no path of a source.
#[derive(Debug, thiserror::Error)]
#[error("is `{}`: {rule}", path.chars().take(80).collect::<String>().escape_debug())]
pub struct InvalidSourcePath {
    path: String,
    rule: &'static str,
}

impl SourcePath {
    /// Returns the path.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// Names a file in the directory of this path.
    pub(super) fn join(&self, file: &str) -> Result<Self, InvalidSourcePath> {
        Self::try_from(format!("{}/{file}", self.0).as_str())
    }
}

impl TryFrom<&str> for SourcePath {
    type Error = InvalidSourcePath;

    fn try_from(path: &str) -> Result<Self, Self::Error> {
        let refuse = |rule| {
            Err(InvalidSourcePath {
                path: path.to_owned(),
                rule,
            })
        };
        let bytes = path.as_bytes();
        let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        if path.trim().is_empty() {
            return refuse("it is empty");
        }
        if bytes.len() > MAX_BYTES {
            return refuse("it is longer than 4,096 bytes");
        }
        if path.contains(char::is_control) {
            return refuse("it holds a control character");
        }
        if drive || path.starts_with(['/', '\\', '~']) {
            return refuse("it must be relative to the directory that sources are read from");
        }
        let mut parts = Vec::new();
        for part in Path::new(path).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
                Component::ParentDir => return refuse("it holds `..`"),
                Component::RootDir | Component::Prefix(_) => return refuse("it must be relative"),
            }
        }
        if path.split('\\').any(|part| part == "..") {
            return refuse("it holds `..`");
        }
        match parts.is_empty() {
            true => refuse("name a file, or a directory below the one that sources are read from"),
            false => Ok(Self(parts.join("/").into())),
        }
    }
}

impl TryFrom<String> for SourcePath {
    type Error = InvalidSourcePath;

    fn try_from(path: String) -> Result<Self, Self::Error> {
        Self::try_from(path.as_str())
    }
}

impl From<SourcePath> for String {
    fn from(path: SourcePath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_path_stays_below_its_root() {
        let long = "a".repeat(4_097);
        let cases = [
            ("specs/a", Some("specs/a")),
            ("./specs//a/", Some("specs/a")),
            (".praxis-os/specs/a", Some(".praxis-os/specs/a")),
            ("specs/a..b/tasks.md", Some("specs/a..b/tasks.md")),
            ("", None),
            (" ", None),
            (".", None),
            ("..", None),
            ("specs/../..", None),
            ("specs\\..\\..", None),
            ("/etc/passwd", None),
            ("~/a", None),
            ("C:\\a", None),
            ("\\\\host\\share", None),
            ("a\0b", None),
            (long.as_str(), None),
        ];
        for (path, expected) in cases {
            let parsed = SourcePath::try_from(path).ok();
            assert_eq!(
                parsed.map(|path| path.to_string()).as_deref(),
                expected,
                "{path:?}"
            );
        }
    }
}
