//! What a caller sent, taken apart by hand: each error names the argument, its value and the rule.

use rmcp::model::JsonObject;
use serde_json::{Map, Value};

use super::{
    input::{ARGUMENTS, Action, Detail},
    refusal,
};
use crate::{
    mcp::{
        error::ToolError,
        shown::{shortened, shown},
    },
    workflow::{
        Cursor, MAX_LISTED, Note, Phase, Prefix, SessionId, SessionQuery, Sort, Status, Submitted,
        TargetFile, WorkflowType,
    },
};

/// The largest number of a phase or a task: beyond, it is a slip.
const MAX_NUMBER: u32 = 9_999;

/// The longest category in bytes.
const MAX_CATEGORY_BYTES: usize = 128;

/// The arguments of one call, whose action is known.
#[derive(Debug)]
pub(super) struct Arguments {
    action: Action,
    /// Without nulls: to send one is to leave the argument out.
    given: JsonObject,
}

impl Arguments {
    /// Finds the action and refuses arguments that there are not.
    pub(super) fn new(mut given: JsonObject) -> Result<Self, ToolError> {
        given.retain(|_, value| !value.is_null());
        let action = match given.get("action") {
            None => {
                return Err(refusal::of_action(
                    "",
                    "the argument `action` is missing".into(),
                ));
            }
            Some(Value::String(name)) => Action::named(name).ok_or_else(|| {
                let name = shortened(name);
                refusal::of_action(&name, format!("there is no action `{name}`"))
            })?,
            Some(other) => {
                let error = format!("`action` is {}, expected a string", shown(other));
                return Err(refusal::of_action("", error));
            }
        };
        let unknown = |name: &&String| !ARGUMENTS.contains(&name.as_str());
        if let Some(name) = given.keys().find(unknown) {
            let error = format!("there is no argument `{}`", shortened(name));
            let remediation = format!("the arguments are: {}", ARGUMENTS.join(", "));
            return Err(refusal::of_argument(
                action.as_str(),
                error,
                Some(remediation),
            ));
        }
        Ok(Self { action, given })
    }

    pub(super) fn action(&self) -> Action {
        self.action
    }

    pub(super) fn session_id(&self) -> Result<SessionId, ToolError> {
        let text = self.required_text("session_id", "\"0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3b\"")?;
        SessionId::try_from(text).map_err(|error| self.refuse("session_id", &error.to_string()))
    }

    pub(super) fn workflow_type(&self) -> Result<WorkflowType, ToolError> {
        let text = self.required_text("workflow_type", "\"spec_creation_v1\"")?;
        WorkflowType::try_from(text)
            .map_err(|error| self.refuse("workflow_type", &error.to_string()))
    }

    pub(super) fn target_file(&self) -> Result<TargetFile, ToolError> {
        let text = self.required_text("target_file", "\"src/parser.rs\"")?;
        TargetFile::try_from(text).map_err(|error| self.refuse("target_file", &error.to_string()))
    }

    pub(super) fn options(&mut self) -> Result<Map<String, Value>, ToolError> {
        Ok(self.object("options")?.unwrap_or_default())
    }

    pub(super) fn evidence(&mut self) -> Result<Map<String, Value>, ToolError> {
        match self.object("evidence")? {
            Some(evidence) => Ok(evidence),
            None => Err(self.missing("evidence", "{\"tests_pass\": true}")),
        }
    }

    pub(super) fn override_reason(&self) -> Result<Option<String>, ToolError> {
        Ok(self.text("override_reason")?.map(str::to_owned))
    }

    pub(super) fn phase(&self) -> Result<Phase, ToolError> {
        let phase = self.phase_if_given()?;
        phase.ok_or_else(|| self.missing("phase", "0"))
    }

    pub(super) fn phase_if_given(&self) -> Result<Option<Phase>, ToolError> {
        Ok(self.number("phase")?.map(Phase))
    }

    pub(super) fn task_number(&self) -> Result<u32, ToolError> {
        let number = self.number("task_number")?;
        number.ok_or_else(|| self.missing("task_number", "1"))
    }

    pub(super) fn category(&self) -> Result<Option<&str>, ToolError> {
        match self.text("category")? {
            Some(category) if category.len() > MAX_CATEGORY_BYTES => {
                let rule = format!("is longer than {MAX_CATEGORY_BYTES} bytes");
                Err(self.refuse("category", &format!("`{}` {rule}", shortened(category))))
            }
            category => Ok(category),
        }
    }

    pub(super) fn query(&self) -> Result<SessionQuery, ToolError> {
        let workflow = self.text("workflow_type")?;
        let workflow = workflow.map(WorkflowType::try_from).transpose();
        let prefix = self.text("target_file")?.map(Prefix::try_from).transpose();
        let cursor = self.text("cursor")?.map(Cursor::try_from).transpose();
        Ok(SessionQuery {
            owner: None,
            status: self.status()?,
            workflow: workflow.map_err(|error| self.refuse("workflow_type", &error.to_string()))?,
            target_prefix: prefix
                .map_err(|error| self.refuse("target_file", &error.to_string()))?,
            sort: self.sort()?,
            limit: self.limit()?,
            cursor: cursor.map_err(|error| refusal::of_cursor(self.action, &error))?,
        })
    }

    fn sort(&self) -> Result<Sort, ToolError> {
        let Some(name) = self.text("sort")? else {
            return Ok(Sort::default());
        };
        let known = Sort::ALL.into_iter().find(|sort| sort.as_str() == name);
        known.ok_or_else(|| {
            let names = Sort::ALL.map(Sort::as_str).join(" or ");
            self.refuse("sort", &format!("`{}` is not {names}", shortened(name)))
        })
    }

    fn limit(&self) -> Result<usize, ToolError> {
        match self.number("limit")? {
            None => Ok(MAX_LISTED),
            // What is beyond usize is beyond the bound.
            Some(limit) => match usize::try_from(limit).unwrap_or(usize::MAX) {
                limit @ 1..=MAX_LISTED => Ok(limit),
                limit => {
                    let rule = format!("{limit} is not from 1 to {MAX_LISTED}");
                    Err(self.refuse("limit", &rule))
                }
            },
        }
    }

    fn status(&self) -> Result<Option<Status>, ToolError> {
        let Some(name) = self.text("status")? else {
            return Ok(None);
        };
        let mut all = Status::ALL.into_iter();
        all.find(|status| status.as_str() == name)
            .map(Some)
            .ok_or_else(|| {
                let names = Status::ALL.map(Status::as_str).join(", ");
                self.refuse(
                    "status",
                    &format!("`{}` is not one of {names}", shortened(name)),
                )
            })
    }

    pub(super) fn reason(&self) -> Result<Option<Note>, ToolError> {
        self.note("reason")
    }

    pub(super) fn checkpoint_note(&self) -> Result<Option<Note>, ToolError> {
        self.note("checkpoint_note")
    }

    pub(super) fn submitted(&self) -> Result<Submitted, ToolError> {
        match self.given.get("reset_evidence") {
            None | Some(Value::Bool(false)) => Ok(Submitted::Kept),
            Some(Value::Bool(true)) => Ok(Submitted::Archived),
            Some(other) => Err(self.mistyped("reset_evidence", other, "true or false")),
        }
    }

    pub(super) fn to_phase(&self) -> Result<Phase, ToolError> {
        let phase = self.number("to_phase")?.map(Phase);
        phase.ok_or_else(|| self.missing("to_phase", "0"))
    }

    fn note(&self, name: &'static str) -> Result<Option<Note>, ToolError> {
        let note = self.text(name)?.map(|text| Note::new(name, text));
        note.transpose()
            .map_err(|error| self.refuse(name, &error.to_string()))
    }

    pub(super) fn detail(&self) -> Result<Detail, ToolError> {
        match self.text("detail")? {
            None | Some("full") => Ok(Detail::Full),
            Some("links") => Ok(Detail::Links),
            Some(other) => {
                let error = format!("`{}` is not one of full, links", shortened(other));
                Err(self.refuse("detail", &error))
            }
        }
    }

    fn required_text(&self, name: &str, example: &str) -> Result<&str, ToolError> {
        self.text(name)?.ok_or_else(|| self.missing(name, example))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ToolError> {
        match self.given.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(name, other, "a string")),
        }
    }

    /// Numbers may come as floats: some clients know no others.
    fn number(&self, name: &str) -> Result<Option<u32>, ToolError> {
        let Some(value) = self.given.get(name) else {
            return Ok(None);
        };
        let whole = match value {
            Value::Number(number) => number
                .as_u64()
                .map(|whole| whole as f64)
                .or(number.as_f64()),
            _ => None,
        };
        match whole {
            Some(whole)
                if whole.fract() == 0.0 && (0.0..=f64::from(MAX_NUMBER)).contains(&whole) =>
            {
                // In range, as was just seen.
                Ok(Some(whole as u32))
            }
            _ => {
                let expected = format!("a whole number from 0 to {MAX_NUMBER}");
                Err(self.mistyped(name, value, &expected))
            }
        }
    }

    fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, ToolError> {
        match self.given.remove(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(self.mistyped(name, &other, "an object")),
        }
    }

    fn missing(&self, name: &str, example: &str) -> ToolError {
        let action = self.action.as_str();
        let error = format!("{action} needs the argument `{name}`");
        let remediation = format!("add it, such as \"{name}\": {example}");
        refusal::of_argument(action, error, Some(remediation))
    }

    fn mistyped(&self, name: &str, value: &Value, expected: &str) -> ToolError {
        let error = format!("`{name}` is {}, expected {expected}", shown(value));
        refusal::of_argument(self.action.as_str(), error, None)
    }

    fn refuse(&self, name: &str, error: &str) -> ToolError {
        refusal::of_argument(self.action.as_str(), format!("{name}: {error}"), None)
    }
}
