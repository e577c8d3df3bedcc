//! The real model over real standards.

use std::{
    fs,
    path::{Path, PathBuf},
};

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

/// An empty group of an unknown field at the end: ONNX Runtime skips it, and what finds the weights
/// of a model's file does not know groups.
const GROUP: [u8; 4] = [0xc3, 0x3e, 0xc4, 0x3e];

#[test]
fn weights_are_mapped_from_the_file_for_all_threads_and_mean_what_copies_do() {
    let own = own_model("model: sentences.onnx\npooling: mean\nmax_tokens: 256\n");
    let file = own.path().join("sentences.onnx");
    let model = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, [&*model, &GROUP].concat()).unwrap();
    let mappings = |name: &Path| {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines()
            .filter(|map| map.ends_with(name.to_str().unwrap()))
            .count()
    };

    let mut copied = load_model(&assets(), own.path().to_str().unwrap(), 1).unwrap();
    assert_eq!(mappings(&file), 0);
    fs::write(&file, model).unwrap();
    let mut mapped = load_model(&assets(), own.path().to_str().unwrap(), 2).unwrap();
    assert!(mappings(&file) >= 2, "{}", mappings(&file));

    for text in ["Lock what threads share.", "x", &"long text ".repeat(200)] {
        let vector = copied[0].embed(text).unwrap();
        assert_eq!(mapped[0].embed(text).unwrap(), vector);
        assert_eq!(mapped[1].embed(text).unwrap(), vector);
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

/// A directory with the files of the default model under other names.
fn own_model(description: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let default = assets().join("models").join(MODEL);
    for (theirs, ours) in [
        ("model.onnx", "sentences.onnx"),
        ("tokenizer.json", "tokenizer.json"),
    ] {
        std::os::unix::fs::symlink(default.join(theirs), dir.path().join(ours)).unwrap();
    }
    fs::write(dir.path().join("lockstep-model.yaml"), description).unwrap();
    dir
}

#[test]
fn any_directory_with_a_described_model_is_used_as_it_says() {
    let load = |dir: &tempfile::TempDir| {
        let mut models = load_model(&assets(), dir.path().to_str().unwrap(), 1).unwrap();
        models.remove(0)
    };
    let plain = "model: sentences.onnx\npooling: mean\nmax_tokens: 256\n";
    let mut default = load_model(&assets(), MODEL, 1).unwrap().remove(0);
    let described = own_model(plain);
    let mut same = load(&described);
    let mut cls = load(&own_model(&plain.replace("mean", "cls")));
    let prefixed = load(&own_model(&format!(
        "{plain}query_prefix: 'query: '\npassage_prefix: 'passage: '\n"
    )));
    let short = load(&own_model(&plain.replace("256", "16")));

    let text = "Lock what threads share.";
    let vector = default.embed(text).unwrap();
    assert_eq!(same.embed(text).unwrap(), vector);
    assert_ne!(cls.embed(text).unwrap(), vector);
    assert_eq!(same.id(), default.id());
    let ids = [default.id(), cls.id(), prefixed.id(), short.id()];
    for (at, id) in ids.iter().enumerate() {
        assert!(id.is_some() && !ids[..at].contains(id), "{at}");
    }
    let prefixes = prefixed.prefixes();
    assert_eq!(
        (&*prefixes.question, &*prefixes.passage),
        ("query: ", "passage: ")
    );
    same.renew().unwrap();
    assert_eq!(same.embed(text).unwrap(), vector);
}

#[test]
fn a_model_that_is_not_there_or_not_described_is_named_with_what_to_do() {
    let bare = tempfile::tempdir().unwrap();
    let good = "pooling: mean\nmax_tokens: 256\n";
    let cases = [
        (
            bare.path().to_owned(),
            &["lockstep-model.yaml", "tokenizer.json"][..],
        ),
        (own_model(good).keep(), &["model.onnx"]),
        (
            own_model("pooling: max\nmax_tokens: 256\n").keep(),
            &["lockstep-model.yaml", "max"],
        ),
        (
            own_model("pooling: mean\nmax_tokens: 4\n").keep(),
            &["max_tokens is 4", "8 to 8192"],
        ),
        (
            own_model(&format!("{good}poling: cls\n")).keep(),
            &["poling"],
        ),
        (
            "no-such-model".into(),
            &["no-such-model", "all-minilm-l6-v2-q"],
        ),
    ];
    for (dir, expected) in cases {
        let refused = load_model(&assets(), dir.to_str().unwrap(), 1)
            .err()
            .unwrap();
        let message = format!("{:#}", anyhow_of(refused));
        for part in expected {
            assert!(message.contains(part), "{message}");
        }
        if dir.is_absolute() {
            let _ = fs::remove_dir_all(dir);
        }
    }
}

/// An error with all its causes, as the command line shows it.
fn anyhow_of(error: Error) -> anyhow::Error {
    error.into()
}
