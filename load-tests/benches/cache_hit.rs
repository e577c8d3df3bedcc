//! A hit of the observed cache against a hit of the moka cache that it wraps.
//!
//! `cargo bench --bench cache_hit`. The bar is 1 ns (design, section 6).
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::Criterion;
use lockstep::observed::{CacheMetrics, Entries, Limits, LoadPanicked, ObservedCache};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::{runtime::Runtime, time::Instant};

/// Few enough to stay in the processor's cache: what is measured is the code, not the memory.
const KEYS: u64 = 64;
/// Lookups of one round: 5 ms, long against the clock and short against the scheduler.
const LOOKUPS: u32 = 20_000;
const ROUNDS: usize = 41;
/// Caches. Where one lies in memory, and how its hasher is seeded, moves a hit by some nanoseconds
/// either way, so it is compared with itself: looked up past the wrapper.
const CACHES: usize = 21;

type Value = Arc<str>;
type Raw = Entries<u64, Value>;
type Observed = ObservedCache<u64, Value, LoadPanicked>;

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let provider = SdkMeterProvider::default();

    let observed = runtime.block_on(new_observed(&provider));
    let raw = observed.beneath();
    let mut criterion = Criterion::default()
        .sample_size(50)
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    criterion.bench_function("moka get", |bench| {
        bench.to_async(&runtime).iter(|| raw.get(&7));
    });
    criterion.bench_function("observed get", |bench| {
        bench.to_async(&runtime).iter(|| observed.get(&7));
    });

    let over_moka = |time: &dyn Fn(&Observed) -> Duration| {
        paired::median((0..CACHES).map(|_| {
            let observed = runtime.block_on(new_observed(&provider));
            let raw = observed.beneath();
            let baseline = || runtime.block_on(time_raw(&raw));
            paired::paired(ROUNDS, LOOKUPS, baseline, || time(&observed)).difference_ns
        }))
    };
    let noise = over_moka(&|cache| runtime.block_on(time_raw(&cache.beneath())));
    let got = over_moka(&|cache| runtime.block_on(time_observed(cache)));
    let loadable = over_moka(&|cache| runtime.block_on(time_loadable(cache)));
    let verdict = if got <= 1.0 { "within" } else { "beyond" };
    println!(
        "observed get / moka get, of a hit: {got:+.2} ns; {verdict} the bar of +1 ns (moka / moka: {noise:+.2} ns)"
    );
    println!("observed get_or_load, whose result is another, / moka get: {loadable:+.2} ns");
}

async fn new_observed(provider: &SdkMeterProvider) -> Observed {
    let limits = Limits {
        max_entries: 1_000,
        time_to_live: None,
    };
    let metrics = CacheMetrics::new(&provider.meter("bench"));
    let observed = Observed::new("bench", limits, &metrics);
    for key in 0..KEYS {
        observed.insert(key, Value::from("value")).await;
    }
    observed
}

async fn time_raw(cache: &Raw) -> Duration {
    let started = Instant::now();
    for lookup in 0..u64::from(LOOKUPS) {
        black_box(cache.get(black_box(&(lookup % KEYS))).await);
    }
    started.elapsed()
}

async fn time_observed(cache: &Observed) -> Duration {
    let started = Instant::now();
    for lookup in 0..u64::from(LOOKUPS) {
        black_box(cache.get(black_box(&(lookup % KEYS))).await);
    }
    started.elapsed()
}

async fn time_loadable(cache: &Observed) -> Duration {
    let load = || async { Err(LoadPanicked) };
    let started = Instant::now();
    for lookup in 0..u64::from(LOOKUPS) {
        let value = cache.get_or_load(black_box(&(lookup % KEYS)), load).await;
        black_box(value.ok());
    }
    started.elapsed()
}
