//! What the `workflow` tool answers.

mod answer;
mod completion;
mod phase;
mod session;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    phase::{PhaseBody, TaskBody},
    session::{SessionBody, SessionLine, StateBody},
};
