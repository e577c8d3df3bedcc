//! What the `workflow` tool answers.

mod answer;
mod completion;
mod phase;
mod record;
mod session;

pub(super) use self::{
    answer::{Answer, Deleted, overview, schema},
    phase::{PhaseBody, TaskBody},
    record::{ErrorsBody, StandingBody},
    session::{SessionBody, SessionLine, StateBody},
};
