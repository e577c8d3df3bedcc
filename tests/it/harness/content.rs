//! A small directory of content that a test can edit.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Content with one workflow, `two_phases_v1`, and two standards; removed when dropped.
pub struct Content {
    dir: TempDir,
}

impl Content {
    pub fn new() -> Self {
        let content = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        content.workflow("two_phases_v1", 2);
        content.write(
            "standards/review.md",
            "# Code review\n\nEvery change is reviewed by a second engineer before it is merged.\n",
        );
        content.write(
            "standards/testing/load.md",
            "---\ntags: [testing]\n---\n# Load tests\n\nA load test runs for ten minutes at twice the usual traffic.\n",
        );
        content
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, aside first, so that a reader never sees half of it.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let aside = self.path().join(".aside");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, path).unwrap();
    }

    /// Removes a file.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    /// Writes a workflow of `phases` phases with one task and one required field each.
    pub fn workflow(&self, workflow_type: &str, phases: usize) {
        let described: Vec<Value> = (0..phases)
            .map(|phase| {
                json!({
                    "phase_number": phase, "phase_name": format!("Phase {phase}"), "purpose": "to test",
                    "estimated_effort": "1 minute", "key_deliverables": [], "validation_criteria": [],
                    "tasks": [{ "task_number": 1, "name": "only", "file": "task-1-only.md", "purpose": "to do" }],
                })
            })
            .collect();
        let metadata = json!({
            "workflow_type": workflow_type, "version": "1.0.0", "description": "For tests",
            "total_phases": phases, "estimated_duration": "1 minute", "primary_outputs": [],
            "phases": described,
        });
        let dir = format!("workflows/{workflow_type}");
        self.write(&format!("{dir}/metadata.json"), &metadata.to_string());
        for phase in 0..phases {
            let dir = format!("{dir}/phases/{phase}");
            self.write(
                &format!("{dir}/phase.md"),
                &format!("# Phase {phase} as written\n"),
            );
            self.write(&format!("{dir}/task-1-only.md"), "# The only task\n");
            self.write(
                &format!("{dir}/gate-definition.yaml"),
                "checkpoint: {strict: true, allow_override: false}\n\
                 evidence_schema:\n  done: {type: boolean, required: true, description: it is done}\n",
            );
        }
    }
}
