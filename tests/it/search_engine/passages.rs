//! Which passages an answer has, and what they are called.

use super::{Bench, all_of, query, soon};

/// So many words that are nowhere else.
fn words(letter: char, count: usize) -> String {
    (0..count).map(|at| format!("{letter}{at} ")).collect()
}

#[tokio::test]
async fn what_two_files_say_alike_is_answered_once_and_names_the_other() {
    let said = format!("Retry with backoff and jitter. {}", words('w', 60));
    let files = [
        ("a.md", format!("# Retries\n\n{said}")),
        ("b.md", format!("# Retries\n\n{}", said.to_uppercase())),
        (
            "c.md",
            format!("# Timeouts\n\nbackoff too {}", words('x', 60)),
        ),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, &**text));
    let bench = Bench::start(&files);
    bench.engine.ready().await;

    let answer = bench.engine.search(all_of("retry with backoff")).await;

    let answer = answer.unwrap();
    let files: Vec<_> = answer
        .passages
        .iter()
        .map(|passage| (passage.file(), passage.also_in.len()))
        .collect();
    assert_eq!(files, [("standards/a.md", 1), ("standards/c.md", 0)]);
    assert_eq!(*answer.passages[0].also_in[0], *"standards/b.md");
}

#[tokio::test]
async fn a_passage_is_called_the_same_whatever_is_written_before_it() {
    let long = |letter| format!("backoff {}\n\n", words(letter, 150));
    let section = format!("# Retries\n\n{}{}", long('a'), long('b'));
    let bench = Bench::start(&[("a.md", &section)]);
    bench.engine.ready().await;
    let ids = async |generation| {
        let asked = query("backoff").with_mode("keyword").unwrap();
        let asked = asked.with_max_tokens(10_000).unwrap();
        let answer = bench.engine.search(asked).await.unwrap();
        assert_eq!(answer.generation, generation);
        let ids = answer.passages.iter().map(|passage| passage.id());
        ids.collect::<Vec<_>>()
    };
    let before = ids(1).await;

    let other = format!("# Introduction\n\n{}", words('c', 150));
    bench.write("a.md", &format!("{other}\n\n{section}"));
    soon(bench.engine.generation_after(1)).await;

    assert_eq!(before, ["a.md#retries"]);
    assert_eq!(ids(2).await, before);
}
