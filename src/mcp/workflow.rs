//! The `workflow` tool: one tool, its action by argument, as agents know it from the Python
//! server.

mod ages;
mod arguments;
mod input;
mod recovery;
mod refusal;
mod views;

use std::sync::Arc;

pub(super) use self::ages::ages;
use self::{
    arguments::Arguments,
    input::{Action, Detail},
    views::{
        Answer, InstalledPhase, PhaseBody, SessionBody, SessionLine, StandingBody, StateBody,
        TaskBody,
    },
};
use super::{
    error::ToolError,
    rendered::{Forms, Rendered},
    resources::WorkflowAddress,
};
use crate::workflow::{Caller, Completion, Engine, Error, Evidence, PhaseContent, Session};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::Serialize;

const DESCRIPTION: &str = "Runs phase-gated workflows: list_workflows, then start with \
     workflow_type and target_file, which resumes an unfinished session of the same two. Read the \
     open phase (get_phase) and its tasks (get_task), do the work, hand in the evidence that \
     validation_gate names (complete_phase): that opens the next phase, in order. rollback opens \
     an earlier one. Errors say what to do.";

/// Describes the tool under `name`; `ages` says how long sessions live.
pub(super) fn tool(name: &str, ages: &str) -> Tool {
    let annotations = ToolAnnotations::new().open_world(false);
    let description = format!("{DESCRIPTION}{ages}");
    Tool::new(name.to_owned(), description, input::schema())
        .with_title("Workflow sessions")
        .with_raw_output_schema(views::schema())
        .with_annotations(annotations)
}

/// Carries out one call. `by` says who makes it, and is asked only where that is noted.
///
/// # Errors
///
/// [`ToolError::Mendable`] with what to do, wherever the caller or the content's author can do
/// something about it.
pub(super) async fn call(
    engine: &Arc<Engine>,
    arguments: JsonObject,
    by: impl FnOnce() -> Caller,
) -> Result<Rendered, ToolError> {
    let arguments = Arguments::new(arguments)?;
    let (action, detail) = (arguments.action(), arguments.detail()?);
    // Changes in a place of their own: they take 10 KB of it, which each reading would make and copy.
    let answer = match action {
        Action::ListWorkflows => list_workflows(engine, &arguments).await,
        Action::Start => Box::pin(start(engine, arguments, by())).await,
        Action::GetPhase => get_phase(engine, &arguments).await,
        Action::GetTask => get_task(engine, &arguments).await,
        Action::CompletePhase => Box::pin(complete_phase(engine, arguments, by())).await,
        Action::Replan => Box::pin(replan(engine, arguments, by())).await,
        Action::GetState => {
            let state = get_state(engine, &arguments).await;
            return state.map_err(|failed| failed.at(action));
        }
        Action::ListSessions => list_sessions(engine, &arguments).await,
        Action::GetSession => get_session(engine, &arguments).await,
        Action::DeleteSession => Box::pin(delete_session(engine, &arguments)).await,
        Action::Pause => Box::pin(recovery::pause(engine, &arguments, by())).await,
        Action::Resume => Box::pin(recovery::resume(engine, &arguments, by())).await,
        Action::RetryPhase => Box::pin(recovery::retry_phase(engine, &arguments, by())).await,
        Action::Rollback => Box::pin(recovery::rollback(engine, &arguments, by())).await,
        Action::GetErrors => recovery::get_errors(engine, &arguments).await,
    };
    match answer {
        Ok(mut answer) => {
            let links = match detail {
                Detail::Full => Vec::new(),
                Detail::Links => answer.linked(),
            };
            Ok(Rendered::of(&answer)?.with_links(links))
        }
        Err(failed) => Err(failed.at(action)),
    }
}

/// Renders a session as `get_session` shows it.
pub(super) fn session_view(engine: &Engine, session: &Session) -> impl Serialize + use<> {
    SessionBody::of(session, engine.status(session))
}

/// Renders a phase as `get_phase` shows it, but for the session.
pub(super) fn installed_view(
    address: &WorkflowAddress,
    content: PhaseContent,
) -> impl Serialize + use<> {
    InstalledPhase::of(address, content)
}

/// Why an action came to nothing.
enum Failed {
    Arguments(ToolError),
    Engine(Arc<Error>),
}

impl Failed {
    fn at(self, action: Action) -> ToolError {
        match self {
            Self::Arguments(error) => error,
            Self::Engine(error) => refusal::of_engine(action, &error),
        }
    }
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

async fn start(
    engine: &Arc<Engine>,
    mut arguments: Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (workflow, target) = (arguments.workflow_type()?, arguments.target_file()?);
    let started = engine
        .start(workflow, target, arguments.options()?, by)
        .await?;
    Ok(Answer {
        target_file: Some(started.session.target.to_string()),
        resumed: Some(started.resumed),
        standing: Some(StandingBody::of(engine, &started.session)),
        phase: Some(PhaseBody::of(&started.session, Some(started.phase)).with(started.drift)),
        workflow_overview: Some(views::overview(&started.definition)),
        ..Answer::guided(Action::Start)
    })
}

async fn get_phase(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase_if_given()?);
    let read = engine.phase(id, phase).await?;
    Ok(Answer {
        phase: Some(PhaseBody::of(&read.session, read.content.map(Ok)).with(read.drift)),
        ..Answer::guided(Action::GetPhase)
    })
}

async fn get_task(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase()?);
    let task = engine.task(id, phase, arguments.task_number()?).await?;
    Ok(Answer {
        task: Some(TaskBody::of(phase, task)),
        ..Answer::guided(Action::GetTask)
    })
}

async fn complete_phase(
    engine: &Arc<Engine>,
    mut arguments: Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (id, phase) = (arguments.session_id()?, arguments.phase()?);
    let reason = arguments.override_reason()?;
    let evidence = Evidence::new(arguments.evidence()?, reason)?;
    let completion = Completion { phase, evidence };
    let completed = engine.complete_phase(id, completion, by).await?;
    Ok(Answer {
        standing: Some(StandingBody::of(engine, &completed.session)),
        ..Answer::completed(phase, completed)
    })
}

async fn replan(
    engine: &Arc<Engine>,
    mut arguments: Arguments,
    by: Caller,
) -> Result<Answer, Failed> {
    let (id, options) = (arguments.session_id()?, arguments.options()?);
    let replanned = engine.replan(id, options, by).await?;
    Ok(Answer {
        plan_changed: Some(replanned.changed),
        standing: Some(StandingBody::of(engine, &replanned.session)),
        phase: Some(PhaseBody::of(&replanned.session, replanned.open)),
        ..Answer::guided(Action::Replan)
    })
}

/// Agents ask for it again and again while nothing happens: it is rendered once for each state.
async fn get_state(engine: &Engine, arguments: &Arguments) -> Result<Rendered, Failed> {
    let (session, drift) = engine.state(arguments.session_id()?).await?;
    let (status, as_planned) = (engine.status(&session), drift.is_none());
    let render = || {
        let forms = Forms::whole(&Answer {
            workflow_state: Some(StateBody::of(&session, status).with(drift)),
            ..Answer::success(Action::GetState)
        });
        forms.map(Forms::into)
    };
    let forms = match as_planned {
        true => session.shown.forms(status, render)?,
        false => render()?,
    };
    Ok(Rendered::again(forms.into()))
}

async fn list_sessions(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let listing = engine.sessions(arguments.query()?).await?;
    Ok(Answer {
        truncated: Some(listing.next.is_some()),
        next_cursor: listing.next.map(|next| next.to_string()),
        count: Some(listing.count),
        sessions: Some(listing.sessions.iter().map(SessionLine::of).collect()),
        ..Answer::success(Action::ListSessions)
    })
}

async fn get_session(engine: &Engine, arguments: &Arguments) -> Result<Answer, Failed> {
    let session = engine.session(arguments.session_id()?).await?;
    Ok(Answer {
        session: Some(SessionBody::of(&session, engine.status(&session))),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use rmcp::model::CallToolResult;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::{
        mcp::schema,
        observed::Metrics,
        workflow::{Settings, State},
    };

    /// An engine over one workflow of two phases, the first of which has a gate.
    fn engine() -> (TempDir, Arc<Engine>) {
        let root = tempfile::tempdir().unwrap();
        let workflow = root.path().join("workflows/plain");
        for phase in ["0", "1"] {
            let phase = workflow.join("phases").join(phase);
            fs::create_dir_all(&phase).unwrap();
            fs::write(phase.join("phase.md"), "# Text").unwrap();
            fs::write(phase.join("task-1-a.md"), "# Task").unwrap();
        }
        let gate = "checkpoint: {strict: false}\n\
                    evidence_schema:\n  done: {type: boolean, required: true, description: d}\n";
        fs::write(workflow.join("phases/0/gate-definition.yaml"), gate).unwrap();
        let tasks = json!([{"task_number": 1, "name": "a", "file": "task-1-a.md"}]);
        let metadata = json!({
            "workflow_type": "plain", "version": "1", "total_phases": 2, "category": "c",
            "phases": [
                {"phase_number": 0, "phase_name": "First", "tasks": tasks},
                {"phase_number": 1, "phase_name": "Second", "tasks": tasks},
            ],
        });
        fs::write(workflow.join("metadata.json"), metadata.to_string()).unwrap();
        let state = State::Files(root.path().join("state"));
        let settings = Settings::over(root.path(), state);
        let meter = SdkMeterProvider::builder().build().meter("test");
        let engine = Engine::open(settings, &Metrics::new(&meter)).unwrap();
        (root, engine)
    }

    /// Returns an answer that has no field beyond its type, and each of its field's type.
    fn keeping_to_schema(answer: Value) -> Value {
        let schema = json!(schema::whole_of_answer::<Answer>());
        let schema = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<_> = schema.iter_errors(&answer).map(|f| f.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?} in {answer}");
        answer
    }

    async fn told(engine: &Arc<Engine>, arguments: Value) -> Value {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        let answer = call(engine, arguments, Caller::default).await.unwrap();
        keeping_to_schema(CallToolResult::from(answer).structured_content.unwrap())
    }

    async fn refused(engine: &Arc<Engine>, arguments: Value) -> Value {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        match call(engine, arguments, Caller::default).await {
            Err(ToolError::Mendable(_, body)) => body,
            other => panic!("{other:?}"),
        }
    }

    fn keys(answer: &Value) -> Vec<&str> {
        answer
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[tokio::test]
    async fn every_action_answers_with_the_keys_that_agents_know() {
        let (_root, engine) = engine();

        let listed = told(&engine, json!({"action": "list_workflows"})).await;
        assert_eq!(
            keys(&listed),
            ["status", "action", "workflows", "count", "faults"]
        );
        assert_eq!(listed["workflows"][0]["category"], "c");
        let other = json!({"action": "list_workflows", "category": "other"});
        assert_eq!(told(&engine, other).await["count"], 0);

        let start = json!({"action": "start", "workflow_type": "plain", "target_file": "a"});
        let started = told(&engine, start.clone()).await;
        assert_eq!(keys(&started)[..3], ["status", "action", "target_file"]);
        assert_eq!(started["phase_content"], "# Text");
        assert_eq!(started["validation_gate"]["fields"][0]["type"], "boolean");
        assert_eq!(started["workflow_overview"]["total_phases"], 2);
        assert!(started["execution_model"].is_string());
        let id = &started["session_id"];
        let again = told(&engine, start).await;
        assert_eq!(
            (&again["session_id"], &again["resumed"]),
            (id, &json!(true))
        );

        let phase = told(&engine, json!({"action": "get_phase", "session_id": id})).await;
        assert_eq!(
            (&phase["current_phase"], &phase["source"]),
            (&json!(0), &json!("file"))
        );
        assert_eq!(phase["tasks"][0]["task_number"], 1);
        let task = json!({
            "action": "get_task", "session_id": id, "phase": 0.0, "task_number": 1.0,
            "reset_evidence": false, "options": null,
        });
        let task = told(&engine, task).await;
        assert_eq!(
            (&task["content"], &task["steps"]),
            (&json!("# Task"), &json!([]))
        );
    }

    #[tokio::test]
    async fn a_run_to_its_end_answers_with_the_keys_that_agents_know() {
        let (_root, engine) = engine();
        let start = json!({"action": "start", "workflow_type": "plain", "target_file": "a"});
        let id = told(&engine, start).await["session_id"].clone();
        let complete = |phase: u32, evidence: Value| {
            let action = "complete_phase";
            json!({"action": action, "session_id": id, "phase": phase, "evidence": evidence})
        };
        let failed = told(&engine, complete(0, json!({"done": 1}))).await;
        assert_eq!(failed["checkpoint_passed"], false);
        let diagnostics = &failed["validation_result"]["diagnostics"];
        assert_eq!(diagnostics["gate_rule"], "lenient_enforced");
        assert_eq!(diagnostics["strict_mode"], false);
        assert_eq!(failed["next_phase_content"]["current_phase"], 0);
        let passed = told(&engine, complete(0, json!({"done": true}))).await;
        assert_eq!(
            (&passed["next_phase"], &passed["workflow_complete"]),
            (&json!(1), &json!(false))
        );
        assert_eq!(passed["next_phase_content"]["phase_name"], "Second");
        let last = told(&engine, complete(1, json!({}))).await;
        assert_eq!(last["workflow_complete"], true);
        assert!(last["message"].is_string());

        let state = told(&engine, json!({"action": "get_state", "session_id": id})).await;
        let state = &state["workflow_state"];
        assert_eq!(
            (&state["total_phases"], &state["is_complete"]),
            (&json!(2), &json!(true))
        );
        assert_eq!(state["checkpoints"], json!({"0": "passed", "1": "passed"}));
        let sessions = json!({"action": "list_sessions", "status": "completed"});
        let sessions = told(&engine, sessions).await;
        assert_eq!(
            (&sessions["count"], &sessions["truncated"]),
            (&json!(1), &json!(false))
        );
        let session = told(&engine, json!({"action": "get_session", "session_id": id})).await;
        assert_eq!(session["artifacts"]["0"]["evidence"], json!({"done": true}));
        let delete = json!({"action": "delete_session", "session_id": id});
        assert_eq!(told(&engine, delete.clone()).await["deleted"], true);
        let gone = refused(&engine, delete).await;
        assert_eq!(gone["error_type"], "ValueError");
        assert!(gone["remediation"].is_string());
    }

    /// Arguments, and what is said to them. `ID` stands for a session whose phase 0 is open.
    const REFUSED: &str = r#"
{} => the argument `action` is missing
{"action": 1} => `action` is 1, expected a string
{"action": "fly"} => there is no action `fly`
{"action": "start", "x": 1} => there is no argument `x`
{"action": "start"} => start needs the argument `workflow_type`
{"action": "start", "workflow_type": ["plain"]} => `workflow_type` is a list of 1, expected a string
{"action": "start", "workflow_type": "../x"} => `../x` cannot name a workflow
{"action": "start", "workflow_type": "none", "target_file": "a"} => there is no workflow `none`
{"action": "start", "workflow_type": "plain", "target_file": "/etc"} => use a path relative
{"action": "start", "workflow_type": "plain", "target_file": "a", "options": "b"} => `options` is "b", expected an object
{"action": "get_phase"} => get_phase needs the argument `session_id`
{"action": "get_phase", "session_id": "1"} => `1` is not a session id
{"action": "get_phase", "session_id": "0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3b"} => there is no session
{"action": "get_phase", "session_id": "ID", "phase": 1} => phase 0 is open
{"action": "get_phase", "session_id": "ID", "phase": 1.5} => `phase` is 1.5, expected a whole number
{"action": "get_phase", "session_id": "ID", "phase": -1} => `phase` is -1, expected a whole number
{"action": "get_phase", "session_id": "ID", "phase": 1e300} => expected a whole number from 0 to 9999
{"action": "get_phase", "session_id": "ID", "phase": "0"} => `phase` is "0", expected a whole number
{"action": "get_task", "session_id": "ID", "phase": 0} => get_task needs the argument `task_number`
{"action": "get_task", "session_id": "ID", "phase": 0, "task_number": 9} => phase 0 has no task 9
{"action": "complete_phase", "session_id": "ID", "phase": 0} => complete_phase needs the argument `evidence`
{"action": "complete_phase", "session_id": "ID", "phase": 0, "evidence": []} => `evidence` is a list of 0, expected an object
{"action": "complete_phase", "session_id": "ID", "phase": 1, "evidence": {}} => phase 0 is open
{"action": "complete_phase", "session_id": "ID", "phase": 0, "evidence": {}, "override_reason": ""} => an override's reason is
{"action": "list_sessions", "status": "done"} => `done` is not one of active, paused, completed, error, expired
{"action": "pause"} => pause needs the argument `session_id`
{"action": "pause", "session_id": "ID", "reason": " "} => reason is 1 to 2000 characters, this one has 0
{"action": "pause", "session_id": "ID", "checkpoint_note": 7} => `checkpoint_note` is 7, expected a string
{"action": "resume", "session_id": "ID"} => is not paused: phase 0 is open
{"action": "retry_phase", "session_id": "ID"} => retry_phase needs the argument `phase`
{"action": "retry_phase", "session_id": "ID", "phase": 1} => phase 1 cannot be retried: phase 0 is open
{"action": "retry_phase", "session_id": "ID", "phase": 0, "reset_evidence": "yes"} => `reset_evidence` is "yes", expected true or false
{"action": "rollback", "session_id": "ID"} => rollback needs the argument `to_phase`
{"action": "rollback", "session_id": "ID", "to_phase": -1} => `to_phase` is -1, expected a whole number
{"action": "rollback", "session_id": "ID", "to_phase": 1} => no way leads back to phase 1: no phase is completed, and the first is 0
{"action": "get_errors", "session_id": "1"} => `1` is not a session id
{"action": "list_sessions", "workflow_type": "../x"} => `../x` cannot name a workflow
{"action": "list_sessions", "target_file": 7} => `target_file` is 7, expected a string
{"action": "list_sessions", "sort": "name"} => `name` is not updated_at or created_at
{"action": "list_sessions", "limit": 0} => 0 is not from 1 to 100
{"action": "list_sessions", "limit": 101} => 101 is not from 1 to 100
{"action": "list_sessions", "limit": 1.5} => `limit` is 1.5, expected a whole number
{"action": "list_sessions", "cursor": "next"} => `cursor` is not one that list_sessions returned
{"action": "list_sessions", "cursor": 1} => `cursor` is 1, expected a string
{"action": "list_workflows", "category": 7} => `category` is 7, expected a string
"#;

    #[tokio::test]
    async fn every_bad_argument_is_refused_by_name_and_rule() {
        let (_root, engine) = engine();
        let start = json!({"action": "start", "workflow_type": "plain", "target_file": "a"});
        let id = told(&engine, start).await["session_id"].clone();
        for case in REFUSED.trim().lines() {
            let (arguments, expected) = case.split_once(" => ").unwrap();
            let arguments = arguments.replace("ID", id.as_str().unwrap());

            let body = refused(&engine, serde_json::from_str(&arguments).unwrap()).await;

            let error = body["error"].as_str().unwrap();
            assert!(error.contains(expected), "{arguments}: {error}");
            assert_eq!(body["status"], "error", "{arguments}");
            assert!(body["action"].is_string() && body["error_type"] == "ValueError");
        }
        let unknown = refused(&engine, json!({"action": "fly"})).await;
        assert_eq!(unknown["valid_actions"].as_array().unwrap().len(), 15);
        let long = json!({"action": "get_phase", "session_id": "x".repeat(1_000_000)});
        let error = refused(&engine, long).await["error"].to_string();
        assert!(error.len() < 400, "{error}");
    }

    #[tokio::test]
    async fn a_missing_file_of_the_content_is_named_to_the_agent() {
        let (root, engine) = engine();
        let start = json!({"action": "start", "workflow_type": "plain", "target_file": "a"});
        let id = told(&engine, start).await["session_id"].clone();
        fs::remove_file(root.path().join("workflows/plain/phases/0/task-1-a.md")).unwrap();

        let task = json!({"action": "get_task", "session_id": id, "phase": 0, "task_number": 1});
        let body = refused(&engine, task).await;

        let expected = "workflows/plain/phases/0/task-1-a.md: this file does not exist";
        assert_eq!(
            (&body["error"], &body["error_type"]),
            (&json!(expected), &json!("RuntimeError"))
        );
        fs::remove_file(root.path().join("workflows/plain/phases/0/phase.md")).unwrap();
        let phase = told(&engine, json!({"action": "get_phase", "session_id": id})).await;
        let expected = "workflows/plain/phases/0/phase.md: this file does not exist";
        assert_eq!(phase["faults"], json!([expected]));
        assert_eq!(phase["tasks"][0]["name"], "a");
    }
}
