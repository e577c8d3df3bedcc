//! What the `workflow` tool answers.

mod answer;
mod completion;
mod installed;
mod phase;
mod record;
mod session;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    installed::InstalledPhase,
    phase::{PhaseBody, TaskBody},
    record::{ErrorsBody, StandingBody},
    session::{SessionBody, SessionLine, StateBody},
};
