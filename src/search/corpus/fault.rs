//! What is wrong with a file.

use std::{fmt, path::PathBuf};

/// Something wrong with a file of the standards. `Display` is `path:line: problem`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file, relative to the content directory.
    pub path: PathBuf,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// The file is searched all the same, with nothing left out.
    pub is_harmless: bool,
}

impl Fault {
    pub(super) fn new(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: None,
            problem: problem.into(),
            is_harmless: false,
        }
    }

    pub(super) fn harmless(self) -> Self {
        Self {
            is_harmless: true,
            ..self
        }
    }

    pub(super) fn at(self, line: usize) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.problem)
    }
}
