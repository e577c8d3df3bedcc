//! `lockstep index`, to its end and killed on the way.

use std::{fs, path::Path, process::Stdio};

use futures::future::join_all;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::ChildStderr,
};

use crate::harness::{Binary, Content, tiny_model};

/// Rounds in each of which four processes are killed.
const ROUNDS: usize = 25;

/// Passages that a round has to embed: two writes of vectors.
const PASSAGES: usize = 17;

#[tokio::test]
async fn a_second_run_has_nothing_to_do_and_says_so() {
    let (content, cache) = (Content::new(), tempfile::tempdir().unwrap());
    let path = content.path().to_str().unwrap();

    let first = index(&cache, &["--content", path, "--json"]).run().await;
    let second = index(&cache, &["--content", path, "--json"]).run().await;
    let told = index(&cache, &["--content", path]).run().await;

    for (output, embedded) in [(&first, 2), (&second, 0)] {
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let done: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(done["passages"], 2, "{done}");
        assert_eq!(done["embedded"], embedded, "{done}");
        assert_eq!(done["left_out"], 0, "{done}");
    }
    assert!(told.stdout.contains("nothing to do"), "{}", told.stdout);
    assert_eq!(told.stderr, "");
}

#[tokio::test]
async fn an_index_that_cannot_be_kept_is_an_error_that_says_why() {
    let (content, cache) = (Content::new(), tempfile::tempdir().unwrap());
    let path = content.path().to_str().unwrap();
    let file = cache.path().join("a-file");
    fs::write(&file, "").unwrap();

    let off = Binary::new(&["index", "--content", path]).run().await;
    let below_a_file = Binary::new(&["index", "--content", path])
        .env("LOCKSTEP_SEARCH__CACHE", file.to_str().unwrap())
        .run()
        .await;
    let nowhere = index(&cache, &["--content", "no-such-content"]).run().await;

    for (output, says) in [
        (off, "search.cache is off"),
        (below_a_file, "a-file"),
        (nowhere, "no-such-content"),
    ] {
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(says), "{}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_while_vectors_are_made_and_saved_always_leaves_a_good_start() {
    let (cache, model) = (tempfile::tempdir().unwrap(), tiny_model());
    let corpora = [(); 4].map(|()| tempfile::tempdir().unwrap());
    for round in 0..ROUNDS {
        for corpus in &corpora {
            write(corpus.path(), round);
        }

        // The first write of vectors, the second, and the note of what is in use.
        let killed = corpora.iter().enumerate();
        let killed =
            killed.map(|(at, corpus)| killed_at(&cache, &model, corpus, 1 + (round + at) % 3));

        for log in join_all(killed).await {
            assert!(!log.contains("WARN"), "round {round}: {log}");
            assert!(!log.contains("ERROR"), "round {round}: {log}");
        }
    }
    let with_tiny = |arguments: &[&str]| {
        let dir = model.path().to_str().unwrap();
        index(&cache, arguments).env("LOCKSTEP_SEARCH__MODEL", dir)
    };
    for corpus in &corpora {
        let path = corpus.path().to_str().unwrap();
        for _ in 0..2 {
            let output = with_tiny(&["--content", path]).run().await;
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        }
        let output = with_tiny(&["--content", path]).run().await;
        assert!(output.stdout.contains("nothing to do"), "{}", output.stdout);
    }
}

fn index(cache: &TempDir, arguments: &[&str]) -> Binary {
    let arguments = [&["index"], arguments].concat();
    Binary::new(&arguments).env("LOCKSTEP_SEARCH__CACHE", cache.path().to_str().unwrap())
}

/// Writes standards that differ from round to round and from corpus to corpus.
fn write(corpus: &Path, round: usize) {
    let standards = corpus.join("standards");
    fs::create_dir_all(&standards).unwrap();
    for number in 0..PASSAGES {
        let text = format!("# {round}\n\n{number} of {}", corpus.display());
        fs::write(standards.join(format!("{number}.md")), text).unwrap();
    }
}

/// Kills a process when it begins to write for the `nth` time, and returns what it has logged.
async fn killed_at(cache: &TempDir, model: &TempDir, corpus: &TempDir, nth: usize) -> String {
    let mut child = index(cache, &["--content", corpus.path().to_str().unwrap()])
        .env("LOCKSTEP_SEARCH__MODEL", model.path().to_str().unwrap())
        .env(
            "LOCKSTEP_LOG__FILTER",
            "warn,lockstep::search::vectors=debug",
        )
        .env("LOCKSTEP_SEARCH__WORKERS", "1")
        .env("LOCKSTEP_SEARCH__CACHE_MAX_MB", "1") // So that it is swept now and then.
        .command()
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = read_until_write(child.stderr.take().unwrap(), nth).await;
    child.kill().await.unwrap();
    log
}

async fn read_until_write(stderr: ChildStderr, nth: usize) -> String {
    let (mut lines, mut log, mut writes) = (BufReader::new(stderr).lines(), String::new(), 0);
    while writes < nth {
        let line = lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before write {nth}: {log}"));
        writes += usize::from(line.contains("keeping vectors") || line.contains("noting the"));
        log = log + &line + "\n";
    }
    log
}
