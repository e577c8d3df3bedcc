//! Standards that change, break and come back while questions are asked.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures::future::join_all;
use lockstep::search::{Engine, Query, Settings};
use tokio::task::JoinHandle;

use super::{Bench, Constant, all_of, copy_real, settings, soon, start, write};
use crate::harness::TestMetrics;

/// Writes `files` as the kubelet does when it updates a mounted `ConfigMap`: into a new directory,
/// to which one link is swapped.
fn swap(mount: &Path, version: u32, links: &[(&str, &str)], files: &[(&str, &str)]) {
    let data = format!("..version_{version}");
    for (name, text) in files {
        let path = mount.join(&data).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    symlink(&data, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    for (link, target) in links {
        if !mount.join(link).exists() {
            symlink(target, mount.join(link)).unwrap();
        }
    }
    let before = mount.join(format!("..version_{}", version.saturating_sub(1)));
    if version > 0 {
        fs::remove_dir_all(before).unwrap();
    }
}

#[tokio::test]
async fn a_config_map_mounted_as_the_standards_is_live() {
    let bench = Bench::start(&[]);
    let mount = bench.content.path().join("standards");
    fs::create_dir(&mount).unwrap();
    let links = [("a.md", "..data/a.md")];
    swap(&mount, 0, &links, &[("a.md", "# A\n\nversion zero")]);
    bench.has_files(1).await;

    for version in 1..4 {
        let generation = bench.engine.status().generation;
        let text = format!("# A\n\nversion {version}");
        swap(&mount, version, &links, &[("a.md", &text)]);

        soon(bench.engine.generation_after(generation)).await;
        found(&bench.engine, &text).await;
    }
}

#[tokio::test]
async fn a_config_map_mounted_as_the_content_is_live() {
    let bench = Bench::start(&[]);
    let links = [("standards", "..data/standards")];
    let mount = bench.content.path();
    swap(
        mount,
        0,
        &links,
        &[("standards/a.md", "# A\n\nversion zero")],
    );
    bench.has_files(1).await;

    for version in 1..4 {
        let generation = bench.engine.status().generation;
        let text = format!("# A\n\nversion {version}");
        swap(mount, version, &links, &[("standards/a.md", &text)]);

        soon(bench.engine.generation_after(generation)).await;
        found(&bench.engine, &text).await;
    }
}

/// Waits until a passage holds `text`: a swap may be seen before it is over.
async fn found(engine: &Engine, text: &str) {
    let look = async {
        loop {
            let generation = engine.status().generation;
            let answer = engine.search(all_of("which version?")).await.unwrap();
            if answer
                .passages
                .iter()
                .any(|found| found.content().contains(text))
            {
                return;
            }
            engine.generation_after(generation).await;
        }
    };
    soon(look).await;
}

#[tokio::test]
async fn a_failed_build_keeps_the_snapshot_and_is_told_until_a_good_one() {
    let bench = Bench::start(&[("a.md", "# A\n\nfirst"), ("b.md", "# B\n\nsecond")]);
    bench.engine.ready().await;
    assert_eq!(bench.engine.status().failure, None);

    bench.write("b.md", "# B\n\nshort"); // Of which the model makes a vector of another length.
    let failure = soon(async {
        loop {
            if let Some(failure) = bench.engine.status().failure {
                return failure;
            }
            tokio::task::yield_now().await;
        }
    });
    let failure = failure.await;

    assert!(failure.contains("dimensions"), "{failure}");
    let status = bench.engine.status();
    assert_eq!(
        (status.ready, status.generation, status.files),
        (true, 1, 2)
    );
    let answer = bench.engine.search(all_of("second")).await.unwrap();
    assert_eq!(answer.passages[0].content(), "# B\n\nsecond");

    bench.write("b.md", "# B\n\nthird");
    assert_eq!(soon(bench.engine.generation_after(1)).await, 2);
    let restored = soon(async {
        while bench.engine.status().failure.is_some() {
            tokio::task::yield_now().await;
        }
    });
    restored.await;
}

/// A file of eight passages that name its edition.
fn edition(number: u64) -> String {
    let passage = |section: u32| {
        let filler = "words that make the section long enough to stand alone, ".repeat(12);
        format!("## Section {section}\n\nEdition {number} here. {filler}\n\n")
    };
    (0..8).map(passage).collect()
}

/// Generations, and the editions that were seen in each.
type Seen = Vec<(u64, Vec<String>)>;

/// Asks until it is stopped, and returns which editions were seen in which generation.
async fn ask(engine: Arc<Engine>, stop: Arc<AtomicBool>, query: Query) -> Seen {
    let mut seen = Vec::new();
    while !stop.load(SeqCst) {
        let current = engine.status().generation;
        let answer = engine.search(query.clone()).await.unwrap();
        assert!(answer.generation >= current, "an answer of the past");
        let contents = answer.passages.iter().map(|passage| passage.content());
        let edition = |content: &str| {
            let from = content.find("Edition")?;
            Some(content[from..].split(" here").next()?.to_owned())
        };
        seen.push((answer.generation, contents.filter_map(edition).collect()));
        tokio::task::yield_now().await;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn standards_edited_extended_broken_and_restored_under_load_never_mix_and_never_fail() {
    let cache = tempfile::tempdir().unwrap();
    let first = edition(0);
    let bench = Bench::start_with(2, &[("a.md", &first)], |settings| {
        settings.answers_ttl = Duration::from_millis(1);
        settings.debounce = Duration::from_millis(1);
        let (dir, max_bytes) = (cache.path().to_owned(), 20_000);
        settings.cache = Some(lockstep::search::Cache { dir, max_bytes });
    });
    bench.engine.ready().await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking = (0..6).map(|_| {
        let query = all_of("which edition?");
        tokio::spawn(ask(Arc::clone(&bench.engine), Arc::clone(&stop), query))
    });
    let asking: Vec<_> = asking.collect();

    let (standards, away) = (
        bench.content.path().join("standards"),
        bench.content.path().join("away"),
    );
    for number in 1..=20 {
        let generation = bench.engine.status().generation;
        match number % 5 {
            0 => bench.write("b.md", "# B\n\nanother file"),
            1 => fs::write(standards.join("b.md"), b"# B\n\ncaf\xe9").unwrap(),
            2 => fs::rename(&standards, &away).unwrap(),
            3 => fs::rename(&away, &standards).unwrap(),
            _ => bench.write("a.md", &edition(number)),
        }
        soon(bench.engine.generation_after(generation)).await;
    }
    bench.write("a.md", &edition(21));
    found(&bench.engine, "Edition 21 here").await;
    stop.store(true, SeqCst);

    let editions = editions_of(asking).await;
    assert!(editions.len() > 3, "nothing changed under the questions");
    assert_eq!(bench.metrics.double_loads(), 0);
}

/// Returns which edition each generation was of, and fails if one was of two.
async fn editions_of(asking: Vec<JoinHandle<Seen>>) -> HashMap<u64, String> {
    let mut editions = HashMap::new();
    for asked in join_all(asking).await {
        for (generation, seen) in asked.unwrap() {
            assert!(seen.iter().all(|edition| *edition == seen[0]), "{seen:?}");
            let Some(edition) = seen.into_iter().next() else {
                continue; // The file was away.
            };
            let known = editions
                .entry(generation)
                .or_insert_with(|| edition.clone());
            assert_eq!(*known, edition, "generation {generation} is mixed");
        }
    }
    editions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_standards_edited_extended_broken_and_restored_under_load_never_mix_and_never_fail() {
    let cache = tempfile::tempdir().unwrap();
    let content = tempfile::tempdir().unwrap();
    copy_real(content.path(), "concurrency", "concurrency");
    let (dir, max_bytes) = (cache.path().to_owned(), 1 << 20);
    let settings = Settings {
        answers_ttl: Duration::from_millis(1),
        debounce: Duration::from_millis(5),
        cache: Some(lockstep::search::Cache { dir, max_bytes }),
        ..settings(content.path())
    };
    let metrics = TestMetrics::new();
    let engine = start(
        settings,
        vec![Box::new(Constant), Box::new(Constant)],
        &metrics,
    );
    let standards = content.path().join("standards");
    let deadlocks = fs::read_to_string(standards.join("concurrency/deadlocks.md")).unwrap();
    let edition =
        |number: usize| deadlocks.replace("\n\n", &format!("\n\nEdition {number} here. "));
    write(content.path(), "concurrency/deadlocks.md", &edition(0));
    soon(engine.ready()).await;
    found(&engine, "Edition 0 here").await;
    let stop = Arc::new(AtomicBool::new(false));
    let asking = ["hybrid", "vector", "keyword", "hybrid"].map(|mode| {
        let query = all_of("Edition of locks that wait for each other, which version?");
        let query = query
            .with_mode(mode)
            .unwrap()
            .with_file("*deadlocks.md")
            .unwrap();
        tokio::spawn(ask(Arc::clone(&engine), Arc::clone(&stop), query))
    });

    let away = content.path().join("away");
    for number in 1..=15 {
        let generation = engine.status().generation;
        match number % 5 {
            1 => copy_real(content.path(), "testing", &format!("testing-{number}")),
            2 => write(
                content.path(),
                &format!("broken-{number}.md"),
                "---\ntags: [\n",
            ),
            3 => fs::rename(&standards, &away).unwrap(),
            4 => fs::rename(&away, &standards).unwrap(),
            _ => write(content.path(), "concurrency/deadlocks.md", &edition(number)),
        }
        soon(engine.generation_after(generation)).await;
    }
    found(&engine, "Edition 15 here").await;
    stop.store(true, SeqCst);

    let editions = editions_of(asking.into()).await;
    assert!(
        editions.len() > 5,
        "nothing changed under the questions: {editions:?}"
    );
    assert_eq!(engine.status().failure, None);
    assert_eq!(metrics.double_loads(), 0);
}
