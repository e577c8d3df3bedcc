//! What the `workflow` tool answers.

mod answer;
mod completion;
mod drift;
mod installed;
mod links;
mod phase;
mod record;
mod session;
mod task;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    installed::InstalledPhase,
    phase::PhaseBody,
    record::{ErrorsBody, StandingBody},
    session::{SessionBody, SessionLine, StateBody},
    task::TaskBody,
};
