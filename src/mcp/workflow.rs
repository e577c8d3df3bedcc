//! The `workflow` tool: one tool, its action by argument, as agents know it from the Python
//! server.

mod arguments;
mod input;
mod refusal;
mod views;

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::Value;

use self::{
    arguments::Arguments,
    input::Action,
    views::{Answer, PhaseBody, SessionBody, SessionLine, StateBody, TaskBody},
};
use super::error::ToolError;
use crate::workflow::{Completion, Engine, Error, Evidence};

const DESCRIPTION: &str = "Runs phase-gated workflows. Call it with action list_workflows to see \
     what is installed, then start with workflow_type and target_file. Read the open phase \
     (get_phase) and its tasks (get_task), do the work, and hand in the evidence that the phase's \
     validation_gate asks for (complete_phase); that opens the next phase. Phases are done in \
     order. start on an unfinished session of the same workflow_type and target_file resumes it. \
     Errors say what is wrong and what to do.";

/// Describes the tool under `name`.
pub(super) fn tool(name: &str) -> Tool {
    let annotations = ToolAnnotations::with_title("Workflow sessions")
        .read_only(false)
        .destructive(true)
        .idempotent(false)
        .open_world(false);
    Tool::new(name.to_owned(), DESCRIPTION, input::schema())
        .with_title("Workflow sessions")
        .with_raw_output_schema(views::schema())
        .with_annotations(annotations)
}

/// Carries out one call.
///
/// # Errors
///
/// [`ToolError::Mendable`] with what to do, wherever the caller or the content's author can do
/// something about it.
pub(super) async fn call(engine: &Arc<Engine>, arguments: JsonObject) -> Result<Value, ToolError> {
    let arguments = Arguments::new(arguments)?;
    let action = arguments.action();
    let answer = match action {
        Action::ListWorkflows => list_workflows(engine, &arguments).await,
        Action::Start => start(engine, arguments).await,
        Action::GetPhase => get_phase(engine, &arguments).await,
        Action::GetTask => get_task(engine, &arguments).await,
        Action::CompletePhase => complete_phase(engine, arguments).await,
        Action::GetState => get_state(engine, &arguments).await,
        Action::ListSessions => list_sessions(engine, &arguments).await,
        Action::GetSession => get_session(engine, &arguments).await,
        Action::DeleteSession => delete_session(engine, &arguments).await,
    };
    match answer {
        Ok(answer) => Ok(answer.into_value()),
        Err(Failed::Arguments(error)) => Err(error),
        Err(Failed::Engine(error)) => Err(refusal::of_engine(action, &error)),
    }
}

/// Why an action came to nothing.
enum Failed {
    Arguments(ToolError),
    Engine(Arc<Error>),
}

impl From<ToolError> for Failed {
    fn from(error: ToolError) -> Self {
        Self::Arguments(error)
    }
}

impl From<Arc<Error>> for Failed {
    fn from(error: Arc<Error>) -> Self {
        Self::Engine(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Engine(Arc::new(error))
    }
}

async fn list_workflows(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let category = arguments.category()?;
    let catalogue = engine.workflows().await?;
    Ok(Answer::catalogue(&catalogue, category))
}

async fn start(engine: &Arc<Engine>, mut arguments: Arguments) -> Result<Answer, Failed> {
    let (workflow, target) = (arguments.workflow_type()?, arguments.target_file()?);
    let started = engine.start(workflow, target, arguments.options()?).await?;
    Ok(Answer {
        target_file: Some(started.session.target.to_string()),
        resumed: Some(started.resumed),
        phase: Some(PhaseBody::of(&started.session, Some(started.phase))),
        workflow_overview: Some(views::overview(&started.definition)),
        ..Answer::guided(Action::Start)
    })
}

async fn get_phase(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase_if_given()?);
    let read = engine.phase(id, phase).await?;
    Ok(Answer {
        phase: Some(PhaseBody::of(&read.session, read.content.map(Ok))),
        ..Answer::guided(Action::GetPhase)
    })
}

async fn get_task(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase()?);
    let (session, task) = engine.task(id, phase, arguments.task_number()?).await?;
    Ok(Answer {
        task: Some(TaskBody::of(&session, phase, task)),
        ..Answer::guided(Action::GetTask)
    })
}

async fn complete_phase(engine: &Arc<Engine>, mut arguments: Arguments) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase()?);
    let reason = arguments.override_reason()?;
    let evidence = Evidence::new(arguments.evidence()?, reason)?;
    let completion = Completion { phase, evidence };
    let completed = engine.complete_phase(id, completion).await?;
    Ok(Answer::completed(phase, completed))
}

async fn get_state(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let session = engine.session(arguments.session_id()?).await?;
    Ok(Answer {
        workflow_state: Some(StateBody::of(&session)),
        ..Answer::success(Action::GetState)
    })
}

async fn list_sessions(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let listing = engine.sessions(arguments.status()?).await?;
    Ok(Answer {
        truncated: Some(listing.sessions.len() < listing.count),
        count: Some(listing.count),
        sessions: Some(listing.sessions.iter().map(SessionLine::of).collect()),
        ..Answer::success(Action::ListSessions)
    })
}

async fn get_session(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let session = engine.session(arguments.session_id()?).await?;
    Ok(Answer {
        session: Some(SessionBody::of(&session)),
        ..Answer::success(Action::GetSession)
    })
}

async fn delete_session(engine: &Arc<Engine>, arguments: &Arguments) -> Result<Answer, Failed> {
    let id = arguments.session_id()?;
    engine.delete(id).await?;
    Ok(Answer {
        deleted_session: Some(views::Deleted::of(id)),
        ..Answer::success(Action::DeleteSession)
    })
}
