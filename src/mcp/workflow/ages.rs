//! How long sessions live, in words for the tool's description.

use std::time::Duration;

use crate::workflow::Engine;

/// Says how long sessions live, where that is not for ever.
pub(in crate::mcp) fn ages(engine: &Engine) -> String {
    let expires = engine.session_ttl().map(|ttl| {
        let ttl = spoken(ttl);
        format!(" An unfinished session that nobody changes for {ttl} expires.")
    });
    let removed = engine.retention().map(|retention| {
        let retention = spoken(retention);
        format!(" A finished or expired one is removed {retention} after its last change.")
    });
    [expires, removed].into_iter().flatten().collect()
}

/// Returns `age` in the largest unit that it is a whole number of.
fn spoken(age: Duration) -> String {
    let units = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let secs = age.as_secs();
    let unit = units
        .into_iter()
        .find(|(unit, _)| secs.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "second"));
    match secs / unit {
        1 => format!("1 {name}"),
        number => format!("{number} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_largest_unit_that_fits() {
        let cases = [
            (604_800, "7 days"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (90, "90 seconds"),
            (60, "1 minute"),
        ];
        for (secs, told) in cases {
            assert_eq!(spoken(Duration::from_secs(secs)), told);
        }
    }
}
