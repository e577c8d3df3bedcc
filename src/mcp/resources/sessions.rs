//! `session://{session_id}`: a session as `get_session` shows it.

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{ResourceContents, ResourceTemplate},
};

use super::{as_json, of_engine};
use crate::{
    mcp::workflow,
    workflow::{Engine, SessionId},
};

/// The address of every session.
pub(super) const TEMPLATE: &str = "session://{session_id}";

pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(TEMPLATE, "session")
        .with_title("Workflow session")
        .with_description("How a session stands, and the evidence handed in so far")
        .with_mime_type("application/json")
}

/// Reads a session.
pub(super) async fn read(
    engine: &Arc<Engine>,
    id: SessionId,
    uri: &str,
) -> Result<ResourceContents, ErrorData> {
    match engine.session(id).await {
        Ok(session) => as_json(uri, &workflow::session_view(engine, &session)),
        Err(error) => Err(of_engine(uri, &error)),
    }
}
