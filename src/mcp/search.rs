//! The `search_standards` tool. Arguments and result are as in the Python server.

mod arguments;
mod views;

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use tokio::time::Instant;

use super::{
    error::ToolError,
    rendered::{Forms, Rendered},
};
use crate::{
    observed::RequestOutcome as Outcome,
    search::{Answer, Engine, Error, Kind},
};

const DESCRIPTION: &str = "Finds passages of the project's standards by meaning and words. Ask before you \
     begin a piece of work and whenever you are unsure how it is done here, one thing at a time in \
     a whole question: \"how do I test code that several threads call?\" finds more than \
     \"threads\". Best first; a relevance_score below about 0.3 does not fit: ask in other words.";

/// Describes the tool under `name`.
pub(super) fn tool(name: &str) -> Tool {
    let annotations = ToolAnnotations::new().read_only(true).open_world(false);
    Tool::new(name.to_owned(), DESCRIPTION, arguments::schema())
        .with_title("Standards search")
        .with_raw_output_schema(views::schema())
        .with_annotations(annotations)
}

/// Carries out one call.
///
/// # Errors
///
/// [`ToolError::Mendable`] for a bad argument, or when asking again a little later helps.
pub(super) async fn call(
    engine: &Arc<Engine>,
    arguments: JsonObject,
) -> Result<Rendered, ToolError> {
    let query = arguments::query(arguments)?;
    let asked = Instant::now();
    match engine.search(query).await {
        Ok(answer) => {
            let took = views::Took(asked.elapsed());
            let rendered = Rendered::continued(rendered(&answer)?, &took)?;
            Ok(rendered.with_links(views::links(&answer)))
        }
        Err(error) => Err(of_engine(&error)),
    }
}

/// Renders an answer, or takes what was rendered when it was asked for before.
fn rendered(answer: &Answer) -> Result<Forms, ToolError> {
    let render = || Forms::open(&views::AnswerView::of(answer)).map(Forms::into);
    answer.kept.forms((), render).map(Forms::from)
}

fn of_engine(error: &Arc<Error>) -> ToolError {
    match error.kind() {
        Kind::Retry => {
            let remediation = "call again in a few seconds with the same arguments";
            let body = views::refusal(&error.to_string(), remediation);
            ToolError::Mendable(Outcome::Overloaded, body)
        }
        Kind::Internal => ToolError::Internal(Arc::clone(error) as _),
    }
}
