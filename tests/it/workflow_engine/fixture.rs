//! Engines over directories of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use lockstep::{
    observed::Metrics,
    workflow::{
        Caller, Completed, Completion, Engine, Error, Evidence, FieldType, Gate, Phase, Session,
        SessionId, Settings, Started, State, TargetFile, WorkflowType,
    },
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::harness::{TestMetrics, corpus};

/// Asks for one field, and cannot be overridden.
pub const GATE: &str = "checkpoint: {strict: true}\n\
                        evidence_schema: {pass: {type: boolean, required: true}}\n";

/// A content and a state directory, and what engines over them report.
pub struct Site {
    pub root: TempDir,
    pub metrics: TestMetrics,
    content: PathBuf,
}

impl Site {
    /// Content of the test's own: `plain`, three phases without gates.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let content = root.path().join("content");
        fs::create_dir_all(content.join("workflows")).unwrap();
        let site = Self {
            root,
            metrics: TestMetrics::new(),
            content,
        };
        site.install("plain", 3);
        site
    }

    /// As [`Self::new`], but that each phase has [`GATE`].
    pub fn gated() -> Self {
        let site = Self::new();
        for phase in 0..3 {
            site.write(
                "plain",
                &format!("phases/{phase}/gate-definition.yaml"),
                GATE,
            );
        }
        site
    }

    /// The real workflows.
    pub fn of_corpus() -> Self {
        let mut site = Self::new();
        site.content = corpus();
        site
    }

    /// Writes a workflow of so many phases, each with one task and no gate.
    pub fn install(&self, workflow: &str, phases: u32) {
        let entry = |phase| {
            json!({
                "phase_number": phase,
                "phase_name": format!("Phase {phase}"),
                "tasks": [{"task_number": 1, "name": "work", "file": "task-1-work.md"}],
            })
        };
        let metadata = json!({
            "workflow_type": workflow,
            "total_phases": phases,
            "phases": (0..phases).map(entry).collect::<Vec<_>>(),
        });
        self.write(workflow, "metadata.json", &metadata.to_string());
        for phase in 0..phases {
            let text = |what| format!("# {what} of phase {phase}");
            self.write(workflow, &format!("phases/{phase}/phase.md"), &text("Text"));
            let task = format!("phases/{phase}/task-1-work.md");
            self.write(workflow, &task, &text("Task"));
        }
    }

    /// Writes a file of a workflow.
    pub fn write(&self, workflow: &str, file: &str, text: &str) {
        let path = self.content.join("workflows").join(workflow).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn content(&self) -> &Path {
        &self.content
    }

    pub fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    pub fn settings(&self) -> Settings {
        Settings {
            source_root: self.root.path().to_owned(),
            ..Settings::over(&self.content, State::Files(self.state()))
        }
    }

    /// Opens an engine, as a process of its own would.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine_with(|_| {})
    }

    pub fn engine_with(&self, change: impl FnOnce(&mut Settings)) -> Arc<Engine> {
        let mut settings = self.settings();
        change(&mut settings);
        self.open(settings).unwrap()
    }

    pub fn open(&self, settings: Settings) -> Result<Arc<Engine>, Error> {
        let meter = self.metrics.meter();
        Engine::open(settings, &Metrics::new(&meter))
    }

    pub fn session_file(&self, id: SessionId) -> PathBuf {
        self.state().join(format!("{id}.json"))
    }

    pub fn session_json(&self, id: SessionId) -> Value {
        serde_json::from_slice(&fs::read(self.session_file(id)).unwrap()).unwrap()
    }

    /// Locks a session's file as another process would, until dropped.
    pub fn lock_file_of(&self, id: SessionId) -> fs::File {
        let lock = format!(".lockstep/session-{}.lock", &id.to_string()[..2]);
        let lock = fs::File::create(self.state().join(lock)).unwrap();
        lock.lock().unwrap();
        lock
    }

    /// Returns once `caller` waits for a file.
    pub async fn until_it_waits<T>(&self, caller: &JoinHandle<T>) {
        let waiters = || {
            let files = [("lock_name", "workflow.file")];
            self.metrics.gauge("lockstep_lock_waiters", &files)
        };
        while waiters() < 1.0 {
            assert!(!caller.is_finished(), "it has not waited");
            tokio::task::yield_now().await;
        }
    }

    /// Times that callers waited for the lock `name`, and times that they did not have to.
    pub fn acquisitions(&self, name: &str, contended: bool) -> u64 {
        let contended = if contended { "true" } else { "false" };
        let labels = [("lock.name", name), ("lock.contended", contended)];
        self.metrics.counter("lockstep.lock.acquisitions", &labels)
    }
}

pub fn workflow(name: &str) -> WorkflowType {
    WorkflowType::try_from(name).unwrap()
}

pub fn target(path: &str) -> TargetFile {
    TargetFile::try_from(path).unwrap()
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is not an object"),
    }
}

pub async fn start(engine: &Arc<Engine>, name: &str, path: &str) -> Started {
    let by = Caller::default();
    let started = engine.start(workflow(name), target(path), Map::new(), by);
    started.await.unwrap()
}

pub async fn started(engine: &Arc<Engine>, name: &str, path: &str) -> SessionId {
    start(engine, name, path).await.session.id
}

pub async fn complete(
    engine: &Arc<Engine>,
    id: SessionId,
    phase: u32,
    evidence: Value,
) -> Result<Completed, Arc<Error>> {
    let evidence = Evidence::new(object(evidence), None).unwrap();
    let phase = Phase(phase);
    engine
        .complete_phase(id, Completion { phase, evidence }, Caller::default())
        .await
}

/// Completes all phases of a `plain` session.
pub async fn finish(engine: &Arc<Engine>, id: SessionId) {
    for phase in 0..3 {
        complete(engine, id, phase, json!({})).await.unwrap();
    }
}

/// Evidence that has every field of a gate, of the right type.
pub fn enough(gate: &Gate) -> Value {
    let field = |kind| match kind {
        FieldType::Boolean => json!(true),
        FieldType::Integer | FieldType::Number => json!(8),
        FieldType::String => json!("text"),
        FieldType::Object => json!({}),
        FieldType::List => json!([]),
    };
    let fields = gate.fields.iter();
    Value::Object(fields.map(|f| (f.name.clone(), field(f.kind))).collect())
}

pub fn completed(session: &Session) -> Vec<u32> {
    session.completed.iter().map(|phase| phase.0).collect()
}
