//! What the `workflow` tool answers.

mod answer;
mod completion;
mod drift;
mod phase;
mod session;
mod task;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    phase::PhaseBody,
    session::{SessionBody, SessionLine, StateBody},
    task::TaskBody,
};
