//! Tokens of a file.

use std::{fs, path::Path};

use lockstep::config::{AuthMode, Config};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{admitted, asked, refused};
use crate::harness::{Binary, Content, TestServer, file_url};

pub const ALICE: &str = "alice-token-0123456789";
pub const BOB: &str = "bob-token-0123456789";

/// A directory with a file of tokens, of which that of bob is only there as its digest.
pub fn token_file() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let hex: String = Sha256::digest(BOB)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    write(dir.path(), &format!("alice: {ALICE}\nbob: sha256:{hex}\n"));
    dir
}

/// Exchanges the file as a kubelet does: another file under the same name.
fn write(dir: &Path, text: &str) {
    fs::write(dir.join("aside"), text).unwrap();
    fs::rename(dir.join("aside"), dir.join("tokens.yaml")).unwrap();
}

pub fn with_tokens(dir: &TempDir) -> impl FnOnce(&mut Config) + use<> {
    let file = dir.path().join("tokens.yaml");
    |config| {
        config.auth.mode = AuthMode::Tokens;
        config.auth.tokens_file = Some(file);
    }
}

#[tokio::test]
async fn who_has_a_token_gets_in_and_nobody_else() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;

    admitted(&server, &format!("Bearer {ALICE}")).await;
    admitted(&server, &format!("bearer {BOB}")).await;
    let bare = refused(&server, None).await;
    assert_eq!(
        (bare.0, bare.1.as_str()),
        (401, "Bearer realm=\"lockstep\"")
    );
    assert!(
        bare.2
            .starts_with("the request has no token: send `Authorization"),
        "{}",
        bare.2
    );
    let digest = fs::read_to_string(dir.path().join("tokens.yaml")).unwrap();
    let digest = digest.rsplit("sha256:").next().unwrap().trim();
    let wrong = [
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "Bearer alice",
        "Bearer alice-token-012345678",
        "Bearer alice-token-01234567890",
        &format!("Bearer {digest}"),
        &format!("Bearer sha256:{digest}"),
        &format!("Basic {ALICE}"),
        &format!("Bearer {ALICE} {BOB}"),
    ];
    for header in wrong {
        let (status, challenge, message) = refused(&server, Some(header)).await;
        assert_eq!(status, 401, "{header}");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(!message.contains("alice-token"), "{message}");
    }
    let decisions = |result| {
        let labels = [("auth.result", result)];
        server.metrics.counter("lockstep.auth.decisions", &labels)
    };
    assert_eq!(decisions("missing"), 1);
    assert_eq!(decisions("invalid"), wrong.len() as u64);
    assert!(decisions("ok") >= 3);
}

#[tokio::test]
async fn clients_of_both_eras_show_their_token_and_operators_need_none() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let initialize = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "old", "version": "1" },
    });

    let bearer = format!("Bearer {ALICE}");
    let shown = [("authorization", bearer.as_str())];
    let old = server.request("initialize", initialize.clone(), &shown);
    assert_eq!(old.await["result"]["protocolVersion"], "2025-11-25");
    let refused = server.request("initialize", initialize, &[]).await;
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no token")
    );
    let client = server.client_of(BOB).await;
    assert!(!client.list_all_tools().await.unwrap().is_empty());
    for path in ["/healthz", "/readyz", "/version"] {
        assert_eq!(server.ask(path).await.status(), 200, "{path}");
    }
    let metadata = server
        .url()
        .replace("/mcp", "/.well-known/oauth-protected-resource");
    assert_eq!(
        reqwest::get(metadata).await.unwrap().status(),
        404,
        "there is no issuer"
    );
}

#[tokio::test]
async fn a_file_that_changes_counts_from_the_next_request_and_a_broken_one_changes_nothing() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let (alice, next) = (format!("Bearer {ALICE}"), "Bearer alice-token-of-tomorrow");

    for broken in ["alice: short\n", "alice: [\n", ""] {
        write(dir.path(), broken);
        admitted(&server, &alice).await;
    }
    fs::remove_file(dir.path().join("tokens.yaml")).unwrap();
    admitted(&server, &alice).await;
    write(
        dir.path(),
        &format!("alice: [{ALICE}, alice-token-of-tomorrow]\n"),
    );
    admitted(&server, &alice).await;
    admitted(&server, next).await;
    write(dir.path(), "alice: alice-token-of-tomorrow\n");
    admitted(&server, next).await;
    assert_eq!(asked(&server, Some(&alice)).await.status(), 401);
}

#[tokio::test]
async fn no_token_is_printed_and_a_file_that_cannot_be_used_is_named() {
    let (dir, content) = (token_file(), Content::new());
    let file = dir.path().join("tokens.yaml");
    let serve = |mode: &str, file: &str| {
        let content = content.path().to_str().unwrap();
        let state = file_url(&dir.path().join("state"));
        Binary::new(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--content",
            content,
            "--state",
            &state,
        ])
        .env("LOCKSTEP_AUTH__MODE", mode)
        .env("LOCKSTEP_AUTH__TOKENS_FILE", file)
        .env("LOCKSTEP_ADMIN__LISTEN", "off")
    };

    write(dir.path(), "alice: s3cret\n");
    let broken = serve("tokens", file.to_str().unwrap()).run().await;
    assert_eq!(broken.code, Some(2), "{}", broken.stderr);
    assert!(
        broken.stderr.contains("tokens.yaml cannot be used"),
        "{}",
        broken.stderr
    );
    assert!(!broken.stderr.contains("s3cret"), "{}", broken.stderr);
    let missing = serve("tokens", "/nowhere/tokens.yaml").run().await;
    assert!(
        missing.stderr.contains("/nowhere/tokens.yaml"),
        "{}",
        missing.stderr
    );

    let shown = Binary::new(&["config"])
        .env("LOCKSTEP_TOKEN", "s3cret-of-a-client")
        .env("LOCKSTEP_AUTH__MODE", "tokens")
        .env("LOCKSTEP_AUTH__TOKENS_FILE", file.to_str().unwrap());
    let shown = shown.run().await;
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(shown.stdout.contains("mode: tokens"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("s3cret"), "{}", shown.stdout);
    let help = Binary::new(&["call", "--help"]).env("LOCKSTEP_TOKEN", "s3cret-of-a-client");
    assert!(!help.run().await.stdout.contains("s3cret"));
}

#[tokio::test]
async fn the_command_line_calls_with_a_token_of_a_file_or_of_the_environment() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let file = dir.path().join("mine");
    fs::write(&file, format!("{ALICE}\n")).unwrap();
    let url = server.url();
    let call = ["call", "current_date", "--url", &url];

    let refused = Binary::new(&call).run().await;
    let of_file = [&call[..], &["--token-file", file.to_str().unwrap()]].concat();
    let of_file = Binary::new(&of_file).run().await;
    let of_environment = Binary::new(&call).env("LOCKSTEP_TOKEN", BOB).run().await;

    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("the request has no token"),
        "{}",
        refused.stderr
    );
    assert_eq!(of_file.code, Some(0), "{}", of_file.stderr);
    assert_eq!(of_environment.code, Some(0), "{}", of_environment.stderr);
}

#[tokio::test]
async fn who_listens_for_others_without_asking_who_they_are_is_warned() {
    let (dir, content) = (token_file(), Content::new());
    let file = dir.path().join("tokens.yaml");
    let state = file_url(&dir.path().join("state"));
    let cases = [
        ("0.0.0.0:0", "none", true),
        ("127.0.0.1:0", "none", false),
        ("0.0.0.0:0", "tokens", false),
    ];
    for (listen, mode, warned) in cases {
        let place = [
            "--content",
            content.path().to_str().unwrap(),
            "--state",
            &state,
        ];
        // It ends by itself, as nobody is on its standard input.
        let serve = ["serve", "--transport", "dual", "--listen", listen];
        let serve = Binary::new(&[&serve[..], &place[..]].concat())
            .env("LOCKSTEP_AUTH__MODE", mode)
            .env("LOCKSTEP_AUTH__TOKENS_FILE", file.to_str().unwrap())
            .env("LOCKSTEP_ADMIN__LISTEN", "off");

        let served = serve.run().await;

        let says = served
            .stderr
            .contains("set `auth.mode` to `tokens` or `jwt`");
        assert_eq!(says, warned, "{listen} {mode}: {}", served.stderr);
        assert_eq!(served.code, Some(0), "{}", served.stderr);
    }
}
