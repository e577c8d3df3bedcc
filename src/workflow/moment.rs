//! Points in time as session files have them.

use std::{fmt, sync::Arc, time::Duration};

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize, Serializer};

/// A point in time, and how it was written.
///
/// The Python server writes local times without an offset; this one writes RFC 3339 with one.
/// Both are read, and written back as they were.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Moment {
    text: Arc<str>,
    at: Timestamp,
}

/// A string that is no point in time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an ISO 8601 time")]
pub struct InvalidMoment(String);

impl Moment {
    /// Reads the clock.
    pub fn now() -> Self {
        Self::from(Timestamp::now())
    }

    /// Returns the instant, by which moments are ordered.
    pub fn instant(&self) -> Timestamp {
        self.at
    }

    /// Says whether more than `age` lies between this and `now`.
    pub(super) fn is_over(&self, age: Duration, now: Timestamp) -> bool {
        let between = now.duration_since(self.at);
        between.is_positive() && between.unsigned_abs() > age
    }

    /// Returns the text, as it is in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        // What is read back is what was written.
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        // Six digits and a numeric offset: what every Python since 3.7 reads back.
        let text = at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
        Self {
            text: text.into(),
            at,
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = InvalidMoment;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let with_offset = text.parse::<Timestamp>().ok();
        let local = || {
            let naive = text.parse::<civil::DateTime>().ok()?;
            TimeZone::system().to_timestamp(naive).ok()
        };
        match with_offset.or_else(local) {
            Some(at) => Ok(Self {
                text: text.into(),
                at,
            }),
            None => Err(InvalidMoment(text)),
        }
    }
}

/// Without a copy: a session's file has dozens.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_with_and_without_an_offset_and_written_back_as_it_was() {
        let cases = [
            ("2025-10-13T10:00:00.123456", true),
            ("2025-10-13T10:00:00", true),
            ("2025-10-13T10:00:00.123456+00:00", true),
            ("2025-10-13T10:00:00Z", true),
            ("yesterday", false),
            ("", false),
        ];
        for (text, valid) in cases {
            let moment = Moment::try_from(text.to_owned()).ok();
            assert_eq!(moment.is_some(), valid, "{text:?}");
            assert!(moment.is_none_or(|moment| moment.as_str() == text));
        }
    }
}
