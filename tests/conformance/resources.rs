//! Resources of the suite.

use rmcp::{
    ErrorData,
    model::{Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::content::{IMAGE, text_resource};

/// A text.
pub(crate) const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";
const WATCHED: &str = "test://watched-resource";
const TEMPLATE: &str = "test://template/{id}/data";

/// Lists what has an address of its own.
pub(crate) fn all() -> Vec<Resource> {
    let text = Resource::new(TEXT, "static-text").with_mime_type("text/plain");
    let binary = Resource::new(BINARY, "static-binary").with_mime_type("image/png");
    let watched = Resource::new(WATCHED, "watched-resource").with_mime_type("text/plain");
    vec![
        text.with_description("A text that stays as it is"),
        binary.with_description("An image that stays as it is"),
        watched.with_description("A text that may be subscribed to"),
    ]
}

/// Lists the one template.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let template = ResourceTemplate::new(TEMPLATE, "template").with_mime_type("application/json");
    vec![template.with_description("Data about an id")]
}

/// Reads a resource.
pub(crate) fn read(uri: &str) -> Result<ResourceContents, ErrorData> {
    match uri {
        TEXT => {
            let text = "This is the content of the static text resource.";
            return Ok(text_resource(uri, "text/plain", text));
        }
        BINARY => {
            return Ok(ResourceContents::BlobResourceContents {
                uri: uri.to_owned(),
                mime_type: Some("image/png".to_owned()),
                blob: IMAGE.to_owned(),
                meta: None,
            });
        }
        WATCHED => return Ok(text_resource(uri, "text/plain", "watched")),
        _ => {}
    }
    let (before, after) = TEMPLATE.split_once("{id}").expect("the template has an id");
    let id = uri.strip_prefix(before);
    let Some(id) = id.and_then(|rest| rest.strip_suffix(after)) else {
        let data = json!({ "uri": uri });
        return Err(ErrorData::resource_not_found(
            "resource not found",
            Some(data),
        ));
    };
    let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
    Ok(text_resource(uri, "application/json", &data.to_string()))
}
