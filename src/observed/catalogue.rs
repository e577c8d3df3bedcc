//! Every instrument of ours: name, kind, unit, description, attributes with their values, buckets.
//!
//! Instruments are made from these tables and from nothing else, so what the process exports,
//! what `lockstep telemetry` prints and what dashboards and alerts are checked against cannot
//! differ. Names follow OpenTelemetry: dotted, without a unit; times are in seconds. The values of
//! an attribute are named here or bounded in number: no key, query, path, caller or session id.

mod buckets;
mod caches;
mod instrument;
mod locks;
mod process;
mod requests;
mod search;
mod sessions;
mod store;

pub use caches::*;
pub use instrument::{Attribute, Instrument, Kind, Number, Values};
pub use locks::*;
pub use process::*;
pub use requests::*;
pub use search::*;
pub use sessions::*;
pub use store::*;

/// The instruments by what they are about, in the order in which people read them.
pub static TOPICS: [Topic; 7] = [
    Topic::new("Requests", OF_REQUESTS),
    Topic::new("Caches", OF_CACHES),
    Topic::new("Locks and waits", OF_LOCKS),
    Topic::new("Sessions and workflows", OF_SESSIONS),
    Topic::new("Search", OF_SEARCH),
    Topic::new("Store", OF_STORE),
    Topic::new("Process and runtime", OF_PROCESS),
];

/// Instruments that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What they are about.
    pub title: &'static str,
    /// The instruments.
    pub instruments: &'static [&'static Instrument],
}

impl Topic {
    const fn new(title: &'static str, instruments: &'static [&'static Instrument]) -> Self {
        Self { title, instruments }
    }
}

/// Returns every instrument.
pub fn all() -> impl Iterator<Item = &'static Instrument> {
    let instruments = |topic: &'static Topic| topic.instruments.iter().copied();
    TOPICS.iter().flat_map(instruments)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_units_and_descriptions_are_such_that_promtool_has_no_complaint() {
        let mut names = HashSet::new();
        for instrument in all() {
            let name = instrument.name;
            assert!(names.insert(name), "{name} is there twice");
            let fits = |c: char| c.is_ascii_lowercase() || c == '.' || c == '_';
            assert!(name.chars().all(fits), "{name}");
            assert!(instrument.description.ends_with('.'), "{name}");
            let unitless = ["lockstep.build.info", "lockstep.ready"].contains(&name);
            assert_eq!(instrument.unit.is_empty(), unitless, "{name}");
            assert_ne!(instrument.unit, "1", "{name} would be a ratio");
            let is_histogram = instrument.kind == Kind::Histogram;
            assert_eq!(instrument.boundaries.is_empty(), !is_histogram, "{name}");
            assert!(instrument.boundaries.is_sorted(), "{name}");
        }
    }

    #[test]
    fn no_instrument_can_have_more_than_300_series() {
        for instrument in all() {
            let series: usize = instrument.attributes.iter().map(|a| a.most()).product();
            let buckets = instrument.boundaries.len();
            // Those of requests: methods, tools and outcomes go together in few ways.
            if !instrument.correlated {
                assert!(
                    series <= 300,
                    "{}: {series}, {buckets} buckets",
                    instrument.name
                );
            }
        }
    }
}
