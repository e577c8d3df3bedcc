//! Which headings and lines open a phase or a task.

use super::{
    super::plan::TaskId,
    labels::{Labelled, after_box, bare, id_at},
    outline::{Kind, Line},
};

/// What stands between a number and a name.
const SEPARATORS: [char; 7] = [':', '.', '-', '–', '—', '−', ')'];

/// A heading that opens a phase.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PhaseHead {
    pub(super) number: u32,
    pub(super) name: String,
}

/// What a heading is to the phases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Heading {
    /// `Phase 1: Name`.
    Phase(PhaseHead),
    /// `1. Name`, which opens a phase where no other heading does.
    Numbered(PhaseHead),
    /// `Phase 1.5: Name`: a phase's number is whole.
    Fraction(String),
    /// Something else.
    Other,
}

/// A line that opens a task.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct TaskHead {
    pub(super) id: TaskId,
    pub(super) name: String,
    /// Whether it can be nothing else. A weak one may be prose: it counts if its id is of the
    /// open phase and not taken.
    pub(super) strong: bool,
}

/// Judges the text of a heading.
pub(super) fn phase_heading(text: &str) -> Heading {
    let text = bare(text);
    let lower = text.to_ascii_lowercase();
    let Some(at) = find_word(&lower, "phase") else {
        return numbered(text);
    };
    // Further in, the word may be about a task's phase.
    if at > 0 && lower.contains("task") {
        return Heading::Other;
    }
    let after = text[at + "phase".len()..].trim_start_matches([' ', '#', '*']);
    match after.starts_with(|c: char| c.is_ascii_digit()) {
        true => worded(after),
        false => numbered(text),
    }
}

fn worded(after: &str) -> Heading {
    let (digits, rest) = leading_number(after);
    if rest.starts_with('.') && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        let end = rest[1..].find(|c: char| !c.is_ascii_digit());
        let fraction = &rest[..end.map_or(rest.len(), |end| end + 1)];
        return Heading::Fraction(format!("{digits}{fraction}"));
    }
    head(digits, rest).map_or(Heading::Other, Heading::Phase)
}

/// `1. Name`, `1) Name`, `1: Name`; not `1.2 Name`, `2024 Roadmap`, `Chapter 7 notes`.
fn numbered(text: &str) -> Heading {
    let (digits, rest) = leading_number(text);
    match digits.is_empty() || text.to_ascii_lowercase().contains("task") {
        true => Heading::Other,
        false => head(digits, rest).map_or(Heading::Other, Heading::Numbered),
    }
}

fn head(digits: &str, rest: &str) -> Option<PhaseHead> {
    let after = rest.trim_start().strip_prefix(SEPARATORS)?;
    // `Phases 1-3: Overview` and `1.2 Name` are about something else.
    let goes_on = after.starts_with(|c: char| c.is_ascii_digit()) && !rest.starts_with([' ', ':']);
    if goes_on {
        return None;
    }
    let name = after.trim_matches(|c: char| c.is_whitespace() || "*:-".contains(c));
    let number = digits.parse().ok()?;
    (!name.is_empty()).then(|| PhaseHead {
        number,
        name: name.to_owned(),
    })
}

fn leading_number(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Finds `word` where no letter or digit touches it; a plural does not count.
fn find_word(lower: &str, word: &str) -> Option<usize> {
    lower.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = lower[..*at].chars().next_back();
        let after = lower[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphabetic)
    })
}

/// Judges the first line of a heading, a paragraph or an item.
pub(super) fn task_head(line: &Line) -> Option<TaskHead> {
    if line.continues || line.depth > 0 && line.kind == Kind::Paragraph {
        return None;
    }
    let heading = matches!(line.kind, Kind::Heading(_));
    let text = bare(&line.text);
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("task") {
        let after = text["task".len()..].trim_start_matches([' ', '#', ':', '*']);
        return with_word(after, line.kind);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return without_word(text, line);
    }
    if heading {
        let at = find_word(&lower, "task")?;
        let after = text[at + "task".len()..].trim_start_matches([' ', '#', ':', '*']);
        return with_word(after, line.kind);
    }
    mentioned(text)
}

/// `1.2: name`, after the word.
fn with_word(after: &str, kind: Kind) -> Option<TaskHead> {
    let (id, end) = id_at(after);
    let id = id?;
    let rest = after[end..].trim_start();
    let separated = rest.is_empty() || rest.starts_with(SEPARATORS);
    let strong = separated || matches!(kind, Kind::Heading(_));
    // `- Task 1.1 must be done first` speaks of a task.
    if !strong && kind == Kind::Item {
        return None;
    }
    Some(TaskHead {
        id,
        name: name_or_id(rest, id),
        strong,
    })
}

/// `1.2 name`, without the word.
fn without_word(text: &str, line: &Line) -> Option<TaskHead> {
    let (id, end) = id_at(text);
    let id = id?;
    let rest = text[end..].trim_start();
    let marked = after_box(&line.text).is_some() || rest.starts_with(':');
    let fits = line.kind != Kind::Item || marked;
    let name = name_of(rest);
    (fits && !name.is_empty()).then(|| TaskHead {
        id,
        name: name.to_owned(),
        strong: false,
    })
}

/// `… Task 1.2: name`, as written, in a line that is no label's.
fn mentioned(text: &str) -> Option<TaskHead> {
    const LABELS: [&str; 6] = [
        "dependencies",
        "depends on",
        "requires",
        "after",
        "criteria",
        "gate",
    ];
    if Labelled::of(text).is_some_and(|labelled| labelled.is(&LABELS)) {
        return None;
    }
    let (_, after) = text.split_once("Task ")?;
    let (id, end) = id_at(after);
    let (id, rest) = (id?, after[end..].strip_prefix(':')?);
    Some(TaskHead {
        id,
        name: name_or_id(rest, id),
        strong: false,
    })
}

fn name_or_id(rest: &str, id: TaskId) -> String {
    match name_of(rest) {
        "" => format!("Task {id}"),
        name => name.to_owned(),
    }
}

/// Returns what follows the separator; the name may begin with a mark of its own.
fn name_of(rest: &str) -> &str {
    let blank = |c: char| c.is_whitespace() || c == '*';
    let rest = rest.trim_matches(blank);
    let rest = rest
        .strip_prefix(SEPARATORS)
        .unwrap_or(rest)
        .trim_start_matches(blank);
    rest.strip_prefix("- ")
        .unwrap_or(rest)
        .trim_start_matches(blank)
}
