//! Values as a message shows them: never longer than a line.

use std::{fmt, io};

use serde::Serialize;
use serde_json::Value;

/// The most characters of a value, or of a key that a caller made up, that a message repeats.
const MAX_CHARS: usize = 80;

/// Returns the JSON of `value`, shortened. Its time does not depend on the value's size.
pub(super) fn of_value(value: &(impl Serialize + ?Sized)) -> String {
    let mut written = Bounded(Vec::new());
    // It fails when there is enough.
    let _ = serde_json::to_writer(&mut written, value);
    shorten(&String::from_utf8_lossy(&written.0))
}

/// Returns `text`, shortened.
pub(super) fn shorten(text: &str) -> String {
    shorten_to(text, MAX_CHARS)
}

/// Returns `text`, shortened to so many characters.
pub(super) fn shorten_to(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Returns what `shown` says in its first line, shortened. Its time does not depend on the length.
pub(super) fn of_display(shown: &impl fmt::Display) -> String {
    let mut written = Bounded(Vec::new());
    // It fails when there is enough.
    let _ = io::Write::write_fmt(&mut written, format_args!("{shown}"));
    let text = String::from_utf8_lossy(&written.0);
    shorten(text.lines().next().unwrap_or_default())
}

/// Returns the name of a value's type.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Takes what may be needed, and ends the writing.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = MAX_CHARS * 4 + 4; // A character has at most 4 bytes; one more tells of a cut.
        let room = most.saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(&bytes[..room]);
        Ok(room) // Nothing taken of something: that is an error of its own.
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_shown_in_a_line_however_large_it_is() {
        let cases = [
            (json!(null), "null".to_owned()),
            (json!({ "a": [1, 2] }), r#"{"a":[1,2]}"#.to_owned()),
            (json!("x".repeat(1 << 20)), format!("\"{}…", "x".repeat(79))),
            (json!("é".repeat(200)), format!("\"{}…", "é".repeat(79))),
            (json!("🦀".repeat(200)), format!("\"{}…", "🦀".repeat(79))),
            (json!("line\nline"), "\"line\\nline\"".to_owned()),
        ];
        for (value, shown) in cases {
            assert_eq!(of_value(&value), shown);
        }
        assert!(of_value(&json!(vec![0; 100_000])).chars().count() == MAX_CHARS + 1);
    }
}
