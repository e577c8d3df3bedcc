//! Pages of the list: a page ends with an address, and the next one begins after it. So an entry
//! that comes or goes meanwhile moves no other.

use rmcp::{
    ErrorData,
    model::{PaginatedRequestParams, Resource},
};
use serde_json::json;

use super::address::{Address, WorkflowAddress, shortened};

/// Entries of a page: about 5,000 tokens.
pub(super) const PAGE: usize = 100;

/// Reads the cursor of a request.
///
/// # Errors
///
/// If no page ends so.
pub(super) fn after(
    request: Option<PaginatedRequestParams>,
) -> Result<Option<WorkflowAddress>, ErrorData> {
    let Some(cursor) = request.and_then(|request| request.cursor) else {
        return Ok(None);
    };
    match Address::parse(&cursor) {
        Ok(Address::Workflow(address)) => Ok(Some(address)),
        Ok(Address::Session(_)) | Err(_) => {
            let shown = shortened(&cursor);
            let message = format!(
                "`{shown}` is no cursor: send the `nextCursor` of the page before, or none for \
                 the first page"
            );
            let data = json!({ "cursor": shown });
            Err(ErrorData::invalid_params(message, Some(data)))
        }
    }
}

/// Returns the page after `after` and the cursor of the next one. `listed` is in order.
pub(super) fn cut(
    listed: &[(WorkflowAddress, Resource)],
    after: Option<WorkflowAddress>,
) -> (Vec<Resource>, Option<String>) {
    let start = after.map_or(0, |after| {
        listed.partition_point(|(address, _)| *address <= after)
    });
    let rest = &listed[start..];
    let page = &rest[..rest.len().min(PAGE)];
    let more = rest.len() > page.len();
    let last = page.last().filter(|_| more);
    let cursor = last.map(|(address, _)| address.to_string());
    let resources = page.iter().map(|(_, resource)| resource.clone()).collect();
    (resources, cursor)
}
