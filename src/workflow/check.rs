//! Every fault of every workflow: what the engine meets one by one, and what authors forget.

mod gate;
mod metadata;
mod phases;

use std::path::Path;

use super::{Definition, Error, Fault, WorkflowType, content::Content, content::workflow_file};

/// Reads all workflows below `content` and names everything that is wrong with them, sorted by
/// file and line. Blocks the thread.
pub fn check(content: &Path) -> Vec<Fault> {
    let reader = Content::new(content);
    let mut faults = Vec::new();
    match reader.names(Path::new("workflows")) {
        Err(fault) => faults.push(fault),
        Ok(names) => {
            for name in names {
                faults.extend(check_entry(&reader, &name));
            }
        }
    }
    // From here on they are read by people, who stand elsewhere.
    for fault in &mut faults {
        fault.path = content.join(&fault.path);
    }
    faults.sort();
    faults.dedup();
    faults
}

fn check_entry(content: &Content, name: &str) -> Vec<Fault> {
    let path = Path::new("workflows").join(name);
    if !content.is_dir(&path) {
        return Vec::new();
    }
    match WorkflowType::try_from(name) {
        Ok(workflow) => check_workflow(content, &workflow),
        Err(error) => vec![Fault::new(path, error.to_string())],
    }
}

fn check_workflow(content: &Content, workflow: &WorkflowType) -> Vec<Fault> {
    let path = workflow_file(workflow, "metadata.json");
    let text = match content.read_required(&path) {
        Ok(text) => text,
        Err(fault) => return vec![fault],
    };
    let definition = match Definition::read(content, workflow) {
        Ok(definition) => definition,
        Err(Error::Content(fault)) => return vec![fault],
        Err(error) => return vec![Fault::new(path, error.to_string())],
    };
    let lines = metadata::Lines::of(&path, &text);
    let mut faults = metadata::check(&lines, &text, workflow);
    faults.extend(phases::check(content, &definition, &lines));
    faults
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let content = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = content.path().join("workflows").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let prefix = content.path().join("workflows").display().to_string();
        check(content.path())
            .iter()
            .map(|fault| fault.to_string().replacen(&format!("{prefix}/"), "", 1))
            .collect()
    }

    const METADATA: &str = r#"{
  "workflow_type": "w",
  "version": "1",
  "description": "d",
  "total_phases": 1,
  "estimated_duration": "1 hour",
  "primary_outputs": [],
  "phases": [{
    "phase_number": 0, "phase_name": "n", "purpose": "p", "estimated_effort": "e",
    "key_deliverables": [], "validation_criteria": [],
    "tasks": [{"task_number": 1, "name": "t", "file": "task-1-t.md"}]
  }]
}"#;
    const GATE: &str = "checkpoint: {strict: true}\nevidence_schema: {}\n";

    #[test]
    fn a_whole_workflow_has_no_faults() {
        let files = [
            ("w/metadata.json", METADATA),
            ("w/phases/0/phase.md", "# P"),
            ("w/phases/0/task-1-t.md", "# T"),
            ("w/phases/0/gate-definition.yaml", GATE),
        ];

        assert_eq!(faults(&files), [""; 0]);
    }

    #[test]
    fn each_fault_is_named_with_file_and_line() {
        let bare = METADATA.replace("  \"estimated_duration\": \"1 hour\",\n", "");
        let gate = "checkpoint:\n  strict: perhaps\nevidence_schema: {}\n";
        let files = [
            ("w/metadata.json", bare.as_str()),
            ("w/phases/0/phase.md", "# P"),
            ("w/phases/0/task-2-u.md", "# U"),
            ("w/phases/0/gate-definition.yaml", gate),
            ("w/phases/7/phase.md", "# P"),
            ("broken/metadata.json", "{\n  \"phases\": [,]\n}"),
            ("empty/phases/0/phase.md", "# P"),
        ];

        let faults = faults(&files);

        let expected = [
            "broken/metadata.json:2: ",
            "empty/metadata.json: this file does not exist",
            "w/metadata.json:1: `estimated_duration` is missing",
            "w/phases/0/gate-definition.yaml:2: this gate is broken",
            "w/phases/0/task-1-t.md: this file does not exist; it is named in w/metadata.json:10",
            "w/phases/0/task-2-u.md: no task of phase 0 names this file",
            "w/phases/7: this directory is of no phase",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, expected) in faults.iter().zip(expected) {
            let expected = expected.replace("in w/", "in workflows/w/");
            assert!(fault.starts_with(&expected), "{fault} / {expected}");
        }
    }
}
