//! What a tool has to say, in both forms that MCP has for it.

use std::sync::Arc;

use rmcp::model::{CallToolResult, ContentBlock, Resource};
use serde::Serialize;
use serde_json::Value;

use super::error::ToolError;

/// An answer as structure, and the same as text for clients that do not read structure.
#[derive(Debug)]
pub(super) struct Rendered {
    text: String,
    structure: Value,
    links: Vec<Resource>,
}

impl Rendered {
    /// Renders `view`, which serialises as an object.
    ///
    /// # Errors
    ///
    /// [`ToolError::Internal`] if it has keys that are no strings.
    pub(super) fn of(view: &impl Serialize) -> Result<Self, ToolError> {
        // Twice from the view: text made of the structure costs twice as much.
        let rendered = || -> serde_json::Result<Self> {
            Ok(Self {
                text: serde_json::to_string(view)?,
                structure: serde_json::to_value(view)?,
                links: Vec::new(),
            })
        };
        rendered().map_err(|error| ToolError::Internal(Arc::new(error)))
    }

    /// Adds links to what the answer leaves out.
    pub(super) fn with_links(self, links: Vec<Resource>) -> Self {
        Self { links, ..self }
    }

    #[cfg(test)]
    pub(super) fn into_structure(self) -> Value {
        assert_eq!(self.text, self.structure.to_string());
        self.structure
    }
}

impl From<Rendered> for CallToolResult {
    fn from(rendered: Rendered) -> Self {
        let mut content = vec![ContentBlock::text(rendered.text)];
        content.extend(rendered.links.into_iter().map(ContentBlock::resource_link));
        let mut result = Self::success(content);
        result.structured_content = Some(rendered.structure);
        result
    }
}
