//! `current_date`: what a model cannot know. Fields as the Python server's.

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

/// The date and time of this machine.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct DateView {
    /// `2025-10-23`
    iso_date: String,
    /// `2025-10-23T14:30:00.123456+02:00`
    iso_datetime: String,
    day_of_week: String,
    month: String,
    year: i16,
    /// Seconds since 1970-01-01 UTC.
    unix_timestamp: i64,
    formatted: Formatted,
    usage_note: &'static str,
}

/// The date as documents have it.
#[derive(Debug, JsonSchema, Serialize)]
struct Formatted {
    /// `2025-10-23-`, the start of a folder's name.
    spec_directory: String,
    /// `**Date**: 2025-10-23`
    header: String,
    /// `October 23, 2025`
    readable: String,
}

/// Renders `now`.
pub(super) fn view(now: &ZonedDateTime) -> DateView {
    let date = now.strftime("%Y-%m-%d").to_string();
    DateView {
        iso_datetime: now.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        day_of_week: now.strftime("%A").to_string(),
        month: now.strftime("%B").to_string(),
        year: now.year(),
        unix_timestamp: now.timestamp().as_second(),
        formatted: Formatted {
            spec_directory: format!("{date}-"),
            header: format!("**Date**: {date}"),
            readable: now.strftime("%B %-d, %Y").to_string(),
        },
        iso_date: date,
        usage_note: "use iso_date wherever a document needs a date",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_given_in_every_form_that_documents_use() {
        let now: ZonedDateTime = "2025-10-03T14:30:00.123456[Europe/Berlin]".parse().unwrap();

        let view = serde_json::to_value(view(&now)).unwrap();

        assert_eq!(view["iso_date"], "2025-10-03");
        assert_eq!(view["iso_datetime"], "2025-10-03T14:30:00.123456+02:00");
        assert_eq!(view["day_of_week"], "Friday");
        assert_eq!(view["unix_timestamp"], 1_759_494_600);
        assert_eq!(view["formatted"]["spec_directory"], "2025-10-03-");
        assert_eq!(view["formatted"]["readable"], "October 3, 2025");
    }
}
