//! Identifiers of the workflow domain. Each is parsed once, at the door.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest name of a workflow in bytes: it names a directory, and file systems end at 255.
const MAX_WORKFLOW_TYPE_BYTES: usize = 128;

/// The longest target in bytes: what Linux accepts as a path.
const MAX_TARGET_FILE_BYTES: usize = 4_096;

/// Characters of a session's id.
const SESSION_ID_CHARS: usize = 36;

/// Identifies one workflow session, and names its file.
///
/// Invariant: 36 characters of `0-9`, `a-f` and `-`, wherever the hyphens are, as the Python
/// server has it. Ours are random UUIDs, so that nobody guesses one.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId([u8; SESSION_ID_CHARS]);

/// A string that is not a session's id.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not a session id: use the 36 characters that `start` returned", shortened(.0))]
pub struct InvalidSessionId(String);

impl SessionId {
    /// Draws a fresh id.
    #[expect(clippy::new_without_default, reason = "each call gives another value")]
    pub fn new() -> Self {
        let mut id = [0; SESSION_ID_CHARS];
        Uuid::new_v4().hyphenated().encode_lower(&mut id);
        Self(id)
    }

    /// Returns the byte that the first two characters are in hexadecimal, which spreads ids
    /// evenly; a hyphen counts as 0.
    pub(super) fn stripe(self) -> u8 {
        let digit = |at: usize| char::from(self.0[at]).to_digit(16).unwrap_or_default() as u8;
        digit(0) << 4 | digit(1)
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("all are ASCII")
    }
}

impl TryFrom<&str> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let allowed = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        match text.as_bytes().try_into() {
            Ok(id) if text.as_bytes().iter().all(allowed) => Ok(Self(id)),
            _ => Err(InvalidSessionId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::try_from(text.as_str())
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of an installed workflow.
///
/// Invariant: one path component of letters, digits, `_`, `-` and `.` that starts with a letter
/// or a digit, so that it can name a directory and nothing else.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct WorkflowType(Arc<str>);

/// A string that cannot name a workflow.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{}` cannot name a workflow: use 1 to {MAX_WORKFLOW_TYPE_BYTES} of a-z, A-Z, 0-9, `_`, `-` \
     and `.`, the first a letter or a digit",
    shortened(.0)
)]
pub struct InvalidWorkflowType(String);

impl WorkflowType {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for WorkflowType {
    type Error = InvalidWorkflowType;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let starts_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if starts_well && name.len() <= MAX_WORKFLOW_TYPE_BYTES && name.bytes().all(allowed) {
            return Ok(Self(name.into()));
        }
        Err(InvalidWorkflowType(name.to_owned()))
    }
}

impl TryFrom<String> for WorkflowType {
    type Error = InvalidWorkflowType;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::try_from(name.as_str())
    }
}

impl fmt::Display for WorkflowType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a session works on: a path relative to the agent's workspace.
///
/// Invariant: it cannot lead out of a directory that it is joined to, in any spelling.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct TargetFile(Arc<str>);

/// A string that cannot be a target.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be a target file: {rule}", shortened(.target))]
pub struct InvalidTargetFile {
    target: String,
    rule: &'static str,
}

impl TargetFile {
    /// Returns the path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for TargetFile {
    type Error = InvalidTargetFile;

    fn try_from(target: &str) -> Result<Self, Self::Error> {
        let bytes = target.as_bytes();
        let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        let encoded =
            |three: &[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
        let broken = [
            (target.trim().is_empty(), "it is empty"),
            (
                bytes.len() > MAX_TARGET_FILE_BYTES,
                "it is longer than 4,096 bytes",
            ),
            (
                target.contains(char::is_control),
                "it holds a control character",
            ),
            (target.contains(".."), "it holds `..`"),
            (
                target.starts_with(['/', '\\', '~']) || drive,
                "use a path relative to the workspace",
            ),
            (bytes.windows(3).any(encoded), "it is percent-encoded"),
        ];
        match broken.into_iter().find(|(broken, _)| *broken) {
            None => Ok(Self(target.into())),
            Some((_, rule)) => Err(InvalidTargetFile {
                target: target.to_owned(),
                rule,
            }),
        }
    }
}

impl TryFrom<String> for TargetFile {
    type Error = InvalidTargetFile;

    fn try_from(target: String) -> Result<Self, Self::Error> {
        Self::try_from(target.as_str())
    }
}

impl fmt::Display for TargetFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a phase in its workflow.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct Phase(pub u32);

impl Phase {
    /// Returns the phase after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the start of `text`, for messages: callers may send megabytes.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        None => text.escape_debug().to_string(),
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_type_is_one_safe_path_component() {
        let long = "a".repeat(129);
        let cases = [
            ("spec_creation_v1", true),
            ("Spec-1.2", true),
            ("", false),
            (".", false),
            ("..", false),
            (".hidden", false),
            ("a/b", false),
            ("a\\b", false),
            ("a\0", false),
            ("ä", false),
            (long.as_str(), false),
        ];
        for (name, valid) in cases {
            assert_eq!(WorkflowType::try_from(name).is_ok(), valid, "{name:?}");
        }
    }

    #[test]
    fn a_target_file_stays_below_whatever_it_is_joined_to() {
        let long = "a".repeat(4_097);
        let cases = [
            ("src/a.py", true),
            ("routes/$id.tsx", true),
            ("100%.md", true),
            ("", false),
            ("  ", false),
            ("../a", false),
            ("a/../../b", false),
            ("/etc/passwd", false),
            ("\\\\host\\share", false),
            ("C:\\a", false),
            ("c:/a", false),
            ("~/a", false),
            ("a\0b", false),
            ("%2e%2e/a", false),
            ("a%2Fb", false),
            (long.as_str(), false),
        ];
        for (target, valid) in cases {
            assert_eq!(TargetFile::try_from(target).is_ok(), valid, "{target:?}");
        }
    }

    #[test]
    fn a_session_id_has_one_spelling() {
        let id = "0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3b";
        let upper = id.to_uppercase();
        let plain = id.replace('-', "");
        let cases = [
            (id, true),
            (upper.as_str(), false),
            (plain.as_str(), false),
            ("000000000000000000000000000000000000", true),
            ("------------------------------------", true),
            ("0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3b\n", false),
            ("0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3", false),
            ("0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a/b", false),
            ("../../../../../../../../../etc/passwd", false),
            ("", false),
        ];
        for (text, valid) in cases {
            let id = SessionId::try_from(text).ok();
            assert_eq!(id.is_some(), valid, "{text:?}");
            assert!(id.is_none_or(|id| id.to_string() == text));
        }
        let drawn = SessionId::new().to_string();
        assert!(Uuid::try_parse(&drawn).is_ok_and(|id| id.get_version_num() == 4));
    }

    #[test]
    fn a_stripe_is_what_an_id_begins_with() {
        let cases = [("0d", 0x0d), ("ff", 0xff), ("--", 0), ("7-", 0x70)];
        for (start, stripe) in cases {
            let id = SessionId::try_from(format!("{start}{}", "0".repeat(34))).unwrap();
            assert_eq!(id.stripe(), stripe, "{start}");
        }
    }
}
