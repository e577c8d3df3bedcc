//! The actions that put a session aside, take it up, and go back in it.

use std::sync::Arc;

use super::{
    Failed,
    arguments::Arguments,
    input::Action,
    views::{Answer, ErrorsBody, PhaseBody, StandingBody, StateBody},
};
use crate::workflow::{Caller, Engine, Recovered};

pub(super) async fn pause(
    engine: &Arc<Engine>,
    arguments: &Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (id, reason) = (arguments.session_id()?, arguments.reason()?);
    let note = arguments.checkpoint_note()?;
    let session = engine.pause(id, note, reason, by).await?;
    Ok(Answer {
        workflow_state: Some(StateBody::of(&session, engine.status(&session))),
        standing: Some(StandingBody::of(engine, &session)),
        ..Answer::success(Action::Pause)
    })
}

pub(super) async fn resume(
    engine: &Arc<Engine>,
    arguments: &Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let resumed = engine.resume(arguments.session_id()?, by).await?;
    let standing = StandingBody::of(engine, &resumed.session).after_pause(&resumed.before);
    Ok(Answer {
        standing: Some(standing),
        ..recovered(Action::Resume, engine, resumed)
    })
}

pub(super) async fn retry_phase(
    engine: &Arc<Engine>,
    arguments: &Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase()?);
    let (submitted, reason) = (arguments.submitted()?, arguments.reason()?);
    let retried = engine.retry_phase(id, phase, submitted, reason, by).await?;
    Ok(recovered(Action::RetryPhase, engine, retried))
}

pub(super) async fn rollback(
    engine: &Arc<Engine>,
    arguments: &Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (id, to) = (arguments.session_id()?, arguments.to_phase()?);
    let rolled_back = engine.roll_back(id, to, arguments.reason()?, by).await?;
    Ok(recovered(Action::Rollback, engine, rolled_back))
}

pub(super) async fn get_errors(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let errors = engine.errors(arguments.session_id()?).await?;
    Ok(Answer {
        broken: Some(errors.faults.iter().map(ToString::to_string).collect()),
        errors: Some(ErrorsBody::of(&errors.session)),
        ..Answer::success(Action::GetErrors)
    })
}

fn recovered(action: Action, engine: &Engine, recovered: Recovered) -> Answer {
    let Recovered {
        session,
        open,
        drift,
        ..
    } = recovered;
    Answer {
        standing: Some(StandingBody::of(engine, &session)),
        phase: Some(PhaseBody::of(&session, open).with(drift)),
        ..Answer::guided(action)
    }
}
