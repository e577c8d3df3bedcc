//! What a tool has to say, in both forms that MCP has for it.

use std::sync::Arc;

use rmcp::model::{CallToolResult, ContentBlock, Resource};
use serde::Serialize;

use super::error::ToolError;

/// An answer as structure, and the same as text for clients that do not read structure.
#[derive(Debug)]
pub(super) struct Rendered {
    /// All of it; or all but what is new each time, and the closing brace.
    start: Forms,
    end: Option<Forms>,
    links: Vec<Resource>,
}

/// A part of a JSON text: as it is, and as it stands in a JSON string.
#[derive(Clone, Debug)]
pub(super) struct Forms {
    pub(super) plain: Arc<str>,
    pub(super) quoted: Arc<str>,
}

impl Rendered {
    /// Renders `view`, which serialises as an object.
    ///
    /// # Errors
    ///
    /// [`ToolError::Internal`] if it has keys that are no strings.
    pub(super) fn of(view: &impl Serialize) -> Result<Self, ToolError> {
        Ok(Self::again(Forms::whole(view)?))
    }

    /// What was rendered before.
    pub(super) fn again(forms: Forms) -> Self {
        Self {
            start: forms,
            end: None,
            links: Vec::new(),
        }
    }

    /// Continues an object that is [`Forms::open`] with the fields of `view`.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub(super) fn continued(open: Forms, view: &impl Serialize) -> Result<Self, ToolError> {
        let fields = json(view)?.replacen('{', ",", 1);
        Ok(Self {
            start: open,
            end: Some(Forms::of(&fields)),
            links: Vec::new(),
        })
    }

    /// Adds links to what the answer leaves out.
    pub(super) fn with_links(self, links: Vec<Resource>) -> Self {
        Self { links, ..self }
    }

    pub(super) fn take_links(&mut self) -> Vec<Resource> {
        std::mem::take(&mut self.links)
    }

    /// Returns the bytes of both forms together.
    pub(super) fn len(&self) -> usize {
        let parts = self
            .parts()
            .map(|part| part.plain.len() + part.quoted.len());
        parts.sum()
    }

    /// Writes it as a JSON string.
    pub(super) fn write_text(&self, into: &mut Vec<u8>) {
        into.push(b'"');
        self.parts()
            .for_each(|part| into.extend_from_slice(part.quoted.as_bytes()));
        into.push(b'"');
    }

    /// Writes it as a JSON object.
    pub(super) fn write_structure(&self, into: &mut Vec<u8>) {
        self.parts()
            .for_each(|part| into.extend_from_slice(part.plain.as_bytes()));
    }

    fn parts(&self) -> impl Iterator<Item = &Forms> {
        [&self.start].into_iter().chain(&self.end)
    }
}

impl Forms {
    /// Renders the object `view`.
    ///
    /// # Errors
    ///
    /// As [`Rendered::of`].
    pub(super) fn whole(view: &impl Serialize) -> Result<Self, ToolError> {
        Ok(Self::of(&json(view)?))
    }

    /// Renders the object `view`, which has fields, so that more of them can follow.
    ///
    /// # Errors
    ///
    /// As [`Rendered::of`].
    pub(super) fn open(view: &impl Serialize) -> Result<Self, ToolError> {
        let mut object = json(view)?;
        object.pop();
        Ok(Self::of(&object))
    }

    fn of(plain: &str) -> Self {
        let quoted = serde_json::to_string(plain).expect("a text can be quoted");
        Self {
            plain: plain.into(),
            quoted: quoted[1..quoted.len() - 1].into(),
        }
    }
}

/// As they are kept with the value that they show.
impl From<Forms> for [Arc<str>; 2] {
    fn from(Forms { plain, quoted }: Forms) -> Self {
        [plain, quoted]
    }
}

impl From<[Arc<str>; 2]> for Forms {
    fn from([plain, quoted]: [Arc<str>; 2]) -> Self {
        Self { plain, quoted }
    }
}

fn json(view: &impl Serialize) -> Result<String, ToolError> {
    serde_json::to_string(view).map_err(|error| ToolError::Internal(Arc::new(error)))
}

impl From<Rendered> for CallToolResult {
    /// The answer as it goes where nothing puts it in the place of a mark.
    fn from(rendered: Rendered) -> Self {
        let text: String = rendered.parts().map(|part| &*part.plain).collect();
        let structure = serde_json::from_str(&text).expect("it was rendered as JSON");
        let mut content = vec![ContentBlock::text(text)];
        content.extend(rendered.links.into_iter().map(ContentBlock::resource_link));
        let mut result = Self::success(content);
        result.structured_content = Some(structure);
        result
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_goes_on_in_both_forms() {
        let view = json!({ "say": "\"{\n" });
        let open = Forms::open(&view).unwrap();

        let rendered = Rendered::continued(open, &json!({ "ms": 0.5, "why": "{\"" })).unwrap();

        let expected = json!({ "say": "\"{\n", "ms": 0.5, "why": "{\"" });
        let (mut text, mut structure) = (Vec::new(), Vec::new());
        rendered.write_text(&mut text);
        rendered.write_structure(&mut structure);
        assert_eq!(text.len() + structure.len(), rendered.len() + 2);
        assert_eq!(String::from_utf8(structure).unwrap(), expected.to_string());
        let text: String = serde_json::from_slice(&text).unwrap();
        assert_eq!(text, expected.to_string());
        let result = CallToolResult::from(rendered);
        assert_eq!(result.structured_content, Some(expected));
        assert_eq!(result.content[0].as_text().unwrap().text, text);
    }
}
