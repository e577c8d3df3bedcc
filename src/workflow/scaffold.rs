//! A new workflow from a definition: every file that it needs, written at once or not at all.

mod dynamic;
mod gate;
mod metadata;
mod publish;
mod texts;

use std::path::{Path, PathBuf};

use super::{
    DefinedWorkflow, Error, Fault, PlannedPhase, PlannedTask, WorkflowType, content::workflow_file,
    source::definition_file,
};

/// What is scaffolded where no definition is given: two phases, ready to be run.
pub const EXAMPLE: &str = include_str!("scaffold/example.yaml");

/// The largest definition in bytes: the largest real one has 30 KB.
const MAX_DEFINITION_BYTES: usize = 1024 * 1024;

/// The longest part of a file's name that comes from a task's.
const MAX_SLUG_BYTES: usize = 60;

/// A workflow that was made.
#[derive(Clone, Debug)]
pub struct Scaffolded {
    /// Its name.
    pub workflow: WorkflowType,
    /// Its files, relative to the content directory, in the order in which they are read.
    pub files: Vec<PathBuf>,
    /// What of the definition no workflow can have, and what was made instead.
    pub note: Option<String>,
}

/// A file to be written, relative to the workflow's directory.
pub(super) struct Draft {
    path: PathBuf,
    text: String,
}

impl Draft {
    fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self {
            path: path.into(),
            text,
        }
    }
}

/// Makes the workflow `name` below `content` of a definition, which stands in `file`. Blocks the
/// thread.
///
/// # Errors
///
/// As [`parse`] and [`create`].
pub fn scaffold(
    content: &Path,
    name: &WorkflowType,
    file: &Path,
    definition: &str,
) -> Result<Scaffolded, Error> {
    create(content, name, parse(file, definition)?)
}

/// Parses a definition, whose faults are said to be in `file`.
///
/// # Errors
///
/// [`Error::TooLarge`], or [`Error::Definition`] with line and column.
pub(super) fn parse(file: &Path, text: &str) -> Result<DefinedWorkflow, Error> {
    let bytes = text.len();
    if bytes > MAX_DEFINITION_BYTES {
        return Err(Error::TooLarge {
            what: "the definition",
            bytes,
            most: MAX_DEFINITION_BYTES,
        });
    }
    let defined = definition_file::parse(file, text).map_err(Error::Definition)?;
    for phase in &defined.plan.phases {
        let wrong = phase
            .evidence
            .iter()
            .find(|field| !gate::is_type(&field.kind));
        if let Some(field) = wrong {
            let problem = format!(
                "phase {}: the field `{}` is of type `{}`, expected one of {}",
                phase.number,
                field.name,
                field.kind,
                gate::TYPES.join(", ")
            );
            let fault = Fault::new(file, problem).at_line(phase.place.line);
            return Err(Error::Definition(fault));
        }
    }
    Ok(defined)
}

/// Takes the dynamic phases out of a definition that has others after them: a session would not
/// know their numbers. Returns what is to be said of that.
fn without_phases_between(defined: &mut DefinedWorkflow) -> Option<String> {
    let after = defined.after_dynamic.take()?;
    defined.dynamic = None;
    Some(format!(
        "the definition is dynamic, and its phase `{after}` comes after the dynamic phases, which must \
         be the last: they were left out, and the phases after them counted on"
    ))
}

/// Makes the workflow `name` below `content`. Of callers who race for a name, one makes it.
/// Blocks the thread.
///
/// # Errors
///
/// [`Error::WorkflowExists`], [`Error::ReadOnly`] if the content cannot be written.
pub(super) fn create(
    content: &Path,
    name: &WorkflowType,
    mut defined: DefinedWorkflow,
) -> Result<Scaffolded, Error> {
    let note = without_phases_between(&mut defined);
    let drafts = drafts(name, &defined);
    publish::publish(content, name, &drafts)?;
    let files = drafts
        .iter()
        .map(|draft| workflow_file(name, "").join(&draft.path));
    Ok(Scaffolded {
        workflow: name.clone(),
        files: files.collect(),
        note,
    })
}

fn drafts(name: &WorkflowType, defined: &DefinedWorkflow) -> Vec<Draft> {
    let mut drafts = vec![Draft::new("metadata.json", metadata::render(name, defined))];
    for phase in &defined.plan.phases {
        let directory = Path::new("phases").join(phase.number.to_string());
        let deliverable = defined.deliverables.get(&phase.number).map(String::as_str);
        let text = texts::phase(phase, deliverable);
        drafts.push(Draft::new(directory.join("phase.md"), text));
        for task in &phase.tasks {
            let path = directory.join(task_file(task));
            drafts.push(Draft::new(path, texts::task(phase, task)));
        }
        let path = directory.join("gate-definition.yaml");
        drafts.push(Draft::new(path, gate::render(phase)));
    }
    if defined.dynamic.is_some() {
        drafts.extend(dynamic::drafts());
    }
    drafts
}

/// Names the file of a task.
fn task_file(task: &PlannedTask) -> String {
    format!("task-{}-{}.md", task.id.task, slug(&task.name))
}

/// Returns a name that is safe and readable in a path.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if slug.len() >= MAX_SLUG_BYTES {
            break;
        }
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    match slug.trim_end_matches('-') {
        "" => "task".to_owned(),
        slug => slug.to_owned(),
    }
}

/// Returns a text on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what a phase is called.
fn title(phase: &PlannedPhase) -> String {
    one_line(&phase.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_safe_part_of_a_file_name() {
        let long = "word ".repeat(40);
        let cases = [
            ("scan-api-routes", "scan-api-routes"),
            ("Write the *first* test!", "write-the-first-test"),
            ("../../etc/passwd", "etc-passwd"),
            ("ÄÖÜ", "task"),
            ("", "task"),
            ("a\0b\nc", "a-b-c"),
        ];
        for (name, expected) in cases {
            assert_eq!(slug(name), expected, "{name:?}");
        }
        assert!(slug(&long).len() <= MAX_SLUG_BYTES);
    }
}
