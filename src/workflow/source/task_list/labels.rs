//! Labelled lines, such as `**Estimated Time**: 2 hours`, and check boxes.

use super::super::plan::TaskId;

/// What separates a label from its value where it is not a colon; blanks stand around it.
const DASHES: [char; 4] = ['-', '–', '—', '−'];

/// A line that names something and says what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Labelled<'a> {
    key: &'a str,
    /// What follows the separator; may be empty.
    pub(super) value: &'a str,
}

impl<'a> Labelled<'a> {
    /// Splits `LABEL SEP VALUE`; the separator is the first colon, or else the first dash with
    /// blanks around it.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let line = bare(line);
        let colon = line.split_once(':');
        let dash = || {
            let dashes = line.char_indices().filter(|(_, c)| DASHES.contains(c));
            let spaced = |(at, c): (usize, char)| {
                let (key, value) = (&line[..at], &line[at + c.len_utf8()..]);
                (key.ends_with(' ') && value.starts_with(' ')).then_some((key, value))
            };
            dashes.filter_map(spaced).next()
        };
        let (key, value) = colon.or_else(dash)?;
        // `Estimated time (human): 2 hours`.
        let key = key.trim().trim_end_matches('*');
        let key = match key.strip_suffix(')').and_then(|key| key.rsplit_once('(')) {
            Some((key, _)) => key.trim(),
            None => key,
        };
        let value = value.trim_matches(|c: char| c.is_whitespace() || c == '*');
        Some(Self { key, value })
    }

    /// Says whether the label ends with one of `names`, which are in lower case.
    pub(super) fn is(&self, names: &[&str]) -> bool {
        let key = self.key.to_lowercase();
        names.iter().any(|name| {
            key.strip_suffix(name)
                .is_some_and(|before| !before.ends_with(char::is_alphanumeric))
        })
    }
}

/// Returns the value of the label, if `line` has one of `names`.
pub(super) fn value<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let labelled = Labelled::of(line).filter(|labelled| labelled.is(names))?;
    Some(labelled.value)
}

/// Returns what follows the check box that `line` starts with, ticked or not.
pub(super) fn after_box(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start();
    let boxes = ["[ ]", "[x]", "[X]", "[]"];
    let rest = boxes.iter().find_map(|open| line.strip_prefix(open))?;
    // `[x](url)` is a link.
    let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
    apart.then_some(rest.trim())
}

/// Returns `line` from its first letter or digit on: without check box, emoji and marks.
pub(super) fn bare(line: &str) -> &str {
    let line = after_box(line).unwrap_or(line);
    line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '`')
        .trim_end()
}

/// Takes the value of `Dependencies` apart: ids of tasks, or else words.
pub(super) fn dependencies(value: &str) -> Vec<String> {
    let ids = ids(value);
    if !ids.is_empty() {
        return ids.iter().map(ToString::to_string).collect();
    }
    let none = |word: &str| {
        let word = word.trim_end_matches('.').to_lowercase();
        word.is_empty() || ["none", "n/a", "nothing", "-", "–", "—"].contains(&word.as_str())
    };
    let words = value.split(',').map(str::trim);
    words
        .filter(|word| !none(word))
        .map(str::to_owned)
        .collect()
}

/// Finds the ids in a list of tasks: `1.1`, `Task 1.1`, `Tasks 1.1 and 1-2 (the schema)`. A number
/// that belongs to another word, as in `Python 3.11`, is none.
fn ids(value: &str) -> Vec<TaskId> {
    const BEFORE: [&str; 8] = ["task", "tasks", "and", "or", "on", "of", "from", "after"];
    let mut ids: Vec<TaskId> = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let before = rest[..at].trim_end_matches(|c: char| c.is_whitespace() || "#*`".contains(c));
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next();
        let word = word.unwrap_or_default().to_lowercase();
        let listed = word.is_empty() || BEFORE.contains(&word.as_str());
        let (id, end) = id_at(&rest[at..]);
        if let Some(id) = id.filter(|id| listed && !ids.contains(id)) {
            ids.push(id);
        }
        rest = &rest[at + end..];
    }
    ids
}

/// Reads `N.M` or `N-M`, and says where the number ends. `N.M.K` and `N.Mx` are none.
pub(super) fn id_at(text: &str) -> (Option<TaskId>, usize) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let Some(mark) = text[whole..]
        .chars()
        .next()
        .filter(|mark| ['.', '-', '−', '–'].contains(mark))
    else {
        return (None, whole.max(1));
    };
    let from = whole + mark.len_utf8();
    let end = from + digits(&text[from..]);
    let mut after = text[end..].chars();
    let (next, second) = (after.next(), after.next());
    let goes_on = next.is_some_and(char::is_alphanumeric)
        || next == Some('.') && second.is_some_and(|c| c.is_ascii_digit());
    let parsed = (text[..whole].parse(), text[from..end].parse());
    match parsed {
        (Ok(phase), Ok(task)) if !goes_on => (Some(TaskId { phase, task }), end),
        _ => (None, end.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_stands_before_the_separator() {
        let cases = [
            (
                "Estimated Time: 2 hours",
                &["estimated time"],
                Some("2 hours"),
            ),
            (
                "**Goal** — a working schema",
                &["goal"],
                Some("a working schema"),
            ),
            ("Phase Goal: x: y", &["goal"], Some("x: y")),
            (
                "Estimated time (human): 2h",
                &["estimated time"],
                Some("2h"),
            ),
            (
                "Objective - on-going work",
                &["objective"],
                Some("on-going work"),
            ),
            ("Goal − minus", &["goal"], Some("minus")),
            ("Goal:", &["goal"], Some("")),
            ("Runtime: python", &["time"], None),
            ("The goal is clear", &["goal"], None),
            ("non-goal", &["goal"], None),
        ];
        for (line, names, expected) in cases {
            assert_eq!(value(line, names), expected, "{line}");
        }
    }

    #[test]
    fn a_check_box_is_one_ticked_or_not() {
        let cases = [
            ("[ ] open", Some("open")),
            ("[x] done", Some("done")),
            ("[X] done", Some("done")),
            ("- [ ] in text", Some("in text")),
            ("[x](a.md)", None),
            ("[y] no", None),
            ("plain", None),
        ];
        for (line, expected) in cases {
            assert_eq!(after_box(line), expected, "{line}");
        }
    }

    #[test]
    fn dependencies_are_ids_or_else_words() {
        let cases: [(&str, &[&str]); 12] = [
            ("None", &[]),
            ("none.", &[]),
            ("n/a", &[]),
            ("", &[]),
            ("1.1", &["1.1"]),
            ("Task 1.1, Task 1.2", &["1.1", "1.2"]),
            ("Tasks 1-1 and 2.3 (the schema)", &["1.1", "2.3"]),
            ("Task 2.5 (from previous phase), 2.5", &["2.5"]),
            ("**Task 1.1**; 1.2", &["1.1", "1.2"]),
            ("Python 3.11", &["Python 3.11"]),
            ("the schema, a review", &["the schema", "a review"]),
            ("Task 1.1 on Python 3.11", &["1.1"]),
        ];
        for (value, expected) in cases {
            assert_eq!(dependencies(value), expected, "{value}");
        }
    }
}
