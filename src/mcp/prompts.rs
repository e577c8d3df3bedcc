//! Prompts: what a person picks to set an agent to work. Each says what the first calls are.

mod arguments;

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{
        CacheScope, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult,
        Prompt, PromptArgument, PromptMessage, Role,
    },
};

use self::arguments::Arguments;
use super::{error::internal, shown::shortened};
use crate::workflow::{Engine, Error, Kind, Session, Status, TargetFile, WorkflowType};

/// How long a client may keep the list, in milliseconds: it changes only with a new version of
/// the server.
const LIST_TTL_MS: u64 = 3_600_000;

/// What each phase asks of an agent.
const LOOP: &str = "\
Then, until an answer says `workflow_complete: true`:
1. Read the open phase in the answer, or with `get_phase`.
2. Read each of its tasks in order with `get_task`, and do what it says before you read the next.
3. Hand in evidence with `complete_phase`: the fields that the phase's `validation_gate` names, \
with true values. If it does not pass, mend what the answer names and hand in again.
The workflow keeps the list of tasks: do not keep one of your own, and skip nothing.";

/// The prompts that there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PromptName {
    StartWorkflow,
    ResumeSession,
}

impl PromptName {
    const ALL: [Self; 2] = [Self::StartWorkflow, Self::ResumeSession];

    /// Returns the name on the wire.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::StartWorkflow => "start_workflow",
            Self::ResumeSession => "resume_session",
        }
    }

    /// Finds the prompt of that name.
    ///
    /// # Errors
    ///
    /// Names those that there are.
    pub(super) fn named(name: &str) -> Result<Self, ErrorData> {
        let mut all = Self::ALL.into_iter();
        all.find(|prompt| prompt.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            let shown = shortened(name);
            let message = format!("there is no prompt `{shown}`; there are {names}");
            ErrorData::invalid_params(message, None)
        })
    }

    /// Returns its arguments, all of which are required, and what each is.
    pub(super) fn arguments(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::StartWorkflow => &[
                ("workflow_type", "The workflow, as list_workflows names it"),
                (
                    "target_file",
                    "What it works on: a path relative to your workspace",
                ),
            ],
            Self::ResumeSession => &[("session_id", "The session, as `start` returned it")],
        }
    }

    fn describe(self) -> Prompt {
        let (title, description) = match self {
            Self::StartWorkflow => ("Start a workflow", "Work through a workflow on a target"),
            Self::ResumeSession => ("Resume a session", "Go on where a session stands"),
        };
        let argument = |(name, what): &(&str, &str)| {
            let argument = PromptArgument::new(*name).with_required(true);
            argument.with_description(*what)
        };
        let arguments = self.arguments().iter().map(argument).collect();
        Prompt::new(self.as_str(), Some(description), Some(arguments)).with_title(title)
    }
}

/// Lists the prompts.
pub(super) fn list() -> ListPromptsResult {
    let prompts = PromptName::ALL.map(PromptName::describe).into();
    ListPromptsResult::with_all_items(prompts)
        .with_ttl_ms(LIST_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

/// Renders a prompt.
///
/// # Errors
///
/// For a prompt that there is not, or arguments that are missing, unknown or wrong: what is
/// expected.
pub(super) async fn render(
    engine: &Arc<Engine>,
    request: GetPromptRequestParams,
) -> Result<GetPromptResponse, ErrorData> {
    let prompt = PromptName::named(&request.name)?;
    let arguments = Arguments::new(prompt, request.arguments.unwrap_or_default())?;
    let text = match prompt {
        PromptName::StartWorkflow => {
            let workflow = arguments.workflow_type()?;
            let target = arguments.target_file()?;
            start_workflow(engine, workflow, &target).await?
        }
        PromptName::ResumeSession => {
            let session = engine.session(arguments.session_id()?).await;
            let session = session.map_err(|error| of_engine(&error))?;
            resume_session(&session, engine.status(&session))
        }
    };
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).into())
}

async fn start_workflow(
    engine: &Engine,
    workflow: WorkflowType,
    target: &TargetFile,
) -> Result<String, ErrorData> {
    let definition = engine.definition(workflow).await;
    let workflow = definition.map_err(|error| of_engine(&error))?.workflow;
    let (workflow_json, target_json) = (quoted(workflow.as_str()), quoted(target.as_str()));
    Ok(format!(
        "Work through the workflow `{workflow}` on `{target}`.\n\n\
         Call the tool `workflow` with {{\"action\": \"start\", \"workflow_type\": \
         {workflow_json}, \"target_file\": {target_json}}} and keep the `session_id` that it \
         returns: every later call takes it. If a session of the same workflow and target is \
         unfinished, that one is taken up.\n\n{LOOP}"
    ))
}

fn resume_session(session: &Session, status: Status) -> String {
    let (id, workflow, target) = (session.id, &session.workflow, &session.target);
    let about = format!("the session `{id}` of the workflow `{workflow}` on `{target}`");
    let resume = || {
        format!(
            "It is paused: call the tool `workflow` with {{\"action\": \"resume\", \"session_id\": \
             \"{id}\"}} first. "
        )
    };
    let paused = (status == Status::Paused).then(resume).unwrap_or_default();
    match status {
        Status::Expired => format!(
            "{about} is expired, so nothing can be handed in for it any more. Call the tool \
             `workflow` with {{\"action\": \"get_session\", \"session_id\": \"{id}\"}} to see what \
             was, and with action start to begin anew."
        ),
        Status::Completed => format!(
            "All phases of {about} are completed. Call the tool `workflow` with {{\"action\": \
             \"get_session\", \"session_id\": \"{id}\"}} to see what was handed in, and report it."
        ),
        Status::Active | Status::Paused | Status::Error => format!(
            "Go on with {about}. Phase {} is open; its status is {}.\n\n\
             {paused}Call the tool `workflow` with {{\"action\": \"get_state\", \"session_id\": \"{id}\"}} \
             to see where it stands, then with {{\"action\": \"get_phase\", \"session_id\": \
             \"{id}\"}}. Look at what is already done before you do it again.\n\n{LOOP}",
            session.current,
            status.as_str(),
        ),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn of_engine(failed: &Error) -> ErrorData {
    match failed.kind() {
        Kind::NotFound | Kind::Rejected => {
            let message = format!(
                "{failed}: the `workflow` tool lists what there is with list_workflows and \
                 list_sessions"
            );
            ErrorData::invalid_params(message, None)
        }
        Kind::Content => ErrorData::internal_error(format!("{failed}: mend that file"), None),
        Kind::Internal => internal(failed, "rendering a prompt failed"),
    }
}
