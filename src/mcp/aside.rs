//! Answers that go around rmcp instead of through it.
//!
//! rmcp keeps a structured answer as a tree of values and its copy as text: both are made, moved
//! and written for each call, and that costs more than everything else that a cached search does.
//! So an HTTP request carries a place for its answer. What rmcp checks, and every byte that it
//! writes, stays as it is: only where the answer belongs it is given a mark, and the answer is put
//! in the mark's place when the message is ready.

use std::sync::{Arc, OnceLock};

use http::request::Parts;
use memchr::memmem::Finder;
use rmcp::{
    RoleServer,
    model::{CallToolResult, ContentBlock, JsonObject},
    service::RequestContext,
};
use serde_json::Value;
use uuid::Uuid;

use super::rendered::Rendered;

/// What stands for answers in the messages of one endpoint. Nobody outside can know it, so nobody
/// can send it.
#[derive(Clone, Debug)]
pub struct Mark(Arc<Marks>);

#[derive(Debug)]
struct Marks {
    name: String,
    /// The mark as rmcp writes it where text belongs.
    text: Finder<'static>,
    /// The mark as rmcp writes it where the structure belongs: an object, as that is.
    structure: Finder<'static>,
}

impl Mark {
    /// Makes a mark of 122 random bits.
    pub fn random() -> Self {
        let name = Uuid::new_v4().simple().to_string();
        Self(Arc::new(Marks {
            text: Finder::new(&format!(r#""{name}""#)).into_owned(),
            structure: Finder::new(&format!(r#"{{"{name}":null}}"#)).into_owned(),
            name,
        }))
    }
}

/// Where the answer of one HTTP request waits for the message that it belongs in: an extension of
/// the request.
#[derive(Clone, Debug)]
pub struct Aside(Arc<(Mark, OnceLock<Rendered>)>);

impl Aside {
    /// Makes a place for one answer.
    pub fn new(mark: &Mark) -> Self {
        Self(Arc::new((mark.clone(), OnceLock::new())))
    }

    /// Tells whether an answer waits here.
    pub fn is_taken(&self) -> bool {
        self.0.1.get().is_some()
    }

    /// Returns `message` with the answer in its place; none if it is not a message for an answer.
    pub fn completed(&self, message: &[u8]) -> Option<Vec<u8>> {
        let (Mark(mark), answer) = &*self.0;
        let answer = answer.get()?;
        let (before, rest) = split_once(message, &mark.text)?;
        let (between, after) = split_once(rest, &mark.structure)?;
        let mut completed = Vec::with_capacity(message.len() + answer.len());
        completed.extend_from_slice(before);
        answer.write_text(&mut completed);
        completed.extend_from_slice(between);
        answer.write_structure(&mut completed);
        completed.extend_from_slice(after);
        Some(completed)
    }

    /// Finds the place of the request that `context` is of.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Option<&Self> {
        context.extensions.get::<Parts>()?.extensions.get()
    }

    /// Leaves the answer here, and returns what rmcp is given for it.
    pub(super) fn keep(&self, mut answer: Rendered) -> CallToolResult {
        let (Mark(mark), place) = &*self.0;
        let links = answer.take_links();
        let mut result = CallToolResult::success(vec![ContentBlock::text(&*mark.name)]);
        result
            .content
            .extend(links.into_iter().map(ContentBlock::resource_link));
        let structure = JsonObject::from_iter([(mark.name.clone(), Value::Null)]);
        result.structured_content = Some(Value::Object(structure));
        // A request has one answer; of two, the first would stay.
        let _ = place.set(answer);
        result
    }
}

/// As [`str::split_once`], which prepares its search anew each time: 2,000 instructions.
fn split_once<'a>(message: &'a [u8], mark: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let at = mark.find(message)?;
    Some((&message[..at], &message[at + mark.needle().len()..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_went_aside_is_the_one_that_would_have_gone_through() {
        let view = json!({ "say": "\"yes\"\n\u{1}\\", "scores": [0.25, 7], "none": null });
        let (mark, answer) = (Mark::random(), || Rendered::of(&view).unwrap());
        let aside = Aside::new(&mark);
        let expected = serde_json::to_string(&CallToolResult::from(answer())).unwrap();

        let message = serde_json::to_vec(&aside.keep(answer())).unwrap();

        assert!(message.len() < 200);
        let completed = aside.completed(&message).unwrap();
        assert_eq!(String::from_utf8(completed).unwrap(), expected);
    }

    #[test]
    fn a_message_without_the_mark_stays_as_it_is() {
        let (mark, other) = (Mark::random(), Mark::random());
        let answer = || Rendered::of(&json!({ "a": 1 })).unwrap();
        let (aside, empty) = (Aside::new(&mark), Aside::new(&mark));

        let marked = serde_json::to_vec(&aside.keep(answer())).unwrap();
        let foreign = serde_json::to_vec(&Aside::new(&other).keep(answer())).unwrap();

        assert_eq!(aside.completed(br#"{"error":{"code":-32603}}"#), None);
        assert_eq!(aside.completed(&foreign), None);
        assert_eq!(empty.completed(&marked), None);
        assert!(aside.is_taken() && !empty.is_taken());
    }
}
