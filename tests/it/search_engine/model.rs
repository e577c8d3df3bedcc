//! The real model over real standards.

use std::{fs, path::PathBuf};

use lockstep::search::{Engine, Error, check, load_model};

use super::{query, settings, start, write};
use crate::harness::{TestMetrics, corpus};

/// Questions in nobody's words but the asker's, and the standard that answers each.
const JUDGED: [(&str, &str); 8] = [
    (
        "two of my goroutines wait for each other forever, how do I avoid that?",
        "concurrency/deadlocks.md",
    ),
    (
        "the counter ends up wrong when several threads increment it",
        "concurrency/race-conditions.md",
    ),
    (
        "how should I keep passwords and API keys out of the repository?",
        "ai-safety/credential-file-protection.md",
    ),
    (
        "may I force push to the main branch?",
        "ai-safety/git-safety-rules.md",
    ),
    (
        "a remote service keeps failing, how do I stop calling it for a while?",
        "failure-modes/circuit-breakers.md",
    ),
    (
        "how long to wait before calling a failed request again?",
        "failure-modes/retry-strategies.md",
    ),
    (
        "when should I use a fake or a stub instead of the real thing in a test?",
        "testing/test-doubles.md",
    ),
    (
        "generate random inputs to find bugs",
        "testing/property-based-testing.md",
    ),
];

const MODEL: &str = "all-minilm-l6-v2-q";

fn assets() -> PathBuf {
    lockstep::config::Config::default().assets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_in_own_words_finds_the_right_standard() {
    let content = tempfile::tempdir().unwrap();
    for (_, file) in JUDGED {
        let text = fs::read_to_string(corpus().join("standards").join(file)).unwrap();
        write(content.path(), file, &text);
    }
    let engine = start(
        settings(content.path()),
        load_model(&assets(), MODEL, 0).unwrap(),
        &TestMetrics::new(),
    );
    engine.ready().await;

    let mut ranks = Vec::new();
    for (question, file) in JUDGED {
        ranks.push(rank(&engine, question, file).await);
    }

    // A floor, one below what was measured: the small model misses some, keywords would help.
    let first = ranks.iter().filter(|rank| **rank == Some(0)).count();
    let found = ranks.iter().flatten().count();
    assert!(
        first >= 4 && found >= 6,
        "{first} first, {found} found: {ranks:?}"
    );
}

/// The rank, from 0, of the first passage of `file` among the first five.
async fn rank(engine: &Engine, question: &str, file: &str) -> Option<usize> {
    let answer = engine.search(query(question)).await.unwrap();
    let mut passages = answer.passages.iter();
    passages.position(|passage| passage.file().ends_with(file))
}

#[test]
fn the_same_text_has_the_same_vector_on_every_thread_and_at_any_time() {
    let mut models = load_model(&assets(), MODEL, 2).unwrap();
    let first = models[0].embed("Lock what threads share.").unwrap();
    models[0]
        .embed(&"another text, far longer, ".repeat(50))
        .unwrap();

    assert_eq!(first.len(), 384);
    for model in &mut models {
        assert_eq!(model.embed("Lock what threads share.").unwrap(), first);
    }
}

#[test]
fn a_missing_asset_is_named_with_the_command_that_brings_it() {
    let empty = tempfile::tempdir().unwrap();
    let missing = load_model(empty.path(), MODEL, 1).err().unwrap();
    assert!(matches!(missing, Error::Asset { .. }));
    let message = missing.to_string();
    assert!(
        message.contains("onnxruntime/libonnxruntime.so"),
        "{message}"
    );
    assert!(message.contains("`make setup`"), "{message}");

    let runtime = empty.path().join("onnxruntime");
    fs::create_dir(&runtime).unwrap();
    fs::hard_link(
        assets().join("onnxruntime/libonnxruntime.so"),
        runtime.join("libonnxruntime.so"),
    )
    .or_else(|_| {
        let library = "onnxruntime/libonnxruntime.so";
        fs::copy(assets().join(library), runtime.join("libonnxruntime.so")).map(drop)
    })
    .unwrap();
    let missing = load_model(empty.path(), MODEL, 1)
        .err()
        .unwrap()
        .to_string();
    assert!(
        missing.contains("model.onnx") && missing.contains("`make setup`"),
        "{missing}"
    );
}

#[test]
fn the_faults_of_the_real_standards_are_found() {
    let faults: Vec<_> = check(&corpus()).iter().map(ToString::to_string).collect();
    let unclosed = [
        "ai-assistant/operating-model.md:207",
        "ai-assistant/pre-generation-validation.md:765",
        "documentation/api-documentation.md:944",
        "workflows/creating-specs.md:691",
    ];
    let fault = |at| format!("standards/{at}: the code block that starts here is never closed");
    assert_eq!(faults, unclosed.map(fault));
}
