//! Names from outside, bounded in number.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::StringValue;

/// The name of all that came after the others.
const OTHER: &str = "other";

/// The first names that came; all others are `other`.
#[derive(Clone, Debug)]
pub(super) struct Names {
    known: Arc<Mutex<Vec<Arc<str>>>>,
    most: usize,
}

impl Names {
    /// Keeps `most` names apart.
    pub(super) fn at_most(most: usize) -> Self {
        Self {
            known: Arc::default(),
            most,
        }
    }

    /// Returns `name` if it is one of the first, else `other`.
    pub(super) fn bounded(&self, name: &str) -> StringValue {
        // Held for a look through a short list, never across an await.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(|known| &***known == name) {
            return Arc::clone(known).into();
        }
        if known.len() >= self.most {
            return OTHER.into();
        }
        let name: Arc<str> = name.into();
        known.push(Arc::clone(&name));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_first_are_other_and_the_first_stay_what_they_are() {
        let names = Names::at_most(2);

        let bounded = ["a", "b", "c", "a", "d"].map(|name| names.bounded(name).to_string());

        assert_eq!(bounded, ["a", "b", "other", "a", "other"]);
    }
}
