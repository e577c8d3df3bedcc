//! Phase and task templates.
//!
//! A placeholder is replaced once: what is inserted is text, also if it looks like another
//! placeholder. What looks like one and is none, such as `[N.1]`, stays.

use super::plan::{PlannedPhase, PlannedTask};

/// The largest text in bytes that a template may grow to: as large as a file of content may be,
/// since it goes to an agent as a whole too.
const MAX_RENDERED_BYTES: usize = 1024 * 1024;

/// A text that would be larger than 1 MiB.
#[derive(Debug, thiserror::Error)]
#[error("the template would grow beyond {MAX_RENDERED_BYTES} bytes: use fewer placeholders")]
pub(in crate::workflow) struct TooLarge;

/// What a placeholder is replaced by.
type Value = (&'static str, String);

/// Fills in the template of a phase.
pub(in crate::workflow) fn phase(template: &str, phase: &PlannedPhase) -> Result<String, TooLarge> {
    let values = [
        ("[PHASE_NUMBER]", phase.number.to_string()),
        ("[PHASE_NAME]", phase.name.clone()),
        ("[PHASE_DESCRIPTION]", phase.description.clone()),
        ("[ESTIMATED_DURATION]", phase.duration.clone()),
        ("[TASK_COUNT]", phase.tasks.len().to_string()),
        ("[NEXT_PHASE_NUMBER]", phase.number.next().to_string()),
        ("[VALIDATION_GATE]", checklist(&phase.criteria)),
    ];
    fill(template, &values)
}

/// Fills in the template of a task of `phase`; `next` is the number by which `get_task` knows the
/// task after it.
pub(in crate::workflow) fn task(
    template: &str,
    phase: &PlannedPhase,
    task: &PlannedTask,
    next: Option<u32>,
) -> Result<String, TooLarge> {
    let dependencies = match task.dependencies.is_empty() {
        true => "None".to_owned(),
        false => task.dependencies.join(", "),
    };
    let next = next.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let values = [
        ("[TASK_ID]", task.id.to_string()),
        ("[TASK_NAME]", task.name.clone()),
        ("[TASK_DESCRIPTION]", task.description.clone()),
        ("[ESTIMATED_TIME]", task.time.clone()),
        ("[PHASE_NUMBER]", phase.number.to_string()),
        ("[PHASE_NAME]", phase.name.clone()),
        ("[DEPENDENCIES]", dependencies),
        (
            "[ACCEPTANCE_CRITERIA]",
            checklist(&task.acceptance_criteria),
        ),
        ("[NEXT_TASK_NUMBER]", next),
    ];
    fill(template, &values)
}

fn checklist(items: &[String]) -> String {
    let lines: Vec<_> = items.iter().map(|item| format!("- [ ] {item}")).collect();
    lines.join("\n")
}

/// Replaces placeholders in one pass over the template.
fn fill(template: &str, values: &[Value]) -> Result<String, TooLarge> {
    let template = template
        .trim_start_matches('\u{feff}')
        .replace("\r\n", "\n");
    let mut filled = String::with_capacity(template.len());
    let mut rest = template.as_str();
    while let Some(at) = rest.find('[') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let value = values.iter().find(|(name, _)| rest.starts_with(name));
        let (text, end) = value.map_or(("[", 1), |(name, value)| (value.as_str(), name.len()));
        filled.push_str(text);
        rest = &rest[end..];
        if filled.len() + rest.len() > MAX_RENDERED_BYTES {
            return Err(TooLarge);
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Phase;

    fn planned() -> (PlannedPhase, PlannedTask) {
        let task = PlannedTask {
            id: "2.1".try_into().unwrap(),
            name: "[TASK_ID]".into(),
            description: "do [TASK_NAME] [TASK_DESCRIPTION]".into(),
            time: "1 hour".into(),
            acceptance_criteria: vec!["a".into(), "[DEPENDENCIES]".into()],
            ..PlannedTask::default()
        };
        let phase = PlannedPhase {
            number: Phase(2),
            name: "Build".into(),
            description: "[PHASE_NAME]".into(),
            duration: "1 day".into(),
            tasks: vec![task.clone()],
            criteria: vec!["it works".into()],
            evidence: Vec::new(),
            place: Default::default(),
        };
        (phase, task)
    }

    #[test]
    fn every_placeholder_is_replaced_once_and_others_stay() {
        let (planned, task) = planned();
        let phases = [
            ("[PHASE_NUMBER]: [PHASE_NAME]", "2: Build"),
            ("[PHASE_DESCRIPTION]", "[PHASE_NAME]"),
            ("[ESTIMATED_DURATION], [TASK_COUNT]", "1 day, 1"),
            ("[NEXT_PHASE_NUMBER]", "3"),
            ("[VALIDATION_GATE]", "- [ ] it works"),
            (
                "[N.1] [TASK_ID] [x](y) [[PHASE_NUMBER]]",
                "[N.1] [TASK_ID] [x](y) [2]",
            ),
            ("[PHASE_NUMBER", "[PHASE_NUMBER"),
            ("\u{feff}a\r\n[PHASE_NUMBER]\r\n", "a\n2\n"),
            ("", ""),
        ];
        for (template, expected) in phases {
            assert_eq!(phase(template, &planned).unwrap(), expected, "{template:?}");
        }
        let tasks = [
            ("[TASK_ID] [TASK_NAME]", "2.1 [TASK_ID]"),
            ("[TASK_DESCRIPTION]", "do [TASK_NAME] [TASK_DESCRIPTION]"),
            (
                "[ESTIMATED_TIME] [PHASE_NUMBER] [PHASE_NAME]",
                "1 hour 2 Build",
            ),
            ("[DEPENDENCIES]", "None"),
            ("[ACCEPTANCE_CRITERIA]", "- [ ] a\n- [ ] [DEPENDENCIES]"),
            ("[NEXT_TASK_NUMBER] [TASK_COUNT]", "? [TASK_COUNT]"),
        ];
        for (template, expected) in tasks {
            let filled = super::task(template, &planned, &task, None).unwrap();
            assert_eq!(filled, expected, "{template:?}");
        }
        let next = super::task("[NEXT_TASK_NUMBER]", &planned, &task, Some(2)).unwrap();
        assert_eq!(next, "2");
    }

    #[test]
    fn a_template_cannot_grow_without_bound() {
        let (mut planned, _) = planned();
        planned.description = "x".repeat(10_000);
        let bomb = "[PHASE_DESCRIPTION]".repeat(10_000);

        assert!(phase(&bomb, &planned).is_err());
    }
}
