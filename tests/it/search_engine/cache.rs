//! Vectors that outlive the process.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use lockstep::search::{Cache, Settings};
use tempfile::TempDir;

use super::{Bench, all_of, soon};

const FILES: [(&str, &str); 3] = [
    ("a.md", "# Apples\n\nApples keep in the cellar."),
    ("b.md", "# Bread\n\nBread is baked at dawn."),
    ("c.md", "# Cheese\n\nCheese ripens."),
];

/// Makes another file of a file.
type Damage = fn(Vec<u8>) -> Vec<u8>;

/// Sets a cache of vectors in `dir`.
fn in_dir(dir: &TempDir) -> impl Fn(&mut Settings) + Copy {
    |settings| {
        settings.cache = Some(Cache {
            dir: dir.path().to_owned(),
            max_bytes: 1 << 20,
        });
    }
}

/// Returns the one file of vectors.
fn vectors(cache: &Path) -> PathBuf {
    let mut models = fs::read_dir(cache).unwrap();
    models.next().unwrap().unwrap().path().join("vectors")
}

#[tokio::test]
async fn a_restart_embeds_only_what_changed_meanwhile_and_another_model_everything() {
    let cache = tempfile::tempdir().unwrap();
    let bench = Bench::start_with(1, &FILES, in_dir(&cache));
    bench.engine.ready().await;
    assert_eq!((bench.inferences(), bench.engine.status().inferred), (3, 3));

    let bench = bench.restart("model", in_dir(&cache));
    bench.engine.ready().await;
    assert_eq!((bench.inferences(), bench.engine.status().inferred), (0, 0));
    let answer = bench.engine.search(all_of("bread at dawn")).await.unwrap();
    assert_eq!(answer.passages[0].file(), "standards/b.md");
    assert_eq!(answer.passages.len(), 3);

    bench.write("b.md", "# Bread\n\nBread is baked at noon.");
    let bench = bench.restart("model", in_dir(&cache));
    bench.engine.ready().await;
    assert_eq!(bench.inferences(), 1);

    let bench = bench.restart("another", in_dir(&cache));
    bench.engine.ready().await;
    assert_eq!(bench.inferences(), 3);
    let bench = bench.restart("model", in_dir(&cache));
    bench.engine.ready().await;
    assert_eq!(bench.inferences(), 0);
}

#[tokio::test]
async fn a_passage_that_comes_back_or_stands_elsewhere_too_is_not_embedded_again() {
    let cache = tempfile::tempdir().unwrap();
    let bench = Bench::start_with(1, &FILES, in_dir(&cache));
    bench.engine.ready().await;

    fs::remove_file(bench.content.path().join("standards/c.md")).unwrap();
    bench.has_files(2).await;
    for copy in ["c.md", "d.md", "e.md"] {
        bench.write(copy, FILES[2].1);
    }
    bench.has_files(5).await;

    assert_eq!(bench.inferences(), 3);
    let answer = bench.engine.search(all_of("ripe cheese")).await.unwrap();
    let copies = ["standards/d.md", "standards/e.md"].map(Into::into);
    assert_eq!((answer.passages.len(), answer.searched), (3, 5));
    assert_eq!(answer.passages[0].also_in, copies);
}

#[tokio::test]
async fn equal_passages_of_a_cold_start_share_one_inference() {
    let files: Vec<_> = (0..20).map(|number| format!("{number}.md")).collect();
    let files: Vec<_> = files.iter().map(|name| (&**name, FILES[0].1)).collect();
    let bench = Bench::start_with(4, &files, |_| {});

    bench.engine.ready().await;

    assert_eq!((bench.inferences(), bench.engine.status().chunks), (1, 20));
}

#[tokio::test]
async fn a_broken_file_of_vectors_costs_its_inferences_and_nothing_else() {
    let cache = tempfile::tempdir().unwrap();
    let mut bench = Bench::start_with(1, &FILES, in_dir(&cache));
    bench.engine.ready().await;
    let breaks: [(&str, Damage, usize); 4] = [
        ("foreign", |_| b"something else".repeat(9), 3),
        ("empty", |_| Vec::new(), 3),
        ("cut", |file| file[..file.len() - 1].to_vec(), 1),
        (
            "flipped",
            |mut file| {
                let middle = file.len() / 2;
                file[middle] ^= 1;
                file
            },
            1,
        ),
    ];

    for (name, damage, lost) in breaks {
        let file = vectors(cache.path());
        fs::write(&file, damage(fs::read(&file).unwrap())).unwrap();

        bench = bench.restart("model", in_dir(&cache));
        bench.engine.ready().await;
        assert_eq!(bench.inferences(), lost, "{name}");
        assert_eq!(bench.engine.status().chunks, 3, "{name}");
        assert_eq!(bench.engine.status().cache_failure, None, "{name}");

        bench = bench.restart("model", in_dir(&cache));
        bench.engine.ready().await;
        assert_eq!(bench.inferences(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_told_and_nothing_else_is_worse() {
    let cache = tempfile::tempdir().unwrap();
    let file = cache.path().join("a-file");
    fs::write(&file, "").unwrap();
    let below_a_file = |settings: &mut Settings| {
        let (dir, max_bytes) = (file.clone(), 1 << 20);
        settings.cache = Some(Cache { dir, max_bytes });
    };

    let bench = Bench::start_with(1, &FILES, below_a_file);
    bench.engine.ready().await;

    let status = bench.engine.status();
    let failure = status.cache_failure.unwrap();
    assert!(failure.contains("a-file"), "{failure}");
    assert_eq!((status.chunks, status.failure), (3, None));
    let answer = bench.engine.search(all_of("bread")).await.unwrap();
    assert_eq!(answer.passages.len(), 3);
}

#[tokio::test]
async fn a_cache_that_came_with_a_read_only_image_is_used() {
    let cache = tempfile::tempdir().unwrap();
    let bench = Bench::start_with(1, &FILES, in_dir(&cache));
    bench.engine.ready().await;
    let dir = vectors(cache.path()).parent().unwrap().to_owned();
    let mode = |bits| fs::set_permissions(&dir, fs::Permissions::from_mode(bits)).unwrap();
    mode(0o555); // Whoever is root may write all the same: then this shows nothing.

    let bench = bench.restart("model", in_dir(&cache));
    bench.engine.ready().await;

    assert_eq!(bench.inferences(), 0);
    mode(0o755);
}

#[tokio::test]
async fn engines_that_share_a_cache_at_once_all_answer_and_leave_it_whole() {
    let cache = tempfile::tempdir().unwrap();
    let texts: Vec<_> = (0..120)
        .map(|number| {
            (
                format!("{number}.md"),
                format!("# N\n\nThe number {number}."),
            )
        })
        .collect();
    let files: Vec<_> = texts
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let benches: Vec<_> = (0..4)
        .map(|_| Bench::start_with(1, &files, in_dir(&cache)))
        .collect();
    for bench in &benches {
        soon(bench.engine.ready()).await;
        assert_eq!(bench.engine.status().chunks, 120);
        assert_eq!(bench.engine.status().cache_failure, None);
    }

    let bench = Bench::start_with(1, &files, in_dir(&cache));
    bench.engine.ready().await;

    assert_eq!(bench.inferences(), 0);
    let damaged = vectors(cache.path()).with_file_name("vectors.damaged");
    assert!(!damaged.exists());
}
