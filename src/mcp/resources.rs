//! Resources: what can be read by an address, without calling a tool.
//!
//! Each kind of address has a module of its own, which lists and reads it. Workflows are listed;
//! sessions are found with `list_sessions` or by completion, standards with `search_standards`. Nothing is kept: what is read is
//! what is on disk at the call.

mod address;
mod page;
mod sessions;
mod standards;
mod workflows;

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, PaginatedRequestParams,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents,
    },
};
use serde::Serialize;
use serde_json::json;

pub(super) use self::address::{Address, WorkflowAddress};
use super::error::internal;
use crate::{
    search,
    workflow::{Engine, Error, Kind},
};

/// How long a client may keep the list of templates, in milliseconds: it changes only with a new
/// version of the server.
const TEMPLATES_TTL_MS: u64 = 3_600_000;

/// How long a client may keep a list or what it has read: not at all, because an edit counts on
/// the next call.
const LIVE_TTL_MS: u64 = 0;

/// The largest resource in bytes: what the largest file of a workflow may have.
const MAX_BYTES: usize = 1024 * 1024;

/// Lists what has an address of its own, page by page.
///
/// # Errors
///
/// If the cursor is none that an earlier page gave.
pub(super) async fn list(
    engine: &Engine,
    request: Option<PaginatedRequestParams>,
) -> Result<ListResourcesResult, ErrorData> {
    let after = page::after(request)?;
    let listed = workflows::list(engine).await?;
    let (resources, next_cursor) = page::cut(&listed, after);
    let mut page = ListResourcesResult::with_all_items(resources)
        .with_ttl_ms(LIVE_TTL_MS)
        .with_cache_scope(CacheScope::Public);
    page.next_cursor = next_cursor;
    Ok(page)
}

/// Lists the kinds of addresses.
pub(super) fn templates() -> ListResourceTemplatesResult {
    let templates = workflows::templates().into_iter();
    let templates = templates
        .chain([sessions::template(), standards::template()])
        .collect();
    ListResourceTemplatesResult::with_all_items(templates)
        .with_ttl_ms(TEMPLATES_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

/// Returns the names that stand in braces in the template `uri`.
///
/// # Errors
///
/// If there is no such template; those that there are.
pub(super) fn variables(uri: &str) -> Result<Vec<&'static str>, ErrorData> {
    let templates = [
        workflows::WORKFLOW,
        workflows::PHASE,
        workflows::TASK,
        sessions::TEMPLATE,
    ];
    let Some(template) = templates.into_iter().find(|template| *template == uri) else {
        let shown = address::shortened(uri);
        let templates = templates.join(", ");
        let message = format!("there is no template `{shown}`; there are {templates}");
        return Err(ErrorData::invalid_params(message, None));
    };
    let after_braces = template.split('{').skip(1);
    let names = after_braces.filter_map(|rest| Some(rest.split_once('}')?.0));
    Ok(names.collect())
}

/// Reads what a URI names.
///
/// # Errors
///
/// That the URI names nothing, which rmcp gives the code of the client's era; or that the content
/// behind it is at fault.
pub(super) async fn read(
    engine: &Arc<Engine>,
    search: &Arc<search::Engine>,
    request: ReadResourceRequestParams,
) -> Result<ReadResourceResponse, ErrorData> {
    let uri = request.uri;
    let address = Address::parse(&uri).map_err(|problem| not_found(&uri, problem))?;
    let (contents, scope) = match address {
        Address::Workflow(address) => {
            let read = workflows::read(engine, &address, &uri).await?;
            (read, CacheScope::Public)
        }
        Address::Session(id) => (sessions::read(engine, id, &uri).await?, CacheScope::Private),
        Address::Standard(address) => {
            (standards::read(search, &address, &uri)?, CacheScope::Public)
        }
    };
    let result = ReadResourceResult::new(vec![contents])
        .with_ttl_ms(LIVE_TTL_MS)
        .with_cache_scope(scope);
    Ok(result.into())
}

/// Says that `uri` names nothing, and what to do.
fn not_found(uri: &str, problem: impl std::fmt::Display) -> ErrorData {
    let shown = address::shortened(uri);
    let message = format!(
        "`{shown}` names no resource: {problem}; see resources/list and resources/templates/list"
    );
    ErrorData::resource_not_found(message, Some(json!({ "uri": shown })))
}

/// Says why the engine did not read what `uri` names.
fn of_engine(uri: &str, failed: &Error) -> ErrorData {
    match failed.kind() {
        Kind::NotFound | Kind::Rejected => not_found(uri, failed),
        Kind::Content => {
            let message = format!("{failed}: mend that file and read again");
            ErrorData::internal_error(message, Some(json!({ "uri": uri })))
        }
        Kind::Internal => internal(failed, "reading a resource failed"),
    }
}

/// Renders `view` as JSON.
fn as_json(uri: &str, view: &impl Serialize) -> Result<ResourceContents, ErrorData> {
    let text = serde_json::to_string(view)
        .map_err(|error| internal(&error, "a resource has no form as JSON"))?;
    bounded(uri, "application/json", text)
}

fn bounded(uri: &str, mime_type: &str, text: String) -> Result<ResourceContents, ErrorData> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "`{uri}` has {} bytes, the most is {MAX_BYTES}: ask the `workflow` tool for a part \
             of it",
            text.len()
        );
        return Err(ErrorData::invalid_params(
            message,
            Some(json!({ "uri": uri })),
        ));
    }
    Ok(ResourceContents::text(text, uri).with_mime_type(mime_type))
}
