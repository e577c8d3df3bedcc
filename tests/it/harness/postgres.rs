//! A PostgreSQL of the tests' own: one server for the run, a database for each test.

use std::{
    env::temp_dir,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_postgres::NoTls;

/// Where Debian and its kin put the programs; elsewhere `PATH` is asked.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What is said where there is no PostgreSQL: a test that cannot run has not passed.
const MISSING: &str = "these tests need PostgreSQL: apt-get install postgresql-15 (or any later), \
     or put `initdb` and `postgres` on PATH";

/// The files of the server's TLS.
const AUTHORITY: &str = "authority.pem";
const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server.key";

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// A database of one test.
pub struct Database {
    name: String,
    server: &'static Server,
}

struct Server {
    dir: PathBuf,
    port: u16,
    databases: AtomicUsize,
}

impl Database {
    /// Makes an empty one.
    pub async fn new() -> Self {
        // Blocks, for once: the server starts within a second or two.
        let server = tokio::task::spawn_blocking(|| &*SERVER).await.unwrap();
        let number = server.databases.fetch_add(1, Relaxed);
        let name = format!("test_{number}");
        let database = Self {
            name: "postgres".into(),
            server,
        };
        database.run(&format!("CREATE DATABASE {name}")).await;
        Self { name, ..database }
    }

    pub fn url(&self) -> String {
        let host = self.server.dir.to_str().unwrap().replace('/', "%2F");
        let port = self.server.port;
        format!("postgres://postgres@{host}:{port}/{}", self.name)
    }

    /// The same by TCP, where connections may be encrypted; `mode` is the `sslmode`.
    pub fn tcp_url(&self, host: &str, mode: &str) -> String {
        let (port, name) = (self.server.port, &self.name);
        format!("postgres://postgres@{host}:{port}/{name}?sslmode={mode}")
    }

    /// The certificate that the server's own is signed by, which is for `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.server.dir.join(AUTHORITY)
    }

    /// Runs statements as somebody else than a server of ours.
    pub async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    /// Reads the first column of a query.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.client().await.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Connects as somebody else than a server of ours.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

impl Server {
    fn start() -> Self {
        remove_left_over();
        let programs = programs();
        let pid = std::process::id();
        let dir = temp_dir().join(format!("lockstep-pg-{pid}"));
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let user = user();
        if let Some((uid, gid)) = user {
            chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        let data = dir.join("data");
        let made = as_user(user, &programs.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data)
            .current_dir(&dir)
            .output()
            .expect(MISSING);
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {said}");

        certify(&dir, user);
        let port = free_port();
        let (sender, ready) = std::sync::mpsc::channel();
        let socket = dir.clone();
        // Its end ends the server, so that none is left when the tests are done: the thread lives
        // as long as the process.
        thread::spawn(move || {
            let mut server = as_user(user, &programs.join("postgres"))
                .arg("-D")
                .arg(&data)
                .arg("-k")
                .arg(&socket)
                // No test is about a crash of the database.
                .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
                .args(["-c", "max_connections=300", "-c", "ssl=on"])
                .args(["-c", &format!("port={port}")])
                .args([
                    "-c",
                    &format!("ssl_cert_file={}", socket.join(CERTIFICATE).display()),
                ])
                .args([
                    "-c",
                    &format!("ssl_key_file={}", socket.join(KEY).display()),
                ])
                .current_dir(&socket)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect(MISSING);
            for line in BufReader::new(server.stderr.take().unwrap()).lines() {
                let line = line.unwrap_or_default();
                if line.contains("ready to accept connections") {
                    let _ = sender.send(());
                }
            }
            let _ = server.wait();
        });
        ready.recv().expect("PostgreSQL starts");
        Self {
            dir,
            port,
            databases: AtomicUsize::new(0),
        }
    }
}

/// Makes an authority, and a certificate of it for `localhost`.
fn certify(dir: &Path, user: Option<(u32, u32)>) {
    let own = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(
        dir.join(AUTHORITY),
        authority.self_signed(&own).unwrap().pem(),
    )
    .unwrap();
    let issuer = Issuer::new(authority, own);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    fs::write(dir.join(CERTIFICATE), server.pem()).unwrap();
    fs::write(dir.join(KEY), key.serialize_pem()).unwrap();
    fs::set_permissions(dir.join(KEY), fs::Permissions::from_mode(0o600)).unwrap();
    if let Some((uid, gid)) = user {
        chown(dir.join(KEY), Some(uid), Some(gid)).unwrap();
    }
}

/// Finds a port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Finds the directory of the newest PostgreSQL there is.
fn programs() -> PathBuf {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut installed: Vec<_> = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs
                .join("initdb")
                .exists()
                .then_some((version, programs))
        })
        .collect();
    installed.sort();
    if let Some((_, programs)) = installed.pop() {
        return programs;
    }
    let found = Command::new("which").arg("initdb").output().ok();
    let found = found.filter(|found| found.status.success()).expect(MISSING);
    let initdb = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
    initdb.parent().expect(MISSING).to_owned()
}

/// PostgreSQL refuses to run as root: whose rights it is given then.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
    of("postgres").or_else(|| of("nobody"))
}

/// A program that ends when we do, with the rights of `user`.
fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((uid, gid)) = user {
        command.arg(format!("--reuid={uid}"));
        command.arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg(program);
    command
}

/// Removes what runs that are over have left.
fn remove_left_over() {
    for entry in fs::read_dir(temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix("lockstep-pg-"));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
