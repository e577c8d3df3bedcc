//! `get_server_info`: what this server is and what it can do. Fields as the Python server's.

mod measured;
mod sessions;

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::{process::Command, time::Instant};

pub use self::measured::{CacheLine, LockLine, Lookups, Measured, Meters};
pub(super) use self::sessions::SessionsView;
use crate::search::Status;

/// The longest that one `git` command may take, as in the Python server.
const GIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What does not change while the process lives.
#[derive(Clone, Debug)]
pub struct About {
    /// `http`, `stdio` or `dual`.
    pub transport: &'static str,
    /// The directory with `workflows/` and `standards/`.
    pub content: PathBuf,
    /// The working directory.
    pub root: PathBuf,
    meters: Meters,
    started: Instant,
    started_at: jiff::Timestamp,
}

impl About {
    /// Describes a server that starts now.
    pub fn new(transport: &'static str, content: PathBuf, root: PathBuf, meters: Meters) -> Self {
        Self {
            transport,
            content,
            root,
            meters,
            started: Instant::now(),
            started_at: jiff::Timestamp::now(),
        }
    }

    /// Renders the answer, asking git about the working directory.
    pub(super) async fn view(
        &self,
        tools_available: usize,
        search: SearchState,
        sessions: SessionsView,
    ) -> ServerInfoView {
        let git = Git::of(&self.root).await;
        let from_remote = git.as_ref().and_then(|git| {
            let name = git.remote.rsplit('/').next()?;
            Some(name.trim_end_matches(".git").to_owned())
        });
        let from_dir = || {
            let name = self.root.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        ServerInfoView {
            server: Server {
                version: env!("CARGO_PKG_VERSION"),
                transport_mode: self.transport,
                uptime_seconds: self.started.elapsed().as_secs(),
                pid: std::process::id(),
                started_at: self.started_at.to_string(),
            },
            project: Project {
                name: from_remote.unwrap_or_else(from_dir),
                root: self.root.display().to_string(),
                content_path: self.content.display().to_string(),
                git,
            },
            capabilities: Capabilities {
                tools_available,
                rag_enabled: true,
                workflow_enabled: true,
                browser_enabled: false,
                dual_transport: self.transport == "dual",
                http_transport: self.transport != "stdio",
            },
            search,
            sessions,
            metrics: self.meters.read(),
        }
    }
}

/// The answer.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct ServerInfoView {
    server: Server,
    project: Project,
    capabilities: Capabilities,
    search: SearchState,
    /// Workflow sessions in numbers.
    sessions: SessionsView,
    /// What caches and locks counted since the start.
    metrics: Measured,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Server {
    version: &'static str,
    transport_mode: &'static str,
    uptime_seconds: u64,
    pid: u32,
    started_at: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Project {
    name: String,
    root: String,
    content_path: String,
    /// Absent outside a git repository.
    git: Option<Git>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Capabilities {
    tools_available: usize,
    rag_enabled: bool,
    workflow_enabled: bool,
    browser_enabled: bool,
    dual_transport: bool,
    http_transport: bool,
}

/// What the search answers from now.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct SearchState {
    /// `ready`, or what is being waited for.
    pub(super) status: String,
    pub(super) files: usize,
    pub(super) chunks: usize,
    /// Counts the changes of the standards since the start.
    pub(super) generation: u64,
    /// Why the files as they are now could not be indexed: answers are of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<String>,
    /// Why vectors are not kept on disk, if they should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_failure: Option<String>,
}

impl From<Status> for SearchState {
    fn from(status: Status) -> Self {
        Self {
            status: match (&status.progress, status.ready) {
                (progress, true) if !status.vectors => {
                    let progress = progress.unwrap_or_default();
                    format!("keyword search answers; vectors are being made: {progress}")
                }
                (_, true) => "ready".to_owned(),
                (Some(progress), false) => progress.to_string(),
                (None, false) => "starting".to_owned(),
            },
            files: status.files,
            chunks: status.chunks,
            generation: status.generation,
            failure: status.failure.map(|why| why.to_string()),
            cache_failure: status.cache_failure.map(|why| why.to_string()),
        }
    }
}

/// The working directory's commit.
#[derive(Debug, JsonSchema, Serialize)]
struct Git {
    remote: String,
    branch: String,
    commit: String,
    commit_short: String,
    /// `clean` or `dirty`.
    status: &'static str,
}

impl Git {
    /// Returns nothing outside a repository, without a remote, on a detached head, or without
    /// git.
    async fn of(root: &std::path::Path) -> Option<Self> {
        if !root.join(".git").exists() {
            return None;
        }
        let remote = git(root, &["remote", "get-url", "origin"]);
        let status = git(root, &["status", "--porcelain=v2", "--branch"]);
        let (remote, status) = tokio::join!(remote, status);
        let status = status?;
        let header = |name: &str| {
            let header = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(header.trim().to_owned()).filter(|value| !value.starts_with('('))
        };
        let commit = header("# branch.oid")?;
        Some(Self {
            remote: remote?.trim().to_owned(),
            branch: header("# branch.head")?,
            commit_short: commit.chars().take(7).collect(),
            commit,
            status: match status.lines().all(|line| line.starts_with('#')) {
                true => "clean",
                false => "dirty",
            },
        })
    }
}

async fn git(root: &std::path::Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(root).kill_on_drop(true);
    let output = tokio::time::timeout(GIT_TIMEOUT, command.output());
    let output = output.await.ok()?.ok()?;
    let succeeded = output.status.success() && !output.stdout.is_empty();
    succeeded.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
