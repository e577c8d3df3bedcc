//! What the engine reports of sessions, beside what its caches and locks report by themselves.

use std::{sync::Arc, time::Duration};

use tracing::{debug, warn};

use super::Engine;
use crate::{
    observed::{
        metrics::{End, GateResult, Refusal, Transition},
        until_dropped,
    },
    workflow::{Error, Moment, Session, Status, gate::Verdict},
};

/// Time between two counts of the sessions: what Prometheus's default interval asks for.
const COUNT: Duration = Duration::from_secs(15);

impl Engine {
    /// Counts the unfinished sessions every 15 seconds, until the engine is dropped.
    pub fn count_regularly(self: &Arc<Self>) {
        tokio::spawn(until_dropped(Arc::downgrade(self), COUNT, count));
    }

    /// Counts why a start or a change was refused, if it was for a rule about sessions. What
    /// operators can do something about is logged, too.
    pub(super) fn note_refusal<T>(&self, changed: &Result<T, Arc<Error>>) {
        let Err(error) = changed else { return };
        let Some(why) = refusal(error) else { return };
        self.metrics.refused(why);
        if Refusal::OF_OPERATORS.contains(&why)
            && let Some(suppressed) = self.refusals.occurs()
        {
            warn!(
                name: "lockstep.session.refused",
                { error = &**error as &dyn std::error::Error, suppressed },
                "a session was not started or changed"
            );
        }
    }

    /// Reports the completion of a phase, if the gate let it pass.
    pub(super) fn note_completion(&self, before: &Session, after: &Session, verdict: &Verdict) {
        if !verdict.passed {
            return;
        }
        let workflow = after.workflow.as_str();
        debug!(
            name: "lockstep.session.phase_completed",
            { session.id = %after.id, workflow.type = workflow, overridden = verdict.overridden.is_some() },
            "a phase was completed"
        );
        self.metrics.moved(workflow, Transition::Completed);
        let open = time_between(before.opened_at(), &after.updated_at);
        self.metrics.phase_took(workflow, open);
        if after.is_complete() {
            self.metrics.ended(End::Completed);
        }
    }
}

async fn count(engine: Arc<Engine>) {
    match engine.statistics().await {
        Ok(statistics) => {
            let over = [Status::Completed, Status::Expired].map(|over| statistics.of(over));
            let active = statistics.total() - over.iter().sum::<usize>();
            engine.metrics.active(active as u64);
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            warn!(
                name: "lockstep.session.count_failed",
                { error },
                "sessions could not be counted; the next count tries again"
            );
        }
    }
}

/// Classifies what a gate said.
pub(super) fn gate_result(verdict: &Verdict) -> GateResult {
    match (verdict.passed, &verdict.overridden) {
        (false, _) => GateResult::Refused,
        (true, Some(_)) => GateResult::Overridden,
        (true, None) => GateResult::Passed,
    }
}

fn refusal(error: &Error) -> Option<Refusal> {
    match error {
        Error::TooManySessions { .. } => Some(Refusal::Limit),
        Error::TooManyOwnSessions { .. } => Some(Refusal::PrincipalLimit),
        Error::Expired { .. } => Some(Refusal::Expired),
        Error::Paused(_) => Some(Refusal::Paused),
        Error::Finished(_) => Some(Refusal::Finished),
        Error::Locked { .. }
        | Error::OutOfOrder { .. }
        | Error::NotRetried { .. }
        | Error::NotPaused { .. }
        | Error::NoWayBack { .. } => Some(Refusal::NotOpen),
        Error::Superseded { .. } => Some(Refusal::Superseded),
        Error::Contended(_) | Error::ContendedStart => Some(Refusal::Contended),
        Error::TooLarge { .. } => Some(Refusal::TooLarge),
        // Nothing about sessions: the caller named what is not there, or something failed.
        _ => None,
    }
}

/// Clocks of two machines may differ: what ends before it began took no time.
fn time_between(earlier: &Moment, later: &Moment) -> Duration {
    let between = later.instant().duration_since(earlier.instant());
    between.try_into().unwrap_or_default()
}
