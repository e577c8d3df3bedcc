//! Places in a source.

use std::{fmt, path::Path};

use crate::workflow::Fault;

/// A place in a source: line and column, counted from 1; 0 is unknown.
///
/// Places say nothing about a plan: two that differ by nothing else are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl Place {
    /// Returns the place that comes first.
    pub(super) fn min(self, other: Self) -> Self {
        if self.order() <= other.order() {
            self
        } else {
            other
        }
    }

    /// Returns the place that comes last.
    pub(super) fn max(self, other: Self) -> Self {
        if self.order() > other.order() {
            self
        } else {
            other
        }
    }

    /// Describes what is wrong here.
    pub(super) fn fault(self, file: &Path, problem: String) -> Fault {
        Fault::new(file, problem)
            .at_line(self.line)
            .at_column(self.column)
    }

    fn order(self) -> (u64, u64) {
        (self.line, self.column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)
    }
}

/// Finds places by byte offset.
#[derive(Debug)]
pub(super) struct Places<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    /// Returns the place of the character at byte `at`.
    pub(super) fn at(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at);
        let before = self.text.get(self.starts[line - 1]..at).unwrap_or_default();
        Place {
            line: line as u64,
            column: before.chars().count() as u64 + 1,
        }
    }
}
