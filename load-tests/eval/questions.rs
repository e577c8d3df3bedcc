//! Questions and where their answers are.

use std::fmt;

use anyhow::{Context as _, ensure};

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    /// Such as `paraphrase` or `identifier`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// The files below `standards/` that answer it; none if nothing does.
    pub(crate) files: Vec<String>,
    /// A part of the headings of the right passage, where that matters.
    pub(crate) section: Option<String>,
    pub(crate) half: Half,
}

/// What a question is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Half {
    /// What can be tuned is tuned on these.
    Tuning,
    /// These say how good it has become.
    Reported,
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tuning => "tuning",
            Self::Reported => "reported",
        })
    }
}

/// Reads lines of kind, question, files and section, parted by tabs. If the table `has_tuning`,
/// its questions 1, 3, … are for that.
pub(crate) fn parse(table: &str, has_tuning: bool) -> anyhow::Result<Vec<Question>> {
    let lines = table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let question = |(at, line): (usize, &str)| {
        let fields: Vec<_> = line.split('\t').collect();
        ensure!((3..=4).contains(&fields.len()), "not 3 or 4 fields");
        let files = fields[2].split(',').filter(|file| *file != "-");
        Ok(Question {
            kind: fields[0].to_owned(),
            text: fields[1].to_owned(),
            files: files.map(str::to_owned).collect(),
            section: fields.get(3).map(|section| (*section).to_owned()),
            half: if has_tuning && at % 2 == 0 {
                Half::Tuning
            } else {
                Half::Reported
            },
        })
    };
    let question = |(at, line)| question((at, line)).with_context(|| format!("line `{line}`"));
    lines.enumerate().map(question).collect()
}
