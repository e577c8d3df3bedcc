//! Where one machine ends: indexes of many synthetic vectors.
//!
//! `cargo bench --bench scale [-- COUNT… f32|f16|i8…]`, by default 10,000 and 100,000 in each way to
//! lay vectors out. For each: time to build, to save and to map; bytes in memory and on disk; time of a question,
//! of one with a filter, and recall@10 against a comparison with every vector.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

use std::{fs, path::Path, sync::Arc, time::Duration};

use lockstep::search::{Index, Layout, Quantization};
use tokio::time::Instant;

/// As all-MiniLM-L6-v2's.
const DIMENSIONS: usize = 384;
/// Directions that the vectors differ in: texts fill a small part of their space, too.
const LATENT: usize = 32;
/// Questions of a measurement.
const QUESTIONS: usize = 101;
/// Nearest vectors that are asked for.
const NEAREST: usize = 10;

fn main() {
    let counts: Vec<usize> = std::env::args()
        .filter_map(|count| count.parse().ok())
        .collect();
    let counts = if counts.is_empty() {
        vec![10_000, 100_000]
    } else {
        counts
    };
    let layouts = [
        ("f32", Quantization::F32),
        ("f16", Quantization::F16),
        ("i8", Quantization::I8),
    ];
    let names = layouts.map(|(name, _)| name);
    let named: Vec<_> = std::env::args()
        .filter(|name| names.contains(&&**name))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("vectors of {DIMENSIONS} dimensions, {threads} threads; times are medians");
    for count in counts {
        let mut space = Space::new();
        let vectors = space.vectors(count);
        let questions = space.near(&vectors);
        let exact: Vec<_> = questions.iter().map(|it| compared(&vectors, it)).collect();
        for (name, quantization) in layouts {
            if !named.is_empty() && !named.iter().any(|other| other == name) {
                continue;
            }
            let layout = Layout {
                quantization,
                threads,
            };
            measure(&vectors, layout, &questions, &exact);
        }
    }
}

fn measure(vectors: &[Arc<[f32]>], layout: Layout, questions: &[Arc<[f32]>], exact: &[Vec<usize>]) {
    let before = resident_mib();
    let labels: Vec<_> = (0..vectors.len() as u64).collect();
    let (index, build) = timed(|| Index::build(&labels, vectors, layout).expect("there is memory"));
    let memory = resident_mib() - before;
    let mut found = 0;
    let asked = median(questions.iter().zip(exact).map(|(question, exact)| {
        let (nearest, took) = timed(|| index.nearest(question, NEAREST));
        let nearest = nearest.expect("the lengths are equal");
        found += nearest.iter().filter(|(at, _)| exact.contains(at)).count();
        took
    }));
    let filtered = |every: usize| {
        let ask = |question| timed(|| index.nearest_where(question, NEAREST, |at| at % every == 0));
        median(questions.iter().map(|question| ask(question).1))
    };
    let (half, thousandth) = (filtered(2), filtered(1_000));
    let recall = found as f64 / (NEAREST * exact.len()) as f64;
    println!(
        "{} {:?}: build {build:.1?}, memory {memory} MiB, question {asked:.0?} (of a half \
         {half:.0?}, of a thousandth {thousandth:.0?}), recall@10 {recall:.3}",
        vectors.len(),
        layout.quantization,
    );
    let dir = tempfile::tempdir().expect("a directory can be made");
    saved(&index, &dir.path().join("graph"), &labels, layout);
    edited(&index, &labels, vectors, layout);
}

/// Changes one vector, as an edit of one passage does.
fn edited(index: &Index, labels: &[u64], vectors: &[Arc<[f32]>], layout: Layout) {
    let (mut labels, mut vectors) = (labels.to_vec(), vectors.to_vec());
    labels[1] = u64::MAX >> 1;
    vectors[1] = Arc::clone(&vectors[0]);
    let edit = || Index::build_from(index, &labels, &vectors, layout);
    let (edited, took) = timed(|| edit().expect("there is memory"));
    assert_eq!(edited.len(), vectors.len());
    println!("    one passage edited {took:.2?}");
}

fn saved(index: &Index, path: &Path, labels: &[u64], layout: Layout) {
    let ((), save) = timed(|| index.save(path).expect("there is room on the disk"));
    let Ok(file) = fs::metadata(path) else {
        return; // So few are not a graph.
    };
    let (mapped, view) = timed(|| Index::view(path, labels, layout).expect("it is whole"));
    assert_eq!(mapped.len(), labels.len());
    let mib = file.len() / (1024 * 1024);
    println!("    save {save:.2?}, {mib} MiB on disk, map {view:.2?}");
}

/// Returns the nearest of all vectors.
fn compared(vectors: &[Arc<[f32]>], question: &[f32]) -> Vec<usize> {
    let product = |vector: &[f32]| {
        let (ones, _) = vector.as_chunks::<16>();
        let (others, _) = question.as_chunks::<16>();
        let mut sums = [0.0_f32; 16];
        for (one, other) in ones.iter().zip(others) {
            (0..16).for_each(|lane| sums[lane] += one[lane] * other[lane]);
        }
        sums.iter().sum::<f32>()
    };
    let mut all: Vec<_> = vectors.iter().map(|it| product(it)).enumerate().collect();
    all.select_nth_unstable_by(NEAREST, |one, other| other.1.total_cmp(&one.1));
    all.truncate(NEAREST);
    all.into_iter().map(|(at, _)| at).collect()
}

/// Makes vectors, the same in every run.
struct Space {
    state: u64,
    /// The directions, one after another.
    basis: Vec<f32>,
}

impl Space {
    fn new() -> Self {
        let mut space = Self {
            state: 0x9E37_79B9_7F4A_7C15,
            basis: Vec::new(),
        };
        space.basis = (0..LATENT * DIMENSIONS).map(|_| space.normal()).collect();
        space
    }

    fn vectors(&mut self, count: usize) -> Vec<Arc<[f32]>> {
        (0..count).map(|_| self.vector()).collect()
    }

    fn vector(&mut self) -> Arc<[f32]> {
        let mut vector = vec![0.0; DIMENSIONS];
        for direction in 0..LATENT {
            let share = self.normal();
            let basis = &self.basis[direction * DIMENSIONS..][..DIMENSIONS];
            let values = vector.iter_mut().zip(basis);
            values.for_each(|(value, basis)| *value += share * basis);
        }
        unit(vector)
    }

    /// Returns vectors that are near some of `vectors`.
    fn near(&mut self, vectors: &[Arc<[f32]>]) -> Vec<Arc<[f32]>> {
        let step = vectors.len() / QUESTIONS;
        let some = vectors.iter().step_by(step).take(QUESTIONS);
        some.map(|vector| {
            let noise = self.vector();
            let near = vector
                .iter()
                .zip(&*noise)
                .map(|(one, other)| one + 0.5 * other);
            unit(near.collect())
        })
        .collect()
    }

    /// A sum of uniform numbers, which is normal enough.
    fn normal(&mut self) -> f32 {
        let mut uniform = || {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            (self.state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        (0..4).map(|_| uniform()).sum()
    }
}

fn unit(mut vector: Vec<f32>) -> Arc<[f32]> {
    let length = f32::sqrt(vector.iter().map(|value| value * value).sum());
    vector.iter_mut().for_each(|value| *value /= length);
    vector.into()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    (work(), started.elapsed())
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    Duration::from_secs_f64(paired::median(times.map(|time| time.as_secs_f64())))
}

/// Returns the memory of this process that is in use, where the system tells it.
fn resident_mib() -> i64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    resident.unwrap_or(0_i64) * 4 / 1024
}
