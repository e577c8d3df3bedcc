//! The release binary under load, exporting its metrics to us.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The longest that a start may take: the model is loaded and the content indexed.
const START: Duration = Duration::from_secs(60);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    url: String,
    dir: TempDir,
}

impl Server {
    /// Starts the binary beside this program over content of its own.
    pub(crate) async fn spawn(collector: SocketAddr) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let target = program
            .parent()
            .and_then(Path::parent)
            .context("no target directory")?;
        let binary = target.join("lockstep");
        ensure!(
            binary.exists(),
            "{} is missing: cargo build --release",
            binary.display()
        );
        let dir = tempfile::tempdir()?;
        let (content, state) = (dir.path().join("content"), dir.path().join("state"));
        write_content(&content)?;
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--content")
            .arg(&content)
            .arg("--state")
            .arg(format!("file://{}", state.display()))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
            .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
            .env("OTEL_TRACES_SAMPLER_ARG", "0.01")
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let url = tokio::time::timeout(START, discovered(&state)).await;
        let url = url.context("the server does not start; try `make run`")??;
        Ok(Self { child, url, dir })
    }

    /// Returns the endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server as a supervisor would, so that it exports its last metrics.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().context("the server has died under load")?;
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).context("a pid is not 0")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait().await?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(self.dir.close()?)
    }
}

async fn discovered(state: &Path) -> anyhow::Result<String> {
    let file = state.join(".mcp_server_state.json");
    let mut again = tokio::time::interval(Duration::from_millis(50));
    loop {
        again.tick().await;
        if let Ok(text) = std::fs::read(&file) {
            let discovery: Value = serde_json::from_slice(&text)?;
            return Ok(discovery["url"].as_str().context("no url")?.to_owned());
        }
    }
}

/// Writes a workflow of three phases and a few standards.
fn write_content(content: &Path) -> anyhow::Result<()> {
    let workflow = content.join("workflows/load_v1");
    let phases: Vec<_> = (0..3)
        .map(|phase| json!({ "phase_number": phase, "phase_name": "Load", "tasks": [] }))
        .collect();
    let metadata = json!({
        "workflow_type": "load_v1", "version": "1", "description": "Load", "total_phases": 3,
        "estimated_duration": "", "primary_outputs": [], "phases": phases,
    });
    let gate = "checkpoint: {strict: true, allow_override: false}\n\
        evidence_schema: {by: {type: string, required: true, description: who}}\n";
    for phase in 0..3 {
        let dir = workflow.join(format!("phases/{phase}"));
        std::fs::create_dir_all(&dir)?;
        std::fs::write(dir.join("phase.md"), "# Load\n")?;
        std::fs::write(dir.join("gate-definition.yaml"), gate)?;
    }
    std::fs::write(workflow.join("metadata.json"), metadata.to_string())?;
    let standards = content.join("standards");
    std::fs::create_dir_all(&standards)?;
    for topic in [
        "reviews",
        "load tests",
        "releases",
        "incidents",
        "names",
        "errors",
    ] {
        let text = format!("# About {topic}\n\nThis is what the team has agreed on {topic}.\n");
        std::fs::write(standards.join(format!("{topic}.md")), text)?;
    }
    Ok(())
}
