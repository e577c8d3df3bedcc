//! What the `workflow` tool answers.

mod answer;
mod completion;
mod installed;
mod phase;
mod session;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    installed::InstalledPhase,
    phase::{PhaseBody, TaskBody},
    session::{SessionBody, SessionLine, StateBody},
};
