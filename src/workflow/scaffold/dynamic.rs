//! What a dynamic workflow has besides its own phases: how the others come about, and how they look.

use serde_json::{Value, json};

use super::Draft;
use crate::workflow::{
    DefinedSource, DefinedWorkflow, Parser, Phase,
    definition::{PHASE_TEMPLATE, TASK_TEMPLATE},
};

/// Makes the templates.
pub(super) fn drafts() -> [Draft; 2] {
    [
        (PHASE_TEMPLATE, include_str!("phase-template.md")),
        (TASK_TEMPLATE, include_str!("task-template.md")),
    ]
    .map(|(path, text)| Draft::new(path, text.to_owned()))
}

/// Renders `dynamic_config` of `metadata.json`.
pub(super) fn config(source: &DefinedSource) -> Value {
    json!({
        "source_type": source_type(source),
        "source_path_key": source.source_path_key,
        "templates": { "phase": PHASE_TEMPLATE, "task": TASK_TEMPLATE },
        "parser": source.parser.as_str(),
    })
}

/// Renders the entry of the phases that come from the source, after all others.
pub(super) fn entry(defined: &DefinedWorkflow, source: &DefinedSource) -> Value {
    let first = defined
        .plan
        .span()
        .map_or(Phase(0), |(_, last)| last.next());
    let named = match source.parser {
        Parser::TaskList => "list of tasks",
        Parser::DefinitionFile => "workflow definition",
    };
    json!({
        "phase_number": format!("{first}-N"),
        "phase_name": format!("The phases of the {named}"),
        "purpose": format!(
            "Do what the {named} says that the option {} of start names", source.source_path_key
        ),
        "estimated_effort": format!("As the {named} says"),
        "key_deliverables": [],
        "validation_criteria": [],
    })
}

fn source_type(source: &DefinedSource) -> &str {
    match (source.source_type.as_str(), source.parser) {
        ("", Parser::TaskList) => "spec_tasks_md",
        ("", Parser::DefinitionFile) => "workflow_definition",
        (named, _) => named,
    }
}
