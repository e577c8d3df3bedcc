//! Measures two ways of doing one thing side by side, so that a busy machine slows both.
#![allow(dead_code, reason = "each bench prints what its bar is about")]

use std::time::Duration;

/// The result of measuring pairs in one run.
#[derive(Debug)]
pub(crate) struct Paired {
    /// Median time of one operation of the baseline.
    pub(crate) baseline: Duration,
    /// Median time of one operation of the subject.
    pub(crate) subject: Duration,
    /// Median over the pairs of subject minus baseline for one operation, in nanoseconds.
    pub(crate) difference_ns: f64,
    /// Median over the pairs of subject by baseline.
    pub(crate) ratio: f64,
}

/// Times `baseline` and `subject` in turn, `rounds` times each, the first of a pair changing
/// from round to round. Each returns the time that its `operations` operations took.
pub(crate) fn paired(
    rounds: usize,
    operations: u32,
    mut baseline: impl FnMut() -> Duration,
    mut subject: impl FnMut() -> Duration,
) -> Paired {
    baseline();
    subject(); // Warm up.
    let pairs: Vec<(f64, f64)> = (0..rounds)
        .map(|round| {
            let (baseline, subject) = if round % 2 == 0 {
                let first = baseline();
                (first, subject())
            } else {
                let first = subject();
                (baseline(), first)
            };
            (baseline.as_secs_f64(), subject.as_secs_f64())
        })
        .collect();
    let operations = f64::from(operations);
    let each = |time: f64| Duration::from_secs_f64(time / operations);
    Paired {
        baseline: each(median(pairs.iter().map(|pair| pair.0))),
        subject: each(median(pairs.iter().map(|pair| pair.1))),
        difference_ns: median(
            pairs
                .iter()
                .map(|pair| (pair.1 - pair.0) / operations * 1e9),
        ),
        ratio: median(pairs.iter().map(|pair| pair.1 / pair.0)),
    }
}

/// Returns the middle of an odd number of values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
