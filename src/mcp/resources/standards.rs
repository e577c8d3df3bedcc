//! `standards://{path}#{section}`: a standard, or a section of it, as search answers from it now.

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{ResourceContents, ResourceTemplate},
};

use super::{bounded, not_found};
use crate::search::Engine;

/// The address of every standard; its path is that of a search's answer.
pub(super) const TEMPLATE: &str = "standards://{+path}{#section}";

pub(super) fn template() -> ResourceTemplate {
    ResourceTemplate::new(TEMPLATE, "standard")
        .with_title("Standard")
        .with_description(
            "A standard, or the section that an answer of search_standards is from: its `uri`",
        )
        .with_mime_type("text/markdown")
}

/// Reads a standard, or a section of it.
pub(super) fn read(
    engine: &Arc<Engine>,
    address: &str,
    uri: &str,
) -> Result<ResourceContents, ErrorData> {
    match engine.standard(address) {
        Some(text) => bounded(uri, "text/markdown", text),
        None => Err(not_found(
            uri,
            "there is no such standard, or no such section of it",
        )),
    }
}
