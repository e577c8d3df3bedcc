//! The real binary as a child process.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command};

use super::Content;

/// The longest that a command of a test may run.
const DEADLINE: Duration = Duration::from_secs(60);

/// A command line of the binary that Cargo has built for the tests.
pub struct Binary(Command);

/// Returns the URL of a state that is kept in `dir`.
pub fn file_url(dir: &Path) -> String {
    format!("file://{}", dir.display())
}

/// What a finished command has said.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Binary {
    pub fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
        command
            .args(arguments)
            // Not in the cache of whoever runs the tests.
            .env("LOCKSTEP_SEARCH__CACHE", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self(command)
    }

    /// Serves `content` and the state at the URL `state` over standard input and output.
    pub fn stdio(content: &Content, state: &str) -> Self {
        let content = content.path().to_str().unwrap();
        let place = ["--content", content, "--state", state];
        Self::new(&[&["serve", "--transport", "stdio"], &place[..]].concat())
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Sets the working directory.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.0.current_dir(dir);
        self
    }

    /// Returns the command, to be spawned by a test that talks with it.
    pub fn command(self) -> Command {
        self.0
    }

    /// Runs the command to its end, with nothing on its standard input.
    pub async fn run(self) -> Output {
        self.run_with("").await
    }

    /// Runs the command to its end with `input` on its standard input.
    pub async fn run_with(mut self, input: &str) -> Output {
        let mut child = self.0.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read its input may be gone by now.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = tokio::time::timeout(DEADLINE, child.wait_with_output());
        let output = output.await.expect("the command ends").unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
