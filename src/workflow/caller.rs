//! Who makes a call, and what they say about why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Error;

/// The longest name of a client in characters: clients send what they like.
const MAX_CLIENT_CHARS: usize = 100;

/// The longest note in characters: a paragraph.
const MAX_NOTE_CHARS: usize = 2_000;

/// Who makes a call, as far as they say. It is shown and kept, and never trusted.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Caller {
    /// Name and version, such as `claude-code 1.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Arc<str>>,
    /// `http` or `stdio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transport: Option<Arc<str>>,
}

impl Caller {
    /// Names a caller. Of a long name the first 100 characters are kept, and of control
    /// characters none.
    pub fn new(client: Option<&str>, transport: &str) -> Self {
        let printable = |name: &str| -> String {
            let plain = name.chars().filter(|c| !c.is_control());
            plain.take(MAX_CLIENT_CHARS).collect()
        };
        let named = client.map(printable).filter(|name| !name.trim().is_empty());
        Self {
            client: named.map(|name| name.trim().into()),
            transport: Some(transport.into()),
        }
    }

    /// Returns name and version.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Returns the transport.
    pub fn transport(&self) -> Option<&str> {
        self.transport.as_deref()
    }
}

/// What a caller says about a change: why it is made, or where work was left.
///
/// Invariant: 1 to 2,000 characters, no blanks around them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Note(Arc<str>);

impl Note {
    /// Takes `text`, which is the argument `what` of a call.
    ///
    /// # Errors
    ///
    /// [`Error::Note`] if it is blank or too long.
    pub fn new(what: &'static str, text: &str) -> Result<Self, Error> {
        let text = text.trim();
        match text.chars().count() {
            1..=MAX_NOTE_CHARS => Ok(Self(text.into())),
            chars => Err(Error::Note {
                what,
                chars,
                most: MAX_NOTE_CHARS,
            }),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_s_name_is_kept_short_and_on_one_line() {
        let long = "x".repeat(1_000);
        let cases = [
            (Some("claude-code 1.2"), Some("claude-code 1.2".to_owned())),
            (Some(" a\nb\u{7} "), Some("ab".to_owned())),
            (Some(long.as_str()), Some("x".repeat(100))),
            (Some("\n"), None),
            (None, None),
        ];
        for (given, kept) in cases {
            let caller = Caller::new(given, "http");
            assert_eq!(caller.client(), kept.as_deref(), "{given:?}");
        }
    }

    #[test]
    fn a_note_has_something_to_say_and_an_end() {
        let (fits, long) = ("x".repeat(2_000), "x".repeat(2_001));
        let cases = [
            (" why ", Some("why")),
            (fits.as_str(), Some(fits.as_str())),
            (long.as_str(), None),
            (" \n", None),
        ];
        for (text, kept) in cases {
            let note = Note::new("reason", text).ok();
            assert_eq!(note.as_ref().map(Note::as_str), kept, "{text:?}");
        }
    }
}
