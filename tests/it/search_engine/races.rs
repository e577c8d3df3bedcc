//! Many callers, one model.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use lockstep::search::{Engine, Kind, Mode};
use tokio::sync::Barrier;

use super::{Bench, all_of, query, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_equal_cold_questions_cost_one_inference() {
    let files = [("a.md", "# Threads\n\nLock what threads share.")];
    let mut bench = Bench::start(&files);
    bench.engine.ready().await;
    let indexed = bench.inferences();

    let asked = Arc::new(Barrier::new(1_001));
    let calls = (0..1_000).map(|_| {
        let (engine, asked) = (Arc::clone(&bench.engine), Arc::clone(&asked));
        tokio::spawn(async move {
            asked.wait().await;
            engine.search(query("what do threads hold?")).await
        })
    });
    let calls: Vec<_> = calls.collect();
    asked.wait().await;
    bench.begins("hold").await;
    bench.gate.send(()).unwrap();
    let answers = join_all(calls).await;

    let first = answers[0].as_ref().unwrap().as_ref().unwrap();
    for answer in &answers {
        assert!(Arc::ptr_eq(
            first,
            answer.as_ref().unwrap().as_ref().unwrap()
        ));
    }
    assert_eq!(bench.inferences() - indexed, 1);
    let lookups = |outcome| bench.metrics.lookups("answers", outcome);
    assert_eq!(lookups("miss"), 1);
    assert_eq!(lookups("coalesced") + lookups("hit"), 999);
    assert_eq!(bench.metrics.double_loads(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn questions_that_differ_only_in_their_limits_share_one_inference() {
    let mut bench = Bench::start(&[("a.md", "# Threads\n\nLock what threads share.")]);
    bench.engine.ready().await;
    let indexed = bench.inferences();

    let calls = (1..=50).map(|limit| {
        let engine = Arc::clone(&bench.engine);
        let query = query("what do threads hold?").with_n_results(limit);
        tokio::spawn(async move { engine.search(query.unwrap()).await })
    });
    let calls: Vec<_> = calls.collect();
    bench.begins("hold").await;
    drop(bench.gate);

    for answer in join_all(calls).await {
        assert_eq!(answer.unwrap().unwrap().passages.len(), 1);
    }
    assert_eq!(bench.inferences.load(SeqCst) - indexed, 1);
    assert_eq!(bench.metrics.double_loads(), 0);
}

/// An edition of a file with ten passages, each of which names it.
fn edition(number: u64) -> String {
    let passage = |section: u32| {
        let filler = "words that make the section long enough to stand alone, ".repeat(12);
        format!("## Section {section}\n\nEdition {number} here. {filler}\n\n")
    };
    (0..10).map(passage).collect()
}

async fn ask_for_editions(engine: Arc<Engine>, stop: Arc<AtomicBool>) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while !stop.load(SeqCst) {
        let current = engine.status().generation;
        let answer = engine.search(all_of("which edition?")).await.unwrap();
        assert!(answer.generation >= current, "an answer of the past");
        assert_eq!(answer.passages.len(), 10);
        let edition = |content: &str| {
            let from = content.find("Edition").unwrap();
            content[from..].split(" here").next().unwrap().to_owned()
        };
        for passage in &answer.passages {
            seen.push((answer.generation, edition(passage.content())));
        }
        tokio::task::yield_now().await;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn searches_during_expiry_and_reloads_never_fail_and_never_mix_generations() {
    let first = edition(1);
    let bench = Bench::start_with(2, &[("a.md", &first)], |settings| {
        settings.answers_ttl = Duration::from_millis(1);
        settings.debounce = Duration::from_millis(1);
    });
    bench.engine.ready().await;

    let stop = Arc::new(AtomicBool::new(false));
    let searchers = (0..8).map(|_| {
        tokio::spawn(ask_for_editions(
            Arc::clone(&bench.engine),
            Arc::clone(&stop),
        ))
    });
    let searchers: Vec<_> = searchers.collect();
    for number in 2..=30 {
        let generation = bench.engine.status().generation;
        bench.write("a.md", &edition(number));
        soon(bench.engine.generation_after(generation)).await;
    }
    stop.store(true, SeqCst);

    let mut editions: HashMap<u64, String> = HashMap::new();
    for searcher in join_all(searchers).await {
        for (generation, edition) in searcher.unwrap() {
            let known = editions
                .entry(generation)
                .or_insert_with(|| edition.clone());
            assert_eq!(*known, edition, "generation {generation} is mixed");
        }
    }
    assert!(
        editions.len() > 1,
        "nothing was reloaded under the searches"
    );
    assert_eq!(bench.metrics.double_loads(), 0);
    let last = bench.engine.search(query("which edition?")).await.unwrap();
    assert!(last.passages[0].content().contains("Edition 30 here"));
}

#[tokio::test]
async fn a_caller_that_goes_away_neither_kills_nor_repeats_the_search() {
    let mut bench = Bench::start(&[("a.md", "# A\n\ntext")]);
    bench.engine.ready().await;
    let indexed = bench.inferences();

    let engine = Arc::clone(&bench.engine);
    let leader = tokio::spawn(async move { engine.search(query("hold on")).await });
    bench.begins("hold").await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    let engine = Arc::clone(&bench.engine);
    let follower = tokio::spawn(async move { engine.search(query("hold on")).await });
    bench.gate.send(()).unwrap();

    assert_eq!(follower.await.unwrap().unwrap().passages.len(), 1);
    assert_eq!(bench.inferences() - indexed, 1);
    assert_eq!(bench.metrics.lookups("answers", "abandoned"), 1);
}

#[tokio::test]
async fn a_question_beyond_the_queue_is_refused_at_once_and_the_others_are_answered() {
    let files = [("a.md", "# A\n\ntext")];
    let mut bench = Bench::start_with(1, &files, |settings| settings.queue = 1);
    bench.engine.ready().await;

    let engine = Arc::clone(&bench.engine);
    let running = tokio::spawn(async move { engine.search(query("hold on")).await });
    bench.begins("hold").await;
    let ask = |number: u32| {
        let engine = Arc::clone(&bench.engine);
        async move { engine.search(query(&format!("question {number}"))).await }
    };
    let mut others: FuturesUnordered<_> = (0..3).map(ask).collect();

    for _ in 0..2 {
        let refused = soon(others.next()).await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), Kind::Retry);
        assert_eq!(
            refused.to_string(),
            "1 questions wait for the model, as many as are allowed"
        );
    }
    bench.gate.send(()).unwrap();
    assert!(others.next().await.unwrap().is_ok());
    assert!(running.await.unwrap().is_ok());
    let waited = [("lock.name", "search.model")];
    let (waits, _) = bench
        .metrics
        .histogram("lockstep.lock.wait.duration", &waited);
    assert_eq!(waits, 1, "only the question in the queue waited");
    // The model is asked first, and looks at a question while its words are looked up.
    let looked_up = [("search.stage", "keywords")];
    let (looked_up, _) = bench
        .metrics
        .histogram("lockstep.search.stage.duration", &looked_up);
    assert_eq!(looked_up, 2, "no words of those who were refused");
}

#[tokio::test]
async fn a_model_that_panics_fails_its_question_and_goes_on() {
    let bench = Bench::start(&[("a.md", "# A\n\ntext")]);
    bench.engine.ready().await;

    let failed = bench.engine.search(query("boom")).await.unwrap_err();
    let answered = bench.engine.search(query("text")).await;

    assert_eq!(failed.kind(), Kind::Internal);
    assert_eq!(answered.unwrap().passages.len(), 1);
    let renewals = bench.renewals.load(SeqCst);
    assert_eq!(renewals, 1, "what panicked is not used again");
}

#[tokio::test]
async fn a_passage_that_the_model_panics_on_is_left_out() {
    let bench = Bench::start(&[("a.md", "# A\n\nboom"), ("b.md", "# B\n\ntext")]);
    bench.engine.ready().await;

    let answer = bench.engine.search(all_of("text")).await.unwrap();

    assert_eq!(answer.passages.len(), 1);
    assert_eq!(answer.passages[0].file(), "standards/b.md");
}

#[tokio::test]
async fn a_question_goes_before_passages_that_wait() {
    let mut bench = Bench::start(&[("a.md", "# A\n\ntext")]);
    bench.engine.ready().await;
    for number in 0..5 {
        bench.write(&format!("b{number}.md"), &format!("# B\n\nhold {number}"));
    }
    bench.begins("hold").await; // The one thread is busy, and more passages wait.

    let engine = Arc::clone(&bench.engine);
    let asked = tokio::spawn(async move { engine.search(query("urgent")).await });
    for _ in 0..100 {
        tokio::task::yield_now().await; // One thread runs all tasks: the question is handed over.
    }
    bench.gate.send(()).unwrap();

    assert_eq!(bench.begun.recv().await.unwrap(), "urgent");
    assert_eq!(asked.await.unwrap().unwrap().generation, 1);
}

#[tokio::test]
async fn a_question_before_the_vectors_is_answered_by_words_and_after_by_both() {
    let mut bench = Bench::start(&[("a.md", "# A\n\ntext"), ("b.md", "# B\n\nhold")]);
    bench.begins("hold").await;

    let early = bench.engine.search(query("text")).await.unwrap();
    let refused = query("text").with_mode("vector").unwrap();
    let refused = bench.engine.search(refused).await.unwrap_err();
    let status = bench.engine.status();
    drop(bench.gate);
    soon(bench.engine.ready()).await;
    let late = bench.engine.search(query("text")).await.unwrap();

    assert_eq!((early.method, early.generation), (Mode::Keyword, 0));
    assert_eq!(early.passages[0].file(), "standards/a.md");
    assert_eq!(refused.kind(), Kind::Retry);
    assert_eq!((status.ready, status.vectors), (true, false));
    assert_eq!(status.progress.unwrap().total, 2);
    assert_eq!((late.method, late.generation), (Mode::Hybrid, 1));
}

#[tokio::test]
async fn the_threads_of_the_model_end_with_the_engine() {
    let bench = Bench::start_with(3, &[("a.md", "# A\n\ntext")], |_| {});
    bench.engine.ready().await;
    bench.engine.search(query("text")).await.unwrap();

    drop(bench.engine);

    let patience = Duration::from_secs(10);
    let ended = tokio::task::spawn_blocking(move || bench.alive.recv_timeout(patience));
    let ended = ended.await.unwrap().unwrap_err();
    assert!(ended.is_disconnected(), "an embedder is left");
}
