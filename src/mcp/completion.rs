//! Completion: what an argument that somebody is typing can become.

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionContext, CompletionInfo, Reference},
};

use super::{error::internal, prompts::PromptName, resources};
use crate::workflow::{Definition, Engine, Error, Phase, WorkflowType};

/// What is to be completed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Subject {
    WorkflowType,
    SessionId,
    Phase,
    TaskNumber,
    /// Nothing that the server knows, such as a path of the client's.
    Unknown,
}

/// Completes the argument of a prompt or of a resource template: values that begin with what was
/// typed, the most likely first, at most 100.
///
/// # Errors
///
/// If there is no such prompt, template or argument.
pub(super) async fn complete(
    engine: &Arc<Engine>,
    request: CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let CompleteRequestParams {
        r#ref, argument, ..
    } = &request;
    let subject = subject(r#ref, &argument.name)?;
    let context = request.context.as_ref();
    let found = values(engine, subject, &argument.value, context).await;
    let found = found.map_err(|error| internal(&error, "completion failed"))?;
    let total = u32::try_from(found.len()).ok();
    let shown: Vec<_> = found
        .iter()
        .take(CompletionInfo::MAX_VALUES)
        .cloned()
        .collect();
    let more = shown.len() < found.len();
    let completion = CompletionInfo::with_pagination(shown, total, more);
    let completion = completion.map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(CompleteResult::new(completion))
}

/// Finds out what `argument` of `reference` is.
fn subject(reference: &Reference, argument: &str) -> Result<Subject, ErrorData> {
    let known = match reference {
        Reference::Prompt(prompt) => {
            let arguments = PromptName::named(&prompt.name)?.arguments().iter();
            arguments.map(|(name, _)| *name).collect()
        }
        Reference::Resource(template) => resources::variables(&template.uri)?,
        // rmcp may come to know more.
        _ => Vec::new(),
    };
    if !known.contains(&argument) {
        let message = format!(
            "there is no argument `{argument:.60}` here; there are: {}",
            known.join(", ")
        );
        return Err(ErrorData::invalid_params(message, None));
    }
    Ok(match argument {
        "workflow_type" => Subject::WorkflowType,
        "session_id" => Subject::SessionId,
        "phase" => Subject::Phase,
        "task_number" => Subject::TaskNumber,
        _ => Subject::Unknown,
    })
}

async fn values(
    engine: &Arc<Engine>,
    subject: Subject,
    begun: &str,
    context: Option<&CompletionContext>,
) -> Result<Vec<String>, Error> {
    let all: Vec<String> = match subject {
        Subject::WorkflowType => {
            let workflows = engine.workflows().await?.workflows;
            let names = workflows.iter().map(|known| known.workflow.to_string());
            names.collect()
        }
        // Those of the caller: the engine acts for it.
        Subject::SessionId => {
            let ids = engine.session_ids().await?;
            ids.iter().map(ToString::to_string).collect()
        }
        Subject::Phase => {
            let definition = definition(engine, context).await;
            let phases = definition.map_or(Vec::new(), |known| known.installed_phases());
            phases.iter().map(ToString::to_string).collect()
        }
        Subject::TaskNumber => {
            let phase = context.and_then(|context| context.get_argument("phase")?.parse().ok());
            let definition = definition(engine, context).await;
            let tasks = definition
                .zip(phase)
                .map(|(known, phase)| known.task_numbers(Phase(phase)));
            let tasks = tasks.unwrap_or_default();
            tasks.iter().map(ToString::to_string).collect()
        }
        Subject::Unknown => Vec::new(),
    };
    Ok(all
        .into_iter()
        .filter(|value| value.starts_with(begun))
        .collect())
}

/// Reads the workflow that was chosen before; nothing if none was, or if it cannot be read.
async fn definition(engine: &Engine, context: Option<&CompletionContext>) -> Option<Definition> {
    let workflow = context?.get_argument("workflow_type")?;
    let workflow = WorkflowType::try_from(workflow.as_str()).ok()?;
    engine.definition(workflow).await.ok()
}
