//! Whether requests should be sent here, and why not.

use serde::Serialize;

use crate::search;

/// What `/readyz` says.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    /// Ready: 200, else 503.
    pub(super) ready: bool,
    /// One sentence, such as what is being waited for.
    pub(super) reason: String,
    search: Search,
}

/// The state of the standards.
#[derive(Debug, Serialize)]
struct Search {
    /// Snapshots with vectors so far; 0 before the first.
    generation: u64,
    /// Passages that are searched.
    passages: usize,
    /// Passages that are found by their words only, or not at all because the model failed on them.
    vectors_missing: usize,
    /// Why the files of now could not be indexed.
    failure: Option<String>,
}

impl Readiness {
    pub(super) fn of(search: &search::Status, stopping: bool) -> Self {
        Self {
            ready: search.ready && !stopping,
            reason: match stopping {
                true => "stopping: open requests are finished".to_owned(),
                false => reason(search),
            },
            search: Search {
                generation: search.generation,
                passages: search.chunks,
                vectors_missing: search.vectors_missing(),
                failure: search.failure.as_deref().cloned(),
            },
        }
    }
}

fn reason(search: &search::Status) -> String {
    match (&search.progress, search.ready, &search.failure) {
        (_, true, Some(failure)) => {
            format!("ready, but the standards of now could not be indexed: {failure}")
        }
        (progress, true, None) if !search.vectors => {
            let progress = progress.unwrap_or_default();
            format!("keyword search answers; vectors are being made: {progress}")
        }
        (_, true, None) => "ready".to_owned(),
        (_, false, Some(failure)) => format!("the standards could not be indexed: {failure}"),
        (Some(progress), false, None) => format!("reading the standards: {progress}"),
        (None, false, None) => "starting".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_questions_are_answered_and_until_it_is_to_stop() {
        let begun = search::Status {
            ready: true,
            vectors: false,
            progress: None,
            files: 1,
            chunks: 1,
            faults: 0,
            generation: 0,
            inferred: 0,
            left_out: 0,
            failure: None,
            cache_failure: None,
        };
        let before = search::Status {
            ready: false,
            ..begun.clone()
        };

        for (status, stopping, ready) in [
            (&before, false, false),
            (&begun, false, true),
            (&begun, true, false),
        ] {
            let found = Readiness::of(status, stopping);
            assert_eq!(found.ready, ready, "{}", found.reason);
        }
    }
}
