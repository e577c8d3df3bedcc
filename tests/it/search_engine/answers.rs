//! What is found by words, by meaning, and by both.

use std::fs;

use lockstep::search::{Kind, Mode};

use super::{Bench, Constant, all_of, copy_real, query, settings, soon, start};
use crate::harness::TestMetrics;

const FILES: &[(&str, &str)] = &[
    (
        "concurrency/locks.md",
        "# Locks\n\nTake an `RLock` where its owner calls itself.\n",
    ),
    (
        "concurrency/threads.md",
        "# Threads\n\nA thread that waits for itself never ends.\n",
    ),
    (
        "gates.md",
        "# Gates\n\nEach phase has a gate-definition.yaml; see ERR-17 and max_retry_count.\n",
    ),
    (
        "errors.md",
        "# Errors\n\nERR-18 is of the disk. An err of 17 files and a gate, a definition, some yaml.\n",
    ),
];

#[tokio::test]
async fn an_identifier_is_found_by_words_whatever_its_case() {
    let bench = Bench::start(FILES);
    bench.engine.ready().await;
    let cases = [
        ("RLock", "standards/concurrency/locks.md"),
        ("rlock", "standards/concurrency/locks.md"),
        ("gate-definition.yaml", "standards/gates.md"),
        ("GATE-DEFINITION.YAML", "standards/gates.md"),
        ("what does ERR-17 mean?", "standards/gates.md"),
        ("err-18", "standards/errors.md"),
        ("max_retry_count", "standards/gates.md"),
    ];
    for (text, file) in cases {
        let asked = query(text).with_mode("keyword").unwrap();
        let answer = bench.engine.search(asked).await.unwrap();
        assert_eq!(answer.passages[0].file(), file, "{text}");
        assert_eq!(answer.method, Mode::Keyword);
    }
}

#[tokio::test]
async fn words_are_found_in_another_form_and_by_the_name_of_the_file() {
    let bench = Bench::start(&[
        (
            "retry-strategies.md",
            "# Again\n\nWait a little longer each time.\n",
        ),
        ("other.md", "# Other\n\nConnections are pooled.\n"),
    ]);
    bench.engine.ready().await;
    for (text, file) in [
        ("pooling a connection", "standards/other.md"),
        ("retries", "standards/retry-strategies.md"),
        ("waiting", "standards/retry-strategies.md"),
    ] {
        let asked = query(text).with_mode("keyword").unwrap();
        let answer = bench.engine.search(asked).await.unwrap();
        assert_eq!(answer.passages.len(), 1, "{text}");
        assert_eq!(answer.passages[0].file(), file, "{text}");
    }
}

#[tokio::test]
async fn the_keyword_mode_asks_no_model_and_finds_nothing_in_words_that_are_nowhere() {
    let bench = Bench::start(FILES);
    bench.engine.ready().await;
    let indexed = bench.inferences();

    let asked = query("sourdough").with_mode("keyword").unwrap();
    let answer = bench.engine.search(asked).await.unwrap();

    assert_eq!((answer.passages.len(), answer.searched), (0, 4));
    assert_eq!(bench.inferences(), indexed);
    let asked = query("sourdough").with_mode("vector").unwrap();
    let answer = bench.engine.search(asked).await.unwrap();
    assert_eq!((answer.passages.len(), answer.method), (4, Mode::Vector));
    assert_eq!(bench.inferences(), indexed + 1);
}

#[tokio::test]
async fn files_and_categories_are_filtered_inside_the_search() {
    let many: Vec<_> = (0..300)
        .map(|number| {
            (
                format!("many/q{number}.md"),
                format!("# Q\n\nquestion text {number}\n"),
            )
        })
        .collect();
    let mut files: Vec<_> = many.iter().map(|(name, text)| (&**name, &**text)).collect();
    files.extend([
        (
            "few/deep/er/answer.md",
            "# A\n\nAn answer about nothing of that.",
        ),
        ("few/other.md", "# B\n\nAnother one."),
        ("fewer/x.md", "# C\n\nA third."),
    ]);
    let bench = Bench::start(&files);
    bench.engine.ready().await;
    let ask = || all_of("question text");
    let cases = [
        (ask().with_category("few").unwrap(), 2),
        (ask().with_category("/few/deep/").unwrap(), 1),
        (ask().with_category("nowhere").unwrap(), 0),
        (ask().with_file("answer.md").unwrap(), 1),
        (ask().with_file("few*/**").unwrap(), 3),
        (ask().with_file("few/*.md").unwrap(), 1),
        (ask().with_file("standards/few/**").unwrap(), 2),
        (ask().with_file("q7?.md").unwrap(), 10),
        (ask().with_file("{x,other}.md").unwrap(), 2),
        (
            ask()
                .with_file("*.md")
                .unwrap()
                .with_category("few")
                .unwrap(),
            2,
        ),
    ];
    for (asked, count) in cases {
        let shown = format!("{asked:?}");
        let answer = bench.engine.search(asked).await.unwrap();
        assert_eq!(answer.passages.len(), count, "{shown}");
        assert_eq!(answer.searched, count, "{shown}");
    }
    for mode in ["keyword", "vector"] {
        let asked = ask().with_file("q7?.md").unwrap().with_mode(mode).unwrap();
        let answer = bench.engine.search(asked).await.unwrap();
        assert_eq!(answer.passages.len(), 10, "{mode}");
    }
}

#[tokio::test]
async fn of_one_file_there_are_only_a_few_passages_while_others_are_left() {
    let long: String = (0..20)
        .map(|number| format!("# Part {number}\n\n{}\n\n", "question text ".repeat(60)))
        .collect();
    let bench = Bench::start(&[
        ("long.md", &long),
        ("b.md", "# B\n\nquestion"),
        ("c.md", "# C\n\nnothing of it"),
    ]);
    bench.engine.ready().await;
    let of_long = async |asked| {
        let answer = bench.engine.search(asked).await.unwrap();
        let passages = answer.passages.iter();
        let files = passages.map(|passage| passage.file() == "standards/long.md");
        (answer.passages.len(), files.filter(|long| *long).count())
    };
    let ask = |n_results| query("question text").with_n_results(n_results).unwrap();

    assert_eq!(of_long(ask(5)).await, (5, 3));
    assert_eq!(
        of_long(ask(5).with_max_per_file(1).unwrap()).await,
        (5, 3),
        "others run out"
    );
    assert_eq!(of_long(ask(3).with_max_per_file(1).unwrap()).await, (3, 1));
    assert_eq!(of_long(ask(5).with_max_per_file(20).unwrap()).await, (5, 5));
    let narrow = ask(9).with_file("long.md").unwrap();
    assert_eq!(of_long(narrow).await, (9, 9));
}

#[tokio::test]
async fn neighbours_of_a_section_are_one_passage_and_its_address_reads_the_section() {
    let paragraph = |number: usize| {
        let filler = "gates wait for evidence ".repeat(45);
        format!("Paragraph {number} is here: {filler}\n\n")
    };
    let section = format!(
        "# Gates\n\n{}{}{}",
        paragraph(1),
        paragraph(2),
        paragraph(3)
    );
    let text = format!("{section}# Other\n\n{}", "nothing of it ".repeat(80));
    let bench = Bench::start(&[("deep/some gates.md", &text)]);
    bench.engine.ready().await;
    assert!(bench.engine.status().chunks > 3, "there is nothing to join");

    let answer = bench.engine.search(query("evidence of gates")).await;
    let answer = answer.unwrap();

    let gates: Vec<_> = answer
        .passages
        .iter()
        .filter(|passage| passage.section() == "Gates")
        .collect();
    assert_eq!(gates.len(), 1, "{gates:?}");
    assert_eq!(gates[0].content(), section.trim_end());
    assert_eq!(gates[0].lines(), (1, 7));
    assert_eq!(gates[0].uri(), "standards://deep/some%20gates.md#gates");
    let read = |uri: &str| {
        bench
            .engine
            .standard(uri.strip_prefix("standards://").unwrap())
    };
    assert_eq!(read(&gates[0].uri()).unwrap(), section.trim_end());
    assert_eq!(read("standards://deep/some%20gates.md").unwrap(), text);
    for nowhere in [
        "deep/some%20gates.md#gate",
        "some%20gates.md",
        "../a.md",
        "",
    ] {
        assert_eq!(bench.engine.standard(nowhere), None, "{nowhere}");
    }
}

#[tokio::test]
async fn a_further_passage_of_a_file_steps_back_behind_one_of_another_file() {
    let section = |letter: char, words: usize| {
        let words: String = (0..words).map(|at| format!("{letter}{at} ")).collect();
        format!("# {letter}\n\nbackoff {words}\n\n")
    };
    let two = section('A', 200) + &section('B', 202);
    let files = [("a.md", &*two), ("c.md", &*section('C', 204))];
    let bench = Bench::start_with(1, &files, |settings| settings.fusion.document = 0.0);
    bench.engine.ready().await;
    let ask = query("backoff").with_mode("keyword").unwrap();

    let all = bench.engine.search(ask.clone()).await.unwrap();
    let of_one = bench.engine.search(ask.with_file("a.md").unwrap()).await;

    let sections = |answer: &lockstep::search::Answer| -> Vec<String> {
        let passages = answer.passages.iter();
        passages
            .map(|passage| passage.section().to_owned())
            .collect()
    };
    assert_eq!(sections(&all), ["A", "C", "B"]);
    let scores = all.passages.iter().map(|passage| passage.relevance_score);
    assert!(scores.is_sorted_by(|one, next| one >= next), "{all:?}");
    assert_eq!(sections(&of_one.unwrap()), ["A", "B"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passages_of_real_standards_are_their_lines_and_their_addresses_read_the_section() {
    let content = tempfile::tempdir().unwrap();
    for category in ["concurrency", "testing", "workflows"] {
        copy_real(content.path(), category, category);
    }
    let metrics = TestMetrics::new();
    let engine = start(settings(content.path()), vec![Box::new(Constant)], &metrics);
    engine.ready().await;
    let text = |file: &str| fs::read_to_string(content.path().join(file)).unwrap();
    let mut seen = 0;
    for question in [
        "How do threads share a value?",
        "retry with backoff",
        "What does a gate check?",
        "test doubles and fixtures",
        "commit message",
    ] {
        let answer = engine.search(all_of(question)).await.unwrap();
        for passage in &answer.passages {
            let (first, last) = passage.lines();
            let file = text(passage.file());
            let lines: Vec<_> = file
                .lines()
                .skip(first - 1)
                .take(last - first + 1)
                .collect();
            let shown = passage.uri();
            assert!(
                lines.join("\n").contains(passage.content()),
                "{shown}: {passage:?}"
            );
            let address = shown.strip_prefix("standards://").unwrap();
            let section = engine.standard(address).unwrap();
            assert!(section.contains(passage.content()), "{shown}");
            let whole = engine.standard(address.split('#').next().unwrap()).unwrap();
            assert_eq!(whole, file, "{shown}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen} passages");
}

#[tokio::test]
async fn what_a_file_has_in_other_passages_speaks_for_it() {
    let filler = |letter: char| -> String {
        let words = (0..200).map(|number| format!("{letter}{number} "));
        words.collect()
    };
    let (a, b, c) = (filler('a'), filler('b'), filler('c'));
    let alone = format!("# A\n\nbackoff {a}");
    let both = format!("# B\n\nbackoff {b}\n\n# C\n\njitter {c}");
    let bench = Bench::start(&[("a.md", &alone), ("b.md", &both)]);
    bench.engine.ready().await;
    let asked = query("jitter of a backoff").with_mode("keyword").unwrap();

    let answer = bench.engine.search(asked).await.unwrap();

    let sections = answer.passages.iter().map(|passage| passage.section());
    assert_eq!(sections.collect::<Vec<_>>(), ["C", "B", "A"]);
}

#[tokio::test]
async fn an_answer_fits_into_its_budget() {
    let text = |number| format!("# P{number}\n\n{}", "question ".repeat(40));
    let texts: Vec<_> = (0..5)
        .map(|number| (format!("{number}.md"), text(number)))
        .collect();
    let files: Vec<_> = texts
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let bench = Bench::start(&files);
    bench.engine.ready().await;

    let whole = bench.engine.search(query("question")).await.unwrap();
    let asked = query("question").with_max_tokens(200).unwrap();
    let some = bench.engine.search(asked).await.unwrap();

    assert_eq!(whole.passages.len(), 5);
    assert_eq!(some.passages.len(), 2);
    assert!(some.total_tokens <= 200);
}

#[tokio::test]
async fn what_is_on_topic_scores_above_what_is_not_and_scores_fall() {
    let bench = Bench::start(FILES);
    bench.engine.ready().await;

    let on = soon(bench.engine.search(query("a thread that waits for itself")))
        .await
        .unwrap();
    let off = soon(bench.engine.search(query("sourdough bread")))
        .await
        .unwrap();

    let scores = |answer: &lockstep::search::Answer| -> Vec<f64> {
        answer
            .passages
            .iter()
            .map(|passage| passage.relevance_score)
            .collect()
    };
    assert_eq!(on.passages[0].file(), "standards/concurrency/threads.md");
    assert!(
        scores(&on)[0] > 0.5 && scores(&off)[0] < 0.3,
        "{on:?} {off:?}"
    );
    for answer in [on, off] {
        assert!(
            scores(&answer).is_sorted_by(|one, other| one >= other),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn meaning_alone_is_refused_while_there_are_no_vectors() {
    let bench = Bench::start(&[]);
    bench.engine.ready().await;
    // Without passages there is nothing to wait for.
    let asked = query("anything").with_mode("vector").unwrap();
    assert_eq!(bench.engine.search(asked).await.unwrap().passages.len(), 0);

    let bench = Bench::start(&[("a.md", "# A\n\nboom")]); // The model fails on the one passage.
    bench.engine.ready().await;
    let asked = query("anything").with_mode("vector").unwrap();
    let outcome = bench.engine.search(asked).await;
    if let Err(refused) = outcome {
        assert_eq!(refused.kind(), Kind::Retry);
    }
}
