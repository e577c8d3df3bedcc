//! `phase.md` and the tasks' files of a new workflow.

use std::fmt::Write as _;

use super::{one_line, task_file, title};
use crate::workflow::{PlannedPhase, PlannedTask};

/// Renders the text of a phase.
pub(super) fn phase(phase: &PlannedPhase, deliverable: Option<&str>) -> String {
    let mut text = format!("# Phase {}: {}\n\n", phase.number, title(phase));
    paragraph(&mut text, "Purpose", &phase.description);
    paragraph(&mut text, "Deliverable", deliverable.unwrap_or_default());
    paragraph(&mut text, "Estimated time", &phase.duration);
    if !phase.tasks.is_empty() {
        text.push_str("## Tasks\n\nDo them in this order, one at a time.\n\n");
        for task in &phase.tasks {
            let (number, name, file) = (task.id.task, one_line(&task.name), task_file(task));
            let purpose = one_line(&task.description);
            let colon = if purpose.is_empty() { "" } else { ": " };
            line(
                &mut text,
                format_args!("- Task {number}: [{name}]({file}){colon}{purpose}"),
            );
        }
        text.push('\n');
    }
    text.push_str("## Gate\n\n");
    if phase.evidence.is_empty() {
        text.push_str("This phase asks for no evidence.\n");
    } else {
        text.push_str("Hand in as evidence:\n\n");
    }
    for field in &phase.evidence {
        let (name, kind, what) = (&field.name, &field.kind, one_line(&field.description));
        line(&mut text, format_args!("- `{name}` ({kind}): {what}"));
    }
    text
}

/// Renders the text of a task.
pub(super) fn task(phase: &PlannedPhase, task: &PlannedTask) -> String {
    let mut text = format!("# Task {}: {}\n\n", task.id.task, one_line(&task.name));
    paragraph(
        &mut text,
        "Phase",
        &format!("{} ({})", phase.number, title(phase)),
    );
    paragraph(&mut text, "Purpose", &task.description);
    paragraph(&mut text, "Needs", &task.dependencies.join(", "));
    text.push_str("## Steps\n\n");
    for (nth, step) in task.steps.iter().enumerate() {
        line(&mut text, format_args!("{}. {}", nth + 1, one_line(step)));
    }
    if task.steps.is_empty() {
        text.push_str("1. Say here, step by step, what is to be done and how it is checked.\n");
    }
    text.push_str("\n## Done when\n\n");
    for criterion in &task.acceptance_criteria {
        line(&mut text, format_args!("- {}", one_line(criterion)));
    }
    if task.acceptance_criteria.is_empty() {
        text.push_str("- Say here what can be seen when the task is done.\n");
    }
    text
}

fn paragraph(text: &mut String, label: &str, body: &str) {
    if !body.trim().is_empty() {
        line(text, format_args!("**{label}:** {}\n", one_line(body)));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all");
}
