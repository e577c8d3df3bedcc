//! What was said to the tokens of callers.

use std::sync::Arc;

use opentelemetry::metrics::Meter;

use crate::observed::{
    catalogue::{AUTH_DECISIONS, AUTH_RESULT},
    counters::Counters,
};

/// What was said to a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthDecision {
    /// Its caller is known.
    Ok,
    /// There was none.
    Missing,
    /// It does not count.
    Invalid,
    /// It counted once.
    Expired,
    /// It does not reach so far.
    Scope,
    /// Nobody could tell.
    Unavailable,
}

impl AuthDecision {
    /// Every decision, in the order of its counter.
    const ALL: [Self; 6] = [
        Self::Ok,
        Self::Missing,
        Self::Invalid,
        Self::Expired,
        Self::Scope,
        Self::Unavailable,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Scope => "scope",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Counts decisions, in cells of each thread's own: most are the same.
#[derive(Clone, Debug)]
pub struct AuthMetrics(Arc<Counters<{ AuthDecision::ALL.len() }>>);

impl AuthMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let decisions = Arc::new(Counters::new());
        let counted = Arc::clone(&decisions);
        AUTH_DECISIONS.observed::<u64>(meter, move |observe| {
            for decision in AuthDecision::ALL {
                let result = AUTH_RESULT.is(decision.as_str());
                observe(counted.sum(decision as usize), &[result]);
            }
        });
        Self(decisions)
    }

    /// Something was said to a token.
    pub fn decided(&self, decision: AuthDecision) {
        self.0.add(decision as usize);
    }
}
