//! Every fault of every workflow: what the engine meets one by one, and what authors forget.

mod definition;
mod files;
mod finding;
mod gate;
mod keys;
mod lines;
mod links;
mod metadata;
mod phases;
mod rule;
mod schema;

use std::path::Path;

use self::metadata::Metadata;
use super::{Definition, Error, Fault, WorkflowType, content::Content, content::workflow_file};

pub(super) use self::definition::check_definition;
pub use self::{
    finding::Finding,
    rule::{ContentRule, RULES, Severity},
    schema::metadata_schema,
};

/// Reads all workflows below `content` and names everything that is wrong with them, sorted by
/// file and line. Blocks the thread.
pub fn check(content: &Path) -> Vec<Finding> {
    let reader = Content::new(content);
    let mut findings = Vec::new();
    match reader.names(Path::new("workflows")) {
        Err(fault) => findings.push(Finding::new(&rule::FILE_UNREADABLE, fault)),
        Ok(names) => {
            for name in names {
                findings.extend(check_entry(&reader, &name));
            }
        }
    }
    // From here on they are read by people, who stand elsewhere.
    for finding in &mut findings {
        finding.path = content.join(&finding.path);
    }
    sorted(findings)
}

/// Names everything that is wrong with one workflow; paths are relative to the content.
pub(super) fn check_workflow(content: &Content, workflow: &WorkflowType) -> Vec<Finding> {
    let path = workflow_file(workflow, "metadata.json");
    let text = match content.read(&path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            let fault = Fault::new(path, "this file does not exist");
            return vec![Finding::new(&rule::METADATA_MISSING, fault)];
        }
        Err(fault) => return vec![Finding::new(&rule::FILE_UNREADABLE, fault)],
    };
    let definition = match Definition::read(content, workflow) {
        Ok(definition) => definition,
        Err(Error::Content(fault)) => return vec![Finding::new(&rule::METADATA_BROKEN, fault)],
        Err(error) => {
            let fault = Fault::new(path, error.to_string());
            return vec![Finding::new(&rule::METADATA_BROKEN, fault)];
        }
    };
    let metadata = Metadata::of(&path, &text);
    let mut findings = metadata.check(workflow);
    findings.extend(phases::check(content, &definition, &metadata));
    findings.extend(files::check(content, &definition));
    sorted(findings)
}

fn check_entry(content: &Content, name: &str) -> Vec<Finding> {
    let path = Path::new("workflows").join(name);
    if !content.is_dir(&path) {
        return Vec::new();
    }
    match WorkflowType::try_from(name) {
        Ok(workflow) => check_workflow(content, &workflow),
        Err(error) => {
            let fault = Fault::new(path, error.to_string());
            vec![Finding::new(&rule::WORKFLOW_NAME, fault)]
        }
    }
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|one, other| one.place().cmp(&other.place()));
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the findings below `workflows/`, without what is to be done.
    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let content = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = content.path().join("workflows").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let prefix = content.path().join("workflows").display().to_string();
        check(content.path())
            .iter()
            .map(|finding| finding.to_string().replacen(&format!("{prefix}/"), "", 1))
            .collect()
    }

    /// Returns a whole workflow, some files of which are `changed`.
    fn whole<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut files = vec![
            ("w/metadata.json", METADATA),
            ("w/phases/0/phase.md", "# P"),
            ("w/phases/0/task-1-t.md", "# T"),
            ("w/phases/0/gate-definition.yaml", GATE),
        ];
        for (path, text) in changed {
            files.retain(|(other, _)| other != path);
            files.push((path, text));
        }
        files
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
        assert_eq!(findings(&whole(&[])), [""; 0]);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_fault_of_metadata_is_named_with_its_line() {
        let task = r#"{"task_number": 1, "name": "t", "file": "task-1-t.md"}"#;
        let twice = format!("{task},\n{task},\n{}", task.replace(": 1", ": 4"));
        let phases = METADATA.split_once("[{").unwrap().1.trim_end_matches("\n}");
        let phases = phases.trim_end_matches(']');
        let second = format!("}}, {{{phases}");
        let phase_twice = METADATA.replacen("  }]", &format!("  {second}]"), 1);
        let cases = [
            (
                "\"version\": \"1\",\n",
                "",
                "1: warning: the workflow has no `version` [metadata-key-missing]",
            ),
            (
                "\"1 hour\"",
                "60",
                "6: warning: `estimated_duration` is not a string [metadata-key-type]",
            ),
            (
                "\"version\"",
                "\"versoin\"",
                "3: warning: the workflow has a key `versoin` that nobody reads: is it `version`? [metadata-key-unknown]",
            ),
            (
                "\"purpose\": \"p\",",
                "",
                "8: warning: the phase has no `purpose` [metadata-key-missing]",
            ),
            (
                "\"w\"",
                "\"v\"",
                "2: warning: `workflow_type` is `v`, the directory's name is `w` [metadata-name]",
            ),
            (
                "\"total_phases\": 1",
                "\"total_phases\": 2",
                "8: error: `phases` has no phase 1 [phase-missing]",
            ),
            (
                "\"phase_number\": 0",
                "\"phase_number\": 5",
                "8: error: phase 5 and its 1 tasks are never reached: see `total_phases` [phase-unreachable]",
            ),
            (
                task,
                twice.as_str(),
                "12: error: task 1 of phase 0 is there twice [task-duplicate]",
            ),
            (
                task,
                twice.as_str(),
                "11: note: phase 0 has tasks up to 4 but no task 2 [task-gap]",
            ),
            (
                "task-1-t.md",
                "task-1-x.md",
                "11: error: phases/0/task-1-x.md does not exist [task-file-missing]",
            ),
            (
                ", \"file\": \"task-1-t.md\"",
                "",
                "11: error: task 1 of phase 0 names no `file` [task-without-file]",
            ),
            (
                "[{\n",
                "[,\n",
                "8: error: column 14: expected value at line 8 column 14 [metadata-broken]",
            ),
            (
                "\"total_phases\": 1,",
                "",
                "13: error: column 1: missing field `total_phases`",
            ),
            (
                METADATA,
                phase_twice.as_str(),
                "12: error: phase 0 is there twice [phase-duplicate]",
            ),
        ];
        for (part, other, expected) in cases {
            let metadata = METADATA.replacen(part, other, 1);
            assert_ne!(metadata, METADATA, "{expected}");

            let found = findings(&whole(&[("w/metadata.json", &metadata)]));

            let expected = format!("w/metadata.json:{expected}");
            assert!(
                found.iter().any(|f| f.starts_with(&expected)),
                "{expected}: {found:#?}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_fault_of_a_file_is_named_with_its_line() {
        let long = "line\n".repeat(501);
        let phase = "w/phases/0/phase.md";
        let gate = "w/phases/0/gate-definition.yaml";
        let (broken, tab) = (
            GATE.replace("true", "perhaps"),
            "checkpoint:\n\tstrict: true\n",
        );
        let cases = [
            (
                "w/phases/0/task-2-u.md",
                "# U",
                "w/phases/0/task-2-u.md:1: warning: no task of phase 0 names this file [file-unnamed]",
            ),
            (
                "w/phases/0/extra.md",
                "# X",
                "w/phases/0/extra.md:1: warning: no text of the workflow names this file [file-unnamed]",
            ),
            (
                "w/core/extra.md",
                "# X",
                "w/core/extra.md:1: note: no text of the workflow names this file [file-unmentioned]",
            ),
            (
                "w/phases/7/phase.md",
                "# P",
                "w/phases/7:1: warning: this directory is of no phase",
            ),
            (
                phase,
                "# P\n\nSee [it](../1/x.md).",
                "w/phases/0/phase.md:3: warning: the link to `../1/x.md` leads to no file [link-broken]",
            ),
            (
                phase,
                "# P\n![it](../../../../../x.png)",
                "w/phases/0/phase.md:2: warning: the link to `../../../../../x.png` leads out of",
            ),
            (
                phase,
                &long,
                "w/phases/0/phase.md:1: note: 501 lines, 2505 characters [long-file]",
            ),
            (
                phase,
                "\u{feff}# P",
                "w/phases/0/phase.md:1: warning: the file begins with a byte order mark [byte-order-mark]",
            ),
            (
                gate,
                tab,
                "w/phases/0/gate-definition.yaml:2: error: this line is indented with a tab [yaml-tab]",
            ),
            (
                gate,
                &broken,
                "w/phases/0/gate-definition.yaml:1: error: this gate is broken",
            ),
            (
                "empty/phases/0/phase.md",
                "# P",
                "empty/metadata.json:1: error: this file does not exist [metadata-missing]",
            ),
            (
                "a b/metadata.json",
                "{}",
                "a b:1: error: `a b` cannot name a workflow",
            ),
        ];
        for (path, text, expected) in cases {
            let found = findings(&whole(&[(path, text)]));

            assert!(
                found.iter().any(|f| f.starts_with(expected)),
                "{expected}: {found:#?}"
            );
        }
    }

    #[test]
    fn what_a_text_names_is_named_and_code_has_no_links() {
        let text =
            "# P\n\nUse extra.md and [core](../../core/x.md).\n\n```md\n[no](link.md)\n```\n";
        let files = [
            ("w/phases/0/phase.md", text),
            ("w/phases/0/extra.md", "# X"),
            ("w/core/x.md", "# X"),
        ];

        assert_eq!(findings(&whole(&files)), [""; 0]);
    }

    #[test]
    fn a_phase_without_text_or_gate_is_named_where_it_is_described() {
        let files: Vec<_> = whole(&[])
            .into_iter()
            .filter(|(path, _)| path.ends_with(".json") || path.contains("task"))
            .collect();

        let found = findings(&files);

        let expected = [
            "w/metadata.json:8: note: phase 0 has no gate: any evidence passes [gate-missing]",
            "w/metadata.json:8: error: phase 0 has no text: phases/0/phase.md is missing [phase-text-missing]",
        ];
        assert_eq!(found, expected);
    }
}
