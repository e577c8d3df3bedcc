//! Workflows whose phases come from a source, from the client's seat.

mod definition;
mod refused;
mod replan;
mod run;

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{TestServer, corpus};

/// Three phases and eight tasks.
pub const CHECKOUT: &str = include_str!("dynamic/fixtures/checkout/tasks.md");

/// A server over the real workflows, and the directory that it finds specs in.
pub struct Site {
    pub server: TestServer,
    pub specs: TempDir,
}

impl Site {
    /// With the spec `specs/checkout`.
    pub async fn of_corpus() -> Self {
        let specs = tempfile::tempdir().unwrap();
        let root = specs.path().to_owned();
        let server = TestServer::spawn_with(|config| {
            config.content = corpus();
            config.workflow.source_root = root;
        })
        .await;
        let site = Self { server, specs };
        site.write("specs/checkout/tasks.md", CHECKOUT);
        site
    }

    /// With content of the test's own.
    pub async fn of_own() -> Self {
        let specs = tempfile::tempdir().unwrap();
        let root = specs.path().to_owned();
        let server = TestServer::spawn_with(|config| config.workflow.source_root = root).await;
        Self { server, specs }
    }

    /// Writes a file below the root of the sources.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.specs.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Starts the execution of `specs/checkout`.
    pub async fn started(&self) -> Value {
        let options = json!({ "spec_path": "specs/checkout" });
        self.start(options).await
    }

    pub async fn start(&self, options: Value) -> Value {
        self.server.workflow("start", execution(&options)).await
    }

    pub async fn get(&self, action: &str, id: &Value) -> Value {
        self.server
            .workflow(action, json!({ "session_id": id }))
            .await
    }

    pub async fn task(&self, id: &Value, phase: u32, task: u32) -> Value {
        let task = json!({ "session_id": id, "phase": phase, "task_number": task });
        self.server.workflow("get_task", task).await
    }

    pub async fn complete(&self, id: &Value, phase: u32, evidence: Value) -> Value {
        let evidence = json!({ "session_id": id, "phase": phase, "evidence": evidence });
        self.server.workflow("complete_phase", evidence).await
    }

    /// The file of a session.
    pub fn session_file(&self, id: &Value) -> Value {
        let file = format!("{}.json", id.as_str().unwrap());
        let bytes = fs::read(self.server.state.path().join(file)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// How many session files there are.
    pub fn sessions(&self) -> usize {
        let files = fs::read_dir(self.server.state.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.ends_with(".json") && !name.starts_with('.'))
            .count()
    }
}

/// The arguments that start the real dynamic workflow.
pub fn execution(options: &Value) -> Value {
    json!({
        "workflow_type": "spec_execution_v1", "target_file": "specs/checkout", "options": options,
    })
}

/// What the static phase 0 of that workflow asks for.
pub fn planned() -> Value {
    json!({
        "spec_structure_validated": true, "phases_extracted": true, "tasks_parsed": true,
        "dependencies_mapped": true, "standards_queried": true, "execution_plan_complete": true,
    })
}
