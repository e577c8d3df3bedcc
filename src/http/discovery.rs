//! The file by which sub-agents on this machine find the HTTP endpoint.
//!
//! Its name and fields are the Python server's, so that what reads that one's reads ours.

use std::{
    fs,
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

/// The file's name in the state directory.
const FILE_NAME: &str = ".mcp_server_state.json";

/// What the file says.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Discovery {
    /// The server's version.
    pub version: String,
    /// `http` or `dual`.
    pub transport: String,
    /// The port.
    pub port: u16,
    /// The interface; loopback if the server listens on all.
    pub host: String,
    /// The endpoint's path.
    pub path: String,
    /// All of it: what a client connects to.
    pub url: String,
    /// Where operators ask, if anywhere: probes and the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_url: Option<String>,
    /// The process. A reader checks that it lives.
    pub pid: u32,
    /// When the server started, in RFC 3339.
    pub started_at: String,
    /// Whose server it is.
    pub project: Project,
}

/// The project that a server serves.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Project {
    /// The name of the working directory.
    pub name: String,
    /// Its path.
    pub root: PathBuf,
}

impl Discovery {
    /// Describes this process, listening on `address`, and on `admin` for operators.
    pub fn of_this_process(
        transport: &str,
        address: SocketAddr,
        admin: Option<SocketAddr>,
    ) -> Self {
        let host = reachable(address.ip());
        let root = std::env::current_dir().unwrap_or_default();
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            transport: transport.to_owned(),
            port: address.port(),
            path: super::MCP_PATH.to_owned(),
            url: format!("http://{host}:{}{}", address.port(), super::MCP_PATH),
            admin_url: admin
                .map(|admin| format!("http://{}:{}", reachable(admin.ip()), admin.port())),
            host,
            pid: std::process::id(),
            started_at: jiff::Timestamp::now().to_string(),
            project: Project {
                name: name.into_owned(),
                root,
            },
        }
    }
}

/// Returns a host by which this machine reaches `ip`.
fn reachable(ip: IpAddr) -> String {
    match ip {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        ip => ip.to_string(),
    }
}

/// The file on disk, removed when dropped, unless another process has put its own in its place.
///
/// Of several servers over one state directory the file names the one that started last; all
/// serve the same sessions.
#[derive(Debug)]
pub struct DiscoveryFile {
    path: PathBuf,
}

impl DiscoveryFile {
    /// Writes the file aside, readable by its owner only, and renames it into place.
    ///
    /// # Errors
    ///
    /// If `state_dir` cannot be written.
    pub fn publish(state_dir: &Path, discovery: &Discovery) -> io::Result<Self> {
        let path = state_dir.join(FILE_NAME);
        let mut aside = tempfile::Builder::new()
            .prefix(FILE_NAME)
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(state_dir)?;
        aside.write_all(&serde_json::to_vec_pretty(discovery)?)?;
        aside.persist(&path)?;
        Ok(Self { path })
    }

    /// Reads what the server that started last over `state_dir` has written, if it still runs or
    /// could not remove it.
    pub fn found_in(state_dir: &Path) -> Option<Discovery> {
        read(&state_dir.join(FILE_NAME))
    }

    /// Returns the file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DiscoveryFile {
    fn drop(&mut self) {
        let written = read(&self.path);
        if written.is_none_or(|written| written.pid != std::process::id()) {
            debug!(path = %self.path.display(), "the discovery file is another process's by now");
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            let path = self.path.display();
            warn!(
                name: "lockstep.lifecycle.discovery_left",
                { %path, %error },
                "the discovery file stays behind"
            );
        }
    }
}

fn read(path: &Path) -> Option<Discovery> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_server_that_started_later_stays() {
        let dir = tempfile::tempdir().unwrap();
        let own = Discovery::of_this_process("http", ([127, 0, 0, 1], 8_080).into(), None);
        let file = DiscoveryFile::publish(dir.path(), &own).unwrap();
        let later = Discovery {
            pid: own.pid + 1,
            ..own
        };
        fs::write(file.path(), serde_json::to_vec(&later).unwrap()).unwrap();

        drop(file);

        let found = DiscoveryFile::found_in(dir.path());
        assert_eq!(found.map(|found| found.pid), Some(later.pid));
    }
}
