//! The binary as a person, an IDE and a supervisor meet it.

use std::{fs, path::Path, process::Stdio, time::Duration};

use rmcp::{
    ServiceExt as _,
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde_json::{Value, json};
use tokio::process::Child;

use crate::harness::{Binary, Content, corpus, file_url, tool_call};

/// The longest that a server may take to listen; loading the model takes 0.2 s on two free cores.
const START: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_dual_process_serves_its_ide_and_sub_agents_that_find_it_over_one_state() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let command = serve(
        &content,
        state.path(),
        &["--transport", "dual", "--listen", "127.0.0.1:0"],
    );
    let (transport, _stderr) = TokioChildProcess::builder(command.command())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ide = ().serve(transport).await.unwrap();
    let discovery = discovered(state.path()).await;
    let transport = StreamableHttpClientTransport::from_uri(discovery["url"].as_str().unwrap());
    let agent = ().serve(transport).await.unwrap();
    let start =
        json!({ "action": "start", "workflow_type": "two_phases_v1", "target_file": "a.rs" });

    let by_ide = tool_call(&ide, "workflow", start.clone()).await.unwrap();
    let by_agent = tool_call(&agent, "workflow", start).await.unwrap();
    let (by_ide, by_agent) = (
        by_ide.structured_content.unwrap(),
        by_agent.structured_content.unwrap(),
    );
    let id = &by_ide["session_id"];
    let complete = json!({ "action": "complete_phase", "session_id": id, "phase": 0, "evidence": { "done": true } });
    tool_call(&agent, "workflow", complete).await.unwrap();
    let get = json!({ "action": "get_state", "session_id": id });
    let seen = tool_call(&ide, "workflow", get)
        .await
        .unwrap()
        .structured_content
        .unwrap();

    assert_eq!(id, &by_agent["session_id"]);
    assert_eq!(seen["workflow_state"]["current_phase"], 1);
    assert_eq!(discovery["transport"], "dual");
    assert_eq!(mode(&state.path().join(".mcp_server_state.json")), 0o600);
    agent.cancel().await.unwrap();
    ide.cancel().await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_before_it_says_anything_ends_the_process_by_either_transport() {
    for transport in ["stdio", "dual"] {
        let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
        let arguments = ["--transport", transport, "--listen", "127.0.0.1:0"];

        let output = serve(&content, state.path(), &arguments).run().await;

        assert_eq!(output.code, Some(0), "{transport}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{transport}");
    }
}

#[tokio::test]
async fn a_closed_standard_input_ends_the_process_after_the_last_answer() {
    for transport in ["stdio", "dual"] {
        let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
        let arguments = ["--transport", transport, "--listen", "127.0.0.1:0"];
        let calls = [
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } }),
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "search_standards",
                "arguments": { "query": "who reviews a change?" } } }),
        ];
        let calls: String = calls.iter().map(|call| format!("{call}\n")).collect();

        let output = serve(&content, state.path(), &arguments)
            .run_with(&calls)
            .await;

        assert_eq!(output.code, Some(0), "{transport}: {}", output.stderr);
        let lines = output.stdout.lines();
        let answers: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(
            answers.iter().all(|answer| answer["jsonrpc"] == "2.0"),
            "{transport}: {answers:?}"
        );
        let search = answers.iter().find(|answer| answer["id"] == 2);
        let search = search.unwrap_or_else(|| panic!("{transport}: not answered: {answers:?}"));
        let passages = &search["result"]["structuredContent"]["results"];
        assert!(
            passages[0]["file"].as_str().unwrap().ends_with("review.md"),
            "{transport}"
        );
        assert!(
            !state.path().join(".mcp_server_state.json").exists(),
            "{transport}"
        );
    }
}

#[tokio::test]
async fn a_terminated_server_has_nothing_to_complain_of_and_removes_its_discovery_file() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let child = serve(&content, state.path(), &["--listen", "127.0.0.1:0"])
        .command()
        .spawn()
        .unwrap();
    let discovery = discovered(state.path()).await;
    assert_eq!(discovery["pid"], child.id().unwrap());

    terminate(&child);

    let ended = tokio::time::timeout(START, child.wait_with_output());
    let output = ended.await.expect("it ends").unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("listening"), "{log}");
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert!(!state.path().join(".mcp_server_state.json").exists());
}

#[tokio::test]
async fn a_port_in_use_is_said_and_a_range_or_port_0_gets_around_it() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");

    let refused = serve(&content, state.path(), &["--listen", &listen])
        .run()
        .await;
    let range = format!("127.0.0.1:{port}-{}", port.saturating_add(20));
    let mut child = serve(&content, state.path(), &["--listen", &range])
        .command()
        .spawn()
        .unwrap();
    let discovery = discovered(state.path()).await;

    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains(&listen) && refused.stderr.contains("--listen"),
        "{}",
        refused.stderr
    );
    let found = discovery["port"].as_u64().unwrap();
    assert!(
        found > u64::from(port) && found <= u64::from(port) + 20,
        "{discovery}"
    );
    child.kill().await.unwrap();
}

#[tokio::test]
async fn what_stops_a_start_is_named_with_what_to_do() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let file = state.path().join("a-file");
    fs::write(&file, "").unwrap();
    let below_a_file = format!("file://{}/state", file.display());
    let no_assets = state.path().join("no-assets").display().to_string();
    let cases: [(&[&str], &[&str]); 6] = [
        (&["--state", &below_a_file], &["a-file/state"]),
        (&["--assets", &no_assets], &["no-assets", "make setup"]),
        (
            &["--state", "redis://user:secret@host"],
            &["redis://user:[redacted]@host", "file://"],
        ),
        (&["--listen", "nowhere"], &["nowhere", "IP:PORT"]),
        (&["--config", "no-such.yaml"], &["no-such.yaml"]),
        (
            &["--transport", "carrier-pigeon"],
            &["carrier-pigeon", "dual"],
        ),
    ];

    for (arguments, expected) in cases {
        let output = serve(&content, state.path(), arguments).run().await;

        assert_eq!(output.code, Some(2), "{arguments:?}: {}", output.stderr);
        for part in expected {
            assert!(
                output.stderr.contains(part),
                "{arguments:?}: {}",
                output.stderr
            );
        }
        assert!(!output.stderr.contains("secret"), "{arguments:?}");
        assert!(
            !output.stderr.contains("panicked"),
            "{arguments:?}: {}",
            output.stderr
        );
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn unknown_and_impossible_settings_stop_the_start_by_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lockstep.yaml"), "search:\n  worker: 2\n").unwrap();

    let unknown = Binary::new(&["serve", "--config", "lockstep.yaml"])
        .dir(dir.path())
        .run()
        .await;
    let impossible = Binary::new(&["serve"])
        .env("LOCKSTEP_DRAIN_SECS", "301")
        .dir(dir.path())
        .run()
        .await;

    assert_eq!((unknown.code, impossible.code), (Some(2), Some(2)));
    assert!(unknown.stderr.contains("worker"), "{}", unknown.stderr);
    assert!(
        unknown.stderr.contains("lockstep.yaml"),
        "{}",
        unknown.stderr
    );
    for part in ["drain_secs", "301", "300"] {
        assert!(impossible.stderr.contains(part), "{}", impossible.stderr);
    }
}

#[tokio::test]
async fn the_health_check_tells_a_living_server_from_none() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let mut child = serve(&content, state.path(), &["--listen", "127.0.0.1:0"])
        .command()
        .spawn()
        .unwrap();
    let url = discovered(state.path()).await["admin_url"].clone();
    let address = url.as_str().unwrap().strip_prefix("http://").unwrap();
    let state = file_url(state.path());
    let check = |arguments: &[&str]| {
        Binary::new(&[&["healthcheck"], arguments].concat()).env("LOCKSTEP_STATE", &state)
    };

    let living = check(&["--address", address]).run().await;
    let found = check(&[]).run().await;
    child.kill().await.unwrap();
    let dead = check(&[]).run().await;
    let off = check(&[]).env("LOCKSTEP_ADMIN__LISTEN", "off").run().await;

    assert_eq!(living.code, Some(0), "{}", living.stderr);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert_eq!(dead.code, Some(1), "{}", dead.stderr);
    assert!(dead.stderr.contains(address), "{}", dead.stderr);
    assert_eq!(off.code, Some(2), "{}", off.stderr);
}

#[tokio::test]
async fn the_admin_port_gives_way_unless_it_was_asked_for() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    // Whoever else has the port by now, it is taken.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8081");
    let public = ["--listen", "127.0.0.1:0"];
    let with_admin = |listen: &'static str| [&public[..], &["--admin-listen", listen]].concat();

    let refused = serve(&content, state.path(), &with_admin("127.0.0.1:8081"));
    let refused = refused.run().await;
    let mut gives_way = serve(&content, state.path(), &public).command();
    let mut gives_way = gives_way.spawn().unwrap();
    let elsewhere = discovered(state.path()).await["admin_url"].clone();
    gives_way.kill().await.unwrap();
    fs::remove_file(state.path().join(".mcp_server_state.json")).unwrap();
    let mut closed = serve(&content, state.path(), &with_admin("off")).command();
    let mut closed = closed.spawn().unwrap();
    let nowhere = discovered(state.path()).await["admin_url"].clone();
    closed.kill().await.unwrap();

    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--admin-listen"),
        "{}",
        refused.stderr
    );
    let elsewhere = elsewhere.as_str().unwrap();
    assert!(!elsewhere.ends_with(":8081"), "{elsewhere}");
    assert_eq!(nowhere, Value::Null);
}

#[tokio::test]
async fn a_call_from_a_terminal_tells_the_expected_answer_from_another() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let mut child = serve(&content, state.path(), &["--listen", "127.0.0.1:0"])
        .command()
        .spawn()
        .unwrap();
    let url = discovered(state.path()).await["url"].to_string();
    let url = url.trim_matches('"');
    let list = r#"{"action": "list_workflows"}"#;
    let call = |arguments: &[&str]| {
        let all = [&["call", "workflow", "--url", url], arguments].concat();
        Binary::new(&all).run()
    };

    let expected = call(&[list, "--expect", "two_phases_v1"]).await;
    let another = call(&[list, "--expect", "no-such-workflow"]).await;
    let refused = call(&[r#"{"action": "get_state", "session_id": "none"}"#]).await;
    child.kill().await.unwrap();
    let dead = call(&[list]).await;

    assert_eq!(expected.code, Some(0), "{}", expected.stderr);
    assert_eq!(another.code, Some(1), "{}", another.stdout);
    assert!(
        another.stderr.contains("no-such-workflow"),
        "{}",
        another.stderr
    );
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert_eq!(dead.code, Some(2), "{}", dead.stdout);
}

#[tokio::test]
async fn settings_are_shown_as_serve_would_use_them_and_refused_as_it_would() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("good.yaml"), "drain_secs: 7\n").unwrap();
    fs::write(dir.path().join("bad.yaml"), "drian_secs: 7\n").unwrap();
    let config = |file: &str| {
        Binary::new(&["config", "--config", file])
            .env("LOCKSTEP_SEARCH__QUEUE", "9")
            .dir(dir.path())
            .run()
    };

    let (good, bad) = (config("good.yaml").await, config("bad.yaml").await);

    assert_eq!((good.code, bad.code), (Some(0), Some(2)));
    for line in ["drain_secs: 7", "queue: 9"] {
        assert!(good.stdout.contains(line), "{}", good.stdout);
    }
    assert!(bad.stderr.contains("drian_secs"), "{}", bad.stderr);
}

#[tokio::test]
async fn a_check_names_every_fault_of_real_workflows_and_fails() {
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/content");

    let clean = Binary::new(&["check", "--content", ours]).run().await;
    let faulty = Binary::new(&["check", "--content", corpus().to_str().unwrap()])
        .run()
        .await;

    assert_eq!(clean.code, Some(0), "{}{}", clean.stdout, clean.stderr);
    assert_eq!(faulty.code, Some(1), "{}", faulty.stderr);
    let missing = faulty.stdout.lines().filter(|line| {
        line.contains("workflow_creation_v1/metadata.json") && line.contains("task-")
    });
    assert_eq!(missing.count(), 22, "{}", faulty.stdout);
    for field in ["estimated_duration", "primary_outputs"] {
        assert!(faulty.stdout.contains(field), "{}", faulty.stdout);
    }
}

#[tokio::test]
async fn the_same_engine_answers_in_a_terminal() {
    let content = Content::new();
    let path = content.path().to_str().unwrap();
    let question = "Who looks at my change before it goes in?";

    let text = Binary::new(&["search", question, "--content", path])
        .run()
        .await;
    let json = Binary::new(&["search", question, "--content", path, "--json"])
        .run()
        .await;

    assert_eq!(
        (text.code, json.code),
        (Some(0), Some(0)),
        "{}{}",
        text.stderr,
        json.stderr
    );
    assert!(
        text.stdout.contains("review.md") && text.stdout.contains("second engineer"),
        "{}",
        text.stdout
    );
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(
        answer["results"][0]["file"]
            .as_str()
            .unwrap()
            .ends_with("review.md")
    );
}

/// `lockstep serve` over `content` and `state`, with more arguments, which win.
fn serve(content: &Content, state: &Path, more: &[&str]) -> Binary {
    let content = content.path().display().to_string();
    let state = file_url(state);
    let mut arguments = vec!["serve", "--content", &content];
    if !more.contains(&"--state") {
        arguments.extend(["--state", &state]);
    }
    arguments.extend(more);
    Binary::new(&arguments)
}

/// Waits until the server says where it listens.
async fn discovered(state: &Path) -> Value {
    let file = state.join(".mcp_server_state.json");
    let look = async {
        let mut again = tokio::time::interval(Duration::from_millis(5));
        loop {
            again.tick().await;
            if let Ok(text) = fs::read(&file) {
                return serde_json::from_slice(&text).expect("it is written as a whole");
            }
        }
    };
    tokio::time::timeout(START, look)
        .await
        .expect("the server listens")
}

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
