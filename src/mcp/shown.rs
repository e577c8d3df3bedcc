//! What callers sent, as error messages show it.

use serde_json::Value;

/// Characters that are shown of a text: enough to recognise it by.
const MOST_CHARS: usize = 60;

/// Returns the start of `text`, for messages: callers may send megabytes.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
    }
}

/// Returns `value` as JSON, or its start.
pub(super) fn shown(value: &Value) -> String {
    match value {
        // Not to render megabytes for the sake of 60 characters.
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(entries) => format!("an object of {}", entries.len()),
        Value::String(text) => format!("\"{}\"", shortened(text)),
        other => other.to_string(),
    }
}
