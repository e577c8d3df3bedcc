//! What is wrong with a file of the content.

use std::{fmt, path::PathBuf};

/// Something wrong in the content, at the place where its author mends it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Fault {
    /// The file, below the content's root where it is known.
    pub path: PathBuf,
    /// The line, counted from 1, where it is known.
    pub line: Option<u64>,
    /// The column in characters, counted from 1, where it is known.
    pub column: Option<u64>,
    /// What is wrong, and what is expected.
    pub problem: String,
}

impl Fault {
    /// Describes a fault of a whole file.
    pub fn new(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line: None,
            column: None,
            problem: problem.into(),
        }
    }

    /// Says where in the file it is; 0 stands for unknown.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }

    /// Says where in the line it is; 0 stands for unknown.
    #[must_use]
    pub fn at_column(mut self, column: u64) -> Self {
        self.column = (column > 0).then_some(column);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
        }
        write!(f, " {}", self.problem)
    }
}

impl std::error::Error for Fault {}
