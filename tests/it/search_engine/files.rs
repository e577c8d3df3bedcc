//! Files that change, that are many, and that are bad.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use lockstep::search::{EmbedError, Embedder, check};
use tokio::time::Instant;

use super::{Bench, all_of, query, settings, soon, start, write};
use crate::harness::TestMetrics;

#[tokio::test]
async fn an_edit_is_found_and_only_changed_passages_are_embedded() {
    let files = [
        ("a.md", "# Apples\n\nApples keep in the cellar."),
        ("b.md", "# Bread\n\nBread is baked at dawn."),
        ("c.md", "# Cheese\n\nCheese ripens."),
    ];
    let bench = Bench::start(&files);
    bench.engine.ready().await;
    assert_eq!(bench.inferences(), 3);

    bench.write("b.md", "# Bread\n\nBread is baked at noon.");
    fs::remove_file(bench.content.path().join("standards/c.md")).unwrap();
    bench.has_files(2).await;
    assert_eq!(bench.inferences(), 4);

    let answer = bench.engine.search(query("bread at noon")).await.unwrap();
    assert_eq!(
        answer.passages[0].content(),
        "# Bread\n\nBread is baked at noon."
    );
    assert_eq!(answer.passages.len(), 2);
}

#[tokio::test]
async fn many_changes_at_once_are_one_generation() {
    let bench = Bench::start_with(1, &[("a.md", "# A\n\ntext")], |settings| {
        settings.debounce = Duration::from_millis(300);
    });
    bench.engine.ready().await;

    for number in 0..20 {
        bench.write(&format!("deep/er/b{number}.md"), "# B\n\ntext");
    }

    assert_eq!(soon(bench.engine.generation_after(1)).await, 2);
    assert_eq!(bench.engine.status().files, 21);
}

#[tokio::test]
async fn a_change_while_a_snapshot_is_made_makes_another() {
    let mut bench = Bench::start(&[("a.md", "# A\n\nfirst")]);
    bench.engine.ready().await;

    bench.write("a.md", "# A\n\nhold the second");
    bench.begins("second").await;
    bench.write("a.md", "# A\n\nthe third");
    bench.gate.send(()).unwrap();

    assert_eq!(soon(bench.engine.generation_after(2)).await, 3);
    let answer = bench.engine.search(query("which?")).await.unwrap();
    assert_eq!(answer.passages[0].content(), "# A\n\nthe third");
}

#[tokio::test]
async fn standards_that_are_absent_are_empty_until_they_appear() {
    let bench = Bench::start(&[]);
    bench.engine.ready().await;
    let status = bench.engine.status();
    assert_eq!((status.files, status.faults, status.generation), (0, 1, 1));
    assert_eq!(
        bench
            .engine
            .search(query("a"))
            .await
            .unwrap()
            .passages
            .len(),
        0
    );

    bench.write("a.md", "# A\n\ntext");

    bench.has_files(1).await;
    assert_eq!(
        bench
            .engine
            .search(query("a"))
            .await
            .unwrap()
            .passages
            .len(),
        1
    );

    fs::remove_dir_all(bench.content.path().join("standards")).unwrap();
    bench.has_files(0).await;
    bench.write("b.md", "# B\n\ntext");
    bench.has_files(1).await;
    bench.write("c.md", "# C\n\ntext"); // Seen only if the new directory is watched.
    bench.has_files(2).await;
}

#[tokio::test]
async fn changes_below_a_relative_path_are_noticed() {
    let bench = Bench::start_with(1, &[("a.md", "# A\n\ntext")], |settings| {
        let up: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
            .components()
            .skip(1)
            .map(|_| "..")
            .collect();
        settings.content = up.join(settings.content.strip_prefix("/").unwrap());
    });
    bench.engine.ready().await;
    assert_eq!(bench.engine.status().files, 1);

    bench.write("b.md", "# B\n\ntext");

    bench.has_files(2).await;
}

#[tokio::test]
async fn changes_are_seen_by_looking_where_there_is_no_notice() {
    let bench = Bench::start_with(1, &[("a.md", "# A\n\ntext")], |settings| {
        settings.poll = Some(Duration::from_millis(20));
    });
    // The target of a link lies outside of the watched directory: its changes give no notice.
    let target = bench.content.path().join("target.md");
    fs::write(&target, "# B\n\none").unwrap();
    symlink("../target.md", bench.content.path().join("standards/b.md")).unwrap();
    bench.has_files(2).await;
    let generation = bench.engine.status().generation;

    fs::write(&target, "# B\n\nanother").unwrap();

    soon(bench.engine.generation_after(generation)).await;
    let answer = bench.engine.search(query("another")).await.unwrap();
    assert_eq!(answer.passages[0].content(), "# B\n\nanother");
}

#[tokio::test]
async fn filters_bring_all_that_they_allow_and_nothing_else() {
    let texts: Vec<_> = (0..60)
        .map(|number| match number {
            0..7 => (
                format!("{number}.md"),
                format!("# P\n\nIn phase 3, number {number}."),
            ),
            7..12 => (
                format!("{number}.md"),
                format!("---\ntags: [Rare]\n---\n# R\n\n{number}"),
            ),
            12..15 => (format!("{number}.md"), format!("# G\n\nuse git {number}")),
            _ => (
                format!("{number}.md"),
                format!("# Q\n\nquestion text {number}"),
            ),
        })
        .collect();
    let files: Vec<_> = texts
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let bench = Bench::start(&files);
    bench.engine.ready().await;
    let count = async |query| {
        let answer = bench.engine.search(query).await.unwrap();
        let scores: Vec<_> = answer
            .passages
            .iter()
            .map(|passage| passage.relevance_score)
            .collect();
        assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        answer.passages.len()
    };

    let ask = || all_of("question text");
    assert_eq!(count(ask()).await, 50);
    assert_eq!(count(ask().with_phase(3).unwrap()).await, 7);
    assert_eq!(count(ask().with_phase(4).unwrap()).await, 0);
    assert_eq!(count(ask().with_tags(&["rare"]).unwrap()).await, 5);
    assert_eq!(count(ask().with_tags(&["RARE", "git"]).unwrap()).await, 8);
    let both = ask().with_tags(&["git"]).unwrap().with_phase(3).unwrap();
    assert_eq!(count(both).await, 0);
    let few = query("question text").with_n_results(2).unwrap();
    assert_eq!(count(few.with_phase(3).unwrap()).await, 2);
}

#[tokio::test]
async fn bad_files_are_named_with_their_line_and_the_others_are_answered_from() {
    let content = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.md"), "# Secret\n\nkeep out").unwrap();
    let files = [
        ("good.md", "# Good\n\ntext"),
        ("empty.md", " \n"),
        ("front.md", "---\ntitle: T\nphase: two\n---\ntext"),
        ("fence.md", "# F\n\n```\ncode\n"),
        ("large.md", &"x".repeat(2 * 1024 * 1024 + 1)),
        ("mark.md", "\u{feff}# Mark\n\ntext"),
        ("windows.md", "# W\n\r\ntext\r\n"),
        (".hidden.md", "# Hidden\n\ntext"),
        ("notes.txt", "no Markdown"),
    ];
    files
        .iter()
        .for_each(|(name, text)| write(content.path(), name, text));
    let standards = content.path().join("standards");
    fs::write(standards.join("latin.md"), b"# L\n\ncaf\xe9\n").unwrap();
    symlink(outside.path().join("secret.md"), standards.join("link.md")).unwrap();
    symlink(outside.path(), standards.join("linked")).unwrap();
    symlink("nowhere.md", standards.join("dangling.md")).unwrap();
    symlink(".", standards.join("loop")).unwrap();

    let faults: Vec<_> = check(content.path())
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        "standards/dangling.md: cannot be read",
        "standards/empty.md: is empty",
        "standards/fence.md:3: the code block that starts here is never closed",
        "standards/front.md:3: the front matter is not valid",
        "standards/large.md: has more than 2097152 bytes",
        "standards/latin.md:3: is not UTF-8 text",
        "standards/link.md: is a link that leads out of the content directory",
        "standards/linked: is a link that leads out of the content directory",
        "standards/mark.md:1: begins with a byte order mark",
        "standards/windows.md:2: ends lines with CR LF",
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.starts_with(expected), "{fault}");
    }

    let bench = Bench::start_with(1, &[], |settings| {
        content.path().clone_into(&mut settings.content)
    });
    bench.engine.ready().await;
    let answer = bench.engine.search(all_of("text")).await.unwrap();
    let mut files: Vec<_> = answer
        .passages
        .iter()
        .map(|passage| passage.file())
        .collect();
    files.sort_unstable();
    let searched = ["fence.md", "good.md", "mark.md", "windows.md"];
    assert_eq!(files, searched.map(|name| format!("standards/{name}")));
    assert_eq!(bench.engine.status().faults, 7);
}

#[tokio::test]
async fn files_that_are_written_again_as_they_were_are_no_new_generation() {
    let text = "# A\n\ntext";
    let bench = Bench::start(&[("a.md", text)]);
    bench.engine.ready().await;

    let age = || {
        let age = bench
            .metrics
            .gauge("lockstep_search_generation_age_seconds", &[]);
        Duration::from_secs_f64(age)
    };
    // Twice: what is seen after the first may be the end of the start.
    for _ in 0..2 {
        bench.write("a.md", text);
        let written = Instant::now();
        soon(async {
            while age() >= written.elapsed() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await; // The files were looked at.
    }

    assert_eq!(bench.engine.status().generation, 1);
}

/// Fails on its first text.
struct FailsOnce(bool);

impl Embedder for FailsOnce {
    fn embed(&mut self, _: &str) -> Result<Vec<f32>, EmbedError> {
        match std::mem::replace(&mut self.0, true) {
            true => Ok(vec![1.0, 0.0]),
            false => Err(EmbedError::Gone),
        }
    }
}

#[tokio::test]
async fn a_passage_that_the_model_failed_on_is_tried_again_with_the_next_change() {
    let (content, metrics) = (tempfile::tempdir().unwrap(), TestMetrics::new());
    let text = "# A\n\ntext";
    write(content.path(), "a.md", text);
    let model = Box::new(FailsOnce(false));
    let engine = start(settings(content.path()), vec![model], &metrics);
    engine.ready().await;
    assert_eq!(engine.status().left_out, 1);

    write(content.path(), "a.md", text);

    assert_eq!(soon(engine.generation_after(1)).await, 2);
    assert_eq!(engine.status().left_out, 0);
}
