//! The keys of `metadata.json`: which there are, of what type, and who misses them.

use serde_json::{Map, Value};

/// A key that somebody reads.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether agents miss it. What the engine itself needs, it refuses to do without.
    pub(super) expected: bool,
}

/// What a value is.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Whole,
    Flag,
    Texts,
    Objects,
    Object,
    /// A number of phases, or `"dynamic"`.
    Total,
    /// A number, or a range such as `"1-N"`.
    Number,
    /// Whatever its author wants.
    Any,
}

const fn expected(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        expected: true,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Key {
    Key {
        name,
        shape,
        expected: false,
    }
}

/// The keys of the file, in the order of the format. The last dozen are read by nobody but are in
/// workflows written for the Python server.
pub(super) const WORKFLOW: &[Key] = &[
    expected("workflow_type", Shape::Text),
    expected("version", Shape::Text),
    expected("description", Shape::Text),
    optional("total_phases", Shape::Total),
    expected("estimated_duration", Shape::Text),
    expected("primary_outputs", Shape::Texts),
    optional("phases", Shape::Objects),
    optional("dynamic_phases", Shape::Flag),
    optional("dynamic_config", Shape::Object),
    optional("start_phase", Shape::Whole),
    optional("category", Shape::Text),
    optional("name", Shape::Text),
    optional("tags", Shape::Texts),
    optional("author", Shape::Any),
    optional("created", Shape::Any),
    optional("created_date", Shape::Any),
    optional("updated", Shape::Any),
    optional("target_language", Shape::Any),
    optional("quality_standards", Shape::Any),
    optional("quality_gates", Shape::Any),
    optional("workflow_features", Shape::Any),
    optional("core_utilities", Shape::Any),
    optional("usage", Shape::Any),
    optional("notes", Shape::Any),
];

/// The keys of an entry of `phases`.
pub(super) const PHASE: &[Key] = &[
    optional("phase_number", Shape::Number),
    expected("phase_name", Shape::Text),
    expected("purpose", Shape::Text),
    expected("estimated_effort", Shape::Text),
    expected("key_deliverables", Shape::Texts),
    expected("validation_criteria", Shape::Texts),
    optional("tasks", Shape::Objects),
    optional("task_execution", Shape::Any),
    optional("phase_file", Shape::Any),
    optional("checkpoint", Shape::Any),
    optional("skippable", Shape::Any),
    optional("skip_condition", Shape::Any),
];

/// The keys of an entry of `tasks`.
pub(super) const TASK: &[Key] = &[
    optional("task_number", Shape::Whole),
    expected("name", Shape::Text),
    optional("file", Shape::Text),
    optional("purpose", Shape::Text),
];

/// The keys of `dynamic_config`.
pub(super) const DYNAMIC: &[Key] = &[
    expected("source_type", Shape::Text),
    optional("source_path_key", Shape::Text),
    optional("templates", Shape::Object),
    optional("parser", Shape::Text),
    optional("iteration_logic", Shape::Any),
    optional("variables", Shape::Any),
];

impl Shape {
    /// Says whether `value` has the shape.
    pub(super) fn admits(self, value: &Value) -> bool {
        let all = |of: fn(&Value) -> bool| value.as_array().is_some_and(|all| all.iter().all(of));
        match self {
            Self::Text => value.is_string(),
            Self::Whole => value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::Texts => all(Value::is_string),
            Self::Objects => all(Value::is_object),
            Self::Object => value.is_object(),
            Self::Total => value.is_u64() || value == "dynamic",
            Self::Number => value.is_u64() || value.is_string(),
            Self::Any => true,
        }
    }

    /// Returns what is expected, in words.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Whole => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "a list of strings",
            Self::Objects => "a list of objects",
            Self::Object => "an object",
            Self::Total => "a whole number or \"dynamic\"",
            Self::Number => "a whole number or a range such as \"1-N\"",
            Self::Any => "anything",
        }
    }
}

/// Returns the keys that are expected and not there.
pub(super) fn missing(object: &Map<String, Value>, keys: &[Key]) -> Vec<&'static str> {
    let absent = |key: &&Key| key.expected && !object.contains_key(key.name);
    keys.iter().filter(absent).map(|key| key.name).collect()
}

/// Returns the known key that `name` is most likely meant to be.
pub(super) fn nearest(name: &str, keys: &[Key]) -> Option<&'static str> {
    /// More slips than this make another word.
    const MOST_SLIPS: usize = 2;
    let slips = |key: &Key| (distance(name, key.name), key.name);
    let nearest = keys.iter().map(slips).min()?;
    (nearest.0 <= MOST_SLIPS).then_some(nearest.1)
}

/// Counts the letters to be changed, added or left out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, with) in other.iter().enumerate() {
            let kept = diagonal + usize::from(letter != *with);
            diagonal = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_known_for_what_it_is() {
        let cases = [
            ("estimated_durration", Some("estimated_duration")),
            ("worfklow_type", Some("workflow_type")),
            ("version_", Some("version")),
            ("owner", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, WORKFLOW), expected, "{name}");
        }
    }
}
