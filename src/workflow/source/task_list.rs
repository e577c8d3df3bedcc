//! `spec_tasks_parser`: a plan from a Markdown list of tasks, usually `tasks.md`.
//!
//! The text is read as `CommonMark` with tables. What counts is its headings, paragraphs and list
//! items; code blocks, quotes, tables and HTML are passed over. Emphasis is taken off, code keeps
//! its backticks. `SEP` is one of `:` `.` `-` `–` `—` `−` `)`; "bare" text begins with its first
//! letter or digit, after check box and emoji.
//!
//! ```text
//! document  := node* phase+                 nodes before the first phase are passed over
//! phase     := phase-head node*             up to the next phase-head
//! phase-head:= heading, bare:  … "phase" [#] N SEP name     any case, any level; N is whole, 0 too
//!                              if words stand before "phase", the heading must not say "task"
//!            | heading, bare:  N SEP name   of the highest level that has such headings, if no
//!                              heading says "phase N SEP name"; or if a task N.x stands below it
//! closing   := heading of the phase's level or above that says neither "task" (unless about
//!              dependencies), "validation", "gate" nor "phase N": what follows is of no phase
//! task      := task-head node*              an item: the item; a heading: up to the next heading of
//!                                           its level; else up to the next heading, task or gate
//! task-head := "task" [#:] N.M SEP [name]   any case; the beginning of a heading, paragraph or item
//!            | heading  … "task" N.M [SEP] name
//!            | weak:    N.M [SEP] name      heading or paragraph; an item with check box or colon
//!            | weak:    paragraph "task" N.M name
//!            | weak:    … "Task N.M:" name  paragraph or item, as written, if it is no label's line
//! label     := LABEL ["(" … ")"] (":" | " DASH ") value      words may stand before LABEL
//! gate      := heading, paragraph or item that says "validation gate" (an item also "validation"):
//!              the first list after it, or the list inside it
//! criterion := item with check box, ticked or not; if a list has none, each item
//! ```
//!
//! | field | from | if there is none |
//! |---|---|---|
//! | description | objective, goal, purpose; the last counts | `Phase N objectives` |
//! | duration | estimated duration, effort, time; timeframe; duration | `Variable` |
//! | task id | `N.M` or `N-M`, `N.M` in the plan | |
//! | task name, description | the rest of the line | `Task N.M` |
//! | time | estimated time, estimated duration, time, duration, estimate, effort, human baseline | `Variable` |
//! | dependencies | dependencies, depends on, requires, after: each `N.M` or `N-M` that is not part of another word (`Python 3.11`); else the words between commas; `none` for none | none |
//! | acceptance criteria | the list below "acceptance criteria", as label or heading; without it, all check boxes of the task | none |
//! | steps | the task's other items | none |
//! | gate criteria | the gate's list | none |
//!
//! A weak task head counts if `N` is the open phase's number and the id is not there otherwise.
//!
//! Where this differs from the Python server, which this reads all lists of: phase 0 is kept; a
//! phase may be named after tasks (`Phase 1: Task queue`); en dashes separate; ticked boxes are
//! kept; a task that is a heading or a paragraph keeps its criteria; a gate ends with its list;
//! lines that go on are joined; headings that only hold a number (`2024 Roadmap`, `Chapter 7`), and
//! numbered ones beside worded ones (`3. Risks`), are no phases; a sentence that mentions a task is
//! none. Twofold or missing phase numbers, twofold ids, and dependencies on tasks that are not
//! there or that wait for each other are errors.

mod headings;
mod labels;
mod outline;
mod phase;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::{
    headings::{Heading, PhaseHead, phase_heading, task_head},
    outline::{Kind, Line, outline},
};
use super::{place::Places, plan::Plan};
use crate::workflow::Fault;

/// Parses the text of `file`.
///
/// # Errors
///
/// Names line and column, what is wrong and what is expected.
pub(super) fn parse(file: &Path, text: &str) -> Result<Plan, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    let places = Places::of(text);
    let lines = outline(text);
    if lines.is_empty() {
        let problem = format!("is empty; expected {EXAMPLE}");
        return Err(Fault::new(file, problem));
    }
    let heads =
        phase_heads(&lines).map_err(|(line, problem)| places.at(line.at).fault(file, problem))?;
    if heads.is_empty() {
        let (at, problem) = no_phases(&lines);
        return Err(places.at(at).fault(file, problem));
    }
    let ends = heads.iter().skip(1).map(|(at, _)| *at).chain([lines.len()]);
    let phases = heads.iter().zip(ends);
    let phases = phases.map(|((at, head), end)| phase::read(head, &lines[*at..end], &places));
    Plan::new(file, phases.collect())
}

const EXAMPLE: &str = "phases, each under a heading such as `## Phase 1: Name`";

/// Finds the headings that open phases, by their place among the lines.
fn phase_heads(lines: &[Line]) -> Result<Vec<(usize, PhaseHead)>, (&Line, String)> {
    let mut worded = Vec::new();
    let mut numbered = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(level) = level(line) else {
            continue;
        };
        match phase_heading(&line.text) {
            Heading::Phase(head) => worded.push((at, head)),
            Heading::Numbered(head) => numbered.push((at, level, head)),
            Heading::Fraction(number) => {
                let problem = format!("phase {number} is no whole number; expected {EXAMPLE}");
                return Err((line, problem));
            }
            Heading::Other => {}
        }
    }
    let top = numbered.iter().map(|(_, level, _)| *level).min();
    let alone = worded.is_empty();
    let opens = |(at, level, head): &(usize, u8, PhaseHead)| {
        alone && Some(*level) == top || holds_task(&lines[*at..], *level, head.number)
    };
    numbered.retain(opens);
    worded.extend(numbered.into_iter().map(|(at, _, head)| (at, head)));
    worded.sort_by_key(|(at, _)| *at);
    Ok(worded)
}

/// Says whether a task of phase `number` stands below the heading that `lines` begins with.
fn holds_task(lines: &[Line], heading: u8, number: u32) -> bool {
    let below = lines.iter().skip(1);
    let mut below = below.take_while(|line| level(line).is_none_or(|level| level > heading));
    below.any(|line| task_head(line).is_some_and(|task| task.strong && task.id.phase == number))
}

fn level(line: &Line) -> Option<u8> {
    match line.kind {
        Kind::Heading(level) => Some(level),
        Kind::Paragraph | Kind::Item => None,
    }
}

/// Says why there are no phases, at the heading that comes closest.
fn no_phases(lines: &[Line]) -> (usize, String) {
    let near = lines.iter().find(|line| {
        let text = line.text.to_lowercase();
        level(line).is_some() && text.contains("phase")
    });
    match near {
        Some(line) => {
            let text: String = line.text.chars().take(80).collect();
            let problem = format!(
                "no phases: `{text}` has no number, separator and name; expected {EXAMPLE}"
            );
            (line.at, problem)
        }
        None => (0, format!("no phases; expected {EXAMPLE}")),
    }
}
