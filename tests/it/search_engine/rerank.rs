//! A cross encoder that orders the best passages anew: one by script, and a real graph.

use std::{fs, sync::Arc};

use crossbeam_channel::{Receiver, Sender, unbounded};
use lockstep::search::{
    Answer, EmbedError, Embedder, Engine, Error, Query, Reranked, Reranker, Settings, load_model,
    with_reranker,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{query, settings, soon, start, write};
use crate::harness::{Binary, TestMetrics, tiny_cross_encoder, tiny_model};

/// A model to which all texts mean the same, and which likes passages as they say.
struct Scripted {
    gate: Receiver<()>,
    renewed: Sender<()>,
}

impl Embedder for Scripted {
    fn embed(&mut self, _: &str) -> Result<Vec<f32>, EmbedError> {
        Ok(vec![1.0, 0.0])
    }

    fn reranker(&mut self) -> Option<&mut dyn Reranker> {
        Some(self)
    }

    fn renew(&mut self) -> Result<(), Error> {
        self.renewed.send(()).map_err(|_| Error::NoWorkers)
    }
}

impl Reranker for Scripted {
    fn score(&mut self, question: &str, passage: &str) -> Result<f32, EmbedError> {
        if question.contains("held") {
            let _ = self.gate.recv(); // A closed gate holds nobody.
        }
        let boom = question.contains("boom") && passage.contains("silver");
        assert!(!boom, "a panic that the test asked for");
        if question.contains("fail") && passage.contains("silver") {
            return Err(EmbedError::Model("no score today".into()));
        }
        let worth = [("gold", 9.0), ("silver", 5.0), ("iron", 1.0)];
        let worth = worth.iter().find(|(metal, _)| passage.contains(metal));
        Ok(worth.map_or(-1.0, |(_, worth)| *worth))
    }
}

/// Standards of which each question below is answered by file number 1, by the evidence alone.
struct Bench {
    engine: Arc<Engine>,
    metrics: TestMetrics,
    renewed: Receiver<()>,
    gate: Sender<()>,
    _content: TempDir,
}

impl Bench {
    async fn start(set: impl FnOnce(&mut Settings)) -> Self {
        let content = tempfile::tempdir().unwrap();
        let files = ["iron ore to ask for", "silver ore", "gold ore", "wood"];
        for (number, text) in (1..).zip(files) {
            let text = format!("# Part {number}\n\nThis is about {text}.");
            write(content.path(), &format!("{number}.md"), &text);
        }
        let mut settings = settings(content.path());
        set(&mut settings);
        let (gate, gated) = unbounded();
        let (renew, renewed) = unbounded();
        let model = Scripted {
            gate: gated,
            renewed: renew,
        };
        let metrics = TestMetrics::new();
        let engine = start(settings, vec![Box::new(model)], &metrics);
        soon(engine.ready()).await;
        Self {
            engine,
            metrics,
            renewed,
            gate,
            _content: content,
        }
    }

    async fn ask(&self, query: Query) -> Arc<Answer> {
        soon(self.engine.search(query)).await.unwrap()
    }

    fn reranks(&self) -> u64 {
        let labels = [("search.stage", "rerank")];
        let stages = self
            .metrics
            .histogram("lockstep.search.stage.duration", &labels);
        stages.0
    }
}

fn files(answer: &Answer) -> Vec<&str> {
    let passages = answer.passages.iter();
    passages
        .map(|passage| passage.file().trim_start_matches("standards/"))
        .collect()
}

#[tokio::test]
async fn the_best_passages_are_ordered_anew_and_the_rest_stays_behind_them() {
    let bench = Bench::start(|settings| settings.rerank_candidates = 3).await;
    let ask = query("which iron ore to ask for?");
    let by_mode = |mode| query("which iron ore to ask for?").with_mode(mode).unwrap();

    let answer = bench.ask(ask.clone()).await;
    let again = bench.ask(ask).await;
    let keyword = bench.ask(by_mode("keyword")).await;
    let vector = bench.ask(by_mode("vector")).await;

    assert_eq!(files(&answer), ["3.md", "2.md", "1.md", "4.md"]);
    assert_eq!(answer.retrieval_method(), "hybrid+rerank");
    assert_eq!(answer.not_reranked(), None);
    let scores: Vec<_> = answer
        .passages
        .iter()
        .map(|it| it.relevance_score)
        .collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    assert!(Arc::ptr_eq(&answer, &again), "it is kept");
    assert_eq!(bench.reranks(), 1);
    for (answer, method) in [(keyword, "keyword"), (vector, "vector")] {
        assert_eq!(files(&answer)[0], "1.md");
        assert_eq!(answer.retrieval_method(), method);
    }
    let labels = [("search.method", "hybrid+rerank")];
    assert_eq!(
        bench
            .metrics
            .histogram("lockstep.search.results", &labels)
            .0,
        1
    );
}

#[tokio::test]
async fn a_cross_encoder_that_fails_or_panics_leaves_the_order_and_says_so() {
    let bench = Bench::start(|_| {}).await;
    let fail = query("fail to ask for iron ore");
    let boom = query("boom! iron ore to ask for");

    let failed = bench.ask(fail.clone()).await;
    let failed_again = bench.ask(fail).await;
    let panicked = bench.ask(boom).await;
    let good = bench.ask(query("iron ore to ask for")).await;

    for answer in [&failed, &failed_again, &panicked] {
        assert_eq!(files(answer)[0], "1.md");
        assert_eq!(answer.retrieval_method(), "hybrid");
        assert_eq!(answer.not_reranked(), Some("cannot score a passage"));
    }
    assert!(!Arc::ptr_eq(&failed, &failed_again), "it is not kept");
    assert_eq!(bench.renewed.try_iter().count(), 1);
    assert_eq!(good.reranked, Reranked::Done);
    assert_eq!(bench.metrics.double_loads(), 0);
}

#[tokio::test]
async fn when_too_many_wait_for_it_the_order_stays_and_questions_still_go_first() {
    let bench = Bench::start(|settings| settings.queue = 1).await;
    let held = bench
        .ask(query("held by the gate, iron ore to ask for"))
        .await;
    assert!(
        held.not_reranked()
            .unwrap()
            .contains("as many as are allowed")
    );

    // Whatever was handed over of it is let lie when nobody waits any more.
    drop(bench.gate);
    let vector = query("another iron ore to ask for").with_mode("vector");
    let answer = soon(bench.engine.search(vector.unwrap())).await.unwrap();

    assert_eq!(answer.retrieval_method(), "vector");
}

fn assets() -> std::path::PathBuf {
    lockstep::config::Config::default().assets
}

fn joined(
    sentences: &TempDir,
    dir: &TempDir,
    max_tokens: usize,
) -> Result<Box<dyn Embedder>, Error> {
    let models = load_model(&assets(), sentences.path().to_str().unwrap(), 1)?;
    Ok(with_reranker(models, &assets(), dir.path(), max_tokens)?.remove(0))
}

#[test]
fn a_cross_encoder_reads_both_texts_as_far_as_it_is_let() {
    let (sentences, dir) = (tiny_model(), tiny_cross_encoder());
    let mut whole = joined(&sentences, &dir, 64).unwrap();
    let mut short = joined(&sentences, &dir, 8).unwrap();
    let score = |model: &mut Box<dyn Embedder>, question: &str, passage: &str| {
        model.reranker().unwrap().score(question, passage).unwrap()
    };

    assert_eq!(score(&mut whole, "7 9", "7 8 9 9"), 3.0);
    assert_eq!(score(&mut whole, "7 7", "7"), 2.0);
    assert_eq!(score(&mut whole, "unknown", "unknown 7"), 0.0);
    assert_eq!(score(&mut whole, "7 9", "7 8 9 9"), 3.0);
    let long = "5 ".repeat(20) + "7";
    assert_eq!(score(&mut whole, "7", &long), 1.0);
    assert_eq!(score(&mut short, "7", &long), 0.0);
    let vector = whole.embed("7 9").unwrap();
    whole.renew().unwrap();
    assert_eq!(whole.embed("7 9").unwrap(), vector);
    assert_eq!(score(&mut whole, "7 9", "7 8 9 9"), 3.0);
}

#[test]
fn what_is_no_cross_encoder_is_refused_at_the_start_and_a_missing_file_named() {
    let sentences = tiny_model();
    let refused = |dir: &TempDir| {
        let error = joined(&sentences, dir, 64).err().unwrap();
        format!("{:#}", anyhow::Error::from(error))
    };
    let (no_model, no_tokenizer) = (tiny_cross_encoder(), tiny_cross_encoder());
    fs::remove_file(no_model.path().join("model.onnx")).unwrap();
    fs::remove_file(no_tokenizer.path().join("tokenizer.json")).unwrap();
    let broken = tiny_cross_encoder();
    fs::write(broken.path().join("model.onnx"), "no graph").unwrap();

    for (message, named) in [
        (refused(&no_model), "model.onnx"),
        (refused(&no_tokenizer), "tokenizer.json"),
    ] {
        assert!(message.contains(&format!("/{named}: ")), "{message}");
        assert!(message.contains("search.rerank.model"), "{message}");
    }
    for (message, why) in [(refused(&sentences), "logits"), (refused(&broken), "")] {
        assert!(message.starts_with("cannot load "), "{message}");
        assert!(message.contains(why), "{message}");
    }
}

#[tokio::test]
async fn a_cross_encoder_that_is_set_orders_the_answers_of_the_program() {
    let (content, sentences) = (tempfile::tempdir().unwrap(), tiny_model());
    let cross_encoder = tiny_cross_encoder();
    write(content.path(), "a.md", "# 40\n\n7 seven 41");
    write(content.path(), "b.md", "# 50\n\n7 7 7 51");
    let ask = async |rerank: Option<&TempDir>| {
        let path = content.path().to_str().unwrap();
        let arguments = ["search", "7 seven 41", "--json", "--content", path];
        let mut program = Binary::new(&arguments)
            .env("LOCKSTEP_SEARCH__MODEL", sentences.path().to_str().unwrap());
        if let Some(dir) = rerank {
            program = program.env(
                "LOCKSTEP_SEARCH__RERANK__MODEL",
                dir.path().to_str().unwrap(),
            );
        }
        let output = program.run().await;
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let answer: Value = serde_json::from_str(&output.stdout).unwrap();
        let first = answer["results"][0]["file"].as_str().unwrap().to_owned();
        (
            first,
            answer["retrieval_method"].as_str().unwrap().to_owned(),
        )
    };

    let without = ask(None).await;
    let with = ask(Some(&cross_encoder)).await;

    assert_eq!(without, ("standards/a.md".into(), "hybrid".into()));
    assert_eq!(with, ("standards/b.md".into(), "hybrid+rerank".into()));
}
