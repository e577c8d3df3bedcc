//! The list of tools: built once, matched by name.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde_json::json;

use super::{
    about::ServerInfoView, authoring, caller::Callers, date::DateView, error::ToolError, schema,
    search, workflow,
};
use crate::{faults::Faults, observed::RequestOutcome as Outcome};

/// The tools that there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ToolName {
    SearchStandards,
    Workflow,
    CreateWorkflow,
    ValidateWorkflow,
    GetServerInfo,
    CurrentDate,
}

impl ToolName {
    const ALL: [Self; 6] = [
        Self::SearchStandards,
        Self::Workflow,
        Self::CreateWorkflow,
        Self::ValidateWorkflow,
        Self::GetServerInfo,
        Self::CurrentDate,
    ];

    /// Returns the name on the wire, and in telemetry whatever alias was called.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SearchStandards => "search_standards",
            Self::Workflow => "workflow",
            Self::CreateWorkflow => "create_workflow",
            Self::ValidateWorkflow => "validate_workflow",
            Self::GetServerInfo => "get_server_info",
            Self::CurrentDate => "current_date",
        }
    }

    fn describe(self, ages: &str) -> Tool {
        match self {
            Self::SearchStandards => search::tool(self.as_str()),
            Self::Workflow => workflow::tool(self.as_str(), ages),
            Self::CreateWorkflow => authoring::create_tool(self.as_str()),
            Self::ValidateWorkflow => authoring::validate_tool(self.as_str()),
            Self::GetServerInfo => plain::<ServerInfoView>(
                self.as_str(),
                "Server information",
                "Version, uptime, project, what the search answers from, sessions in numbers, what \
                 caches and locks counted.",
            ),
            Self::CurrentDate => plain::<DateView>(
                self.as_str(),
                "Current date",
                "Today's date and time in every form that documents use. Ask before you write a \
                 date.",
            ),
        }
    }
}

/// Which tools are offered, and how.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// A second name of the workflow tool.
    pub workflow_alias: Option<&'a str>,
    /// Whether agents may make workflows.
    pub authoring: bool,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Whether callers are told apart.
    pub callers: Callers,
}

/// What a client sees, and what a call is looked up in.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    listed: Arc<[Tool]>,
    alias: Option<Arc<str>>,
    authoring: bool,
}

impl Tools {
    /// Describes the tools that are offered; the workflow tool once more under its alias. `ages`
    /// says how long sessions live.
    pub(super) fn new(offered: Offered<'_>, ages: &str) -> Self {
        let Offered {
            workflow_alias: alias,
            authoring,
            ..
        } = offered;
        let named = ToolName::ALL
            .into_iter()
            .filter(|tool| is_offered(*tool, authoring));
        let named = named.map(|tool| tool.describe(ages));
        let aliased = alias.map(|alias| workflow::tool(alias, ages));
        Self {
            listed: named.chain(aliased).collect(),
            alias: alias.map(Arc::from),
            authoring,
        }
    }

    pub(super) fn listed(&self) -> &[Tool] {
        &self.listed
    }

    pub(super) fn find(&self, name: &str) -> Option<ToolName> {
        if self.alias.as_deref() == Some(name) {
            return Some(ToolName::Workflow);
        }
        let mut all = ToolName::ALL.into_iter();
        all.find(|tool| tool.as_str() == name && is_offered(*tool, self.authoring))
    }
}

fn is_offered(tool: ToolName, authoring: bool) -> bool {
    authoring || tool != ToolName::CreateWorkflow
}

/// Refuses arguments of a tool that takes none.
///
/// # Errors
///
/// Names the arguments.
pub(super) fn no_arguments(tool: ToolName, arguments: &JsonObject) -> Result<(), ToolError> {
    if arguments.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = arguments.keys().map(String::as_str).take(8).collect();
    let body = json!({
        "status": "error",
        "error": format!("{} takes no arguments, got {}", tool.as_str(), names.join(", ")),
        "error_type": "ValueError",
        "remediation": "call it again with {}",
    });
    Err(ToolError::Mendable(Outcome::Invalid, body))
}

/// Describes a tool without arguments that only reads.
fn plain<View: JsonSchema>(name: &'static str, title: &str, description: &'static str) -> Tool {
    let takes_nothing = JsonObject::from_iter([
        ("type".to_owned(), json!("object")),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    let annotations = ToolAnnotations::new().read_only(true).open_world(false);
    Tool::new(name, description, takes_nothing)
        .with_title(title)
        .with_raw_output_schema(Arc::new(schema::of_answer::<View>(&[])))
        .with_annotations(annotations)
}
