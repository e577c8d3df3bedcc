//! How busy and how late tokio is. Of its own numbers only those that are stable.

use std::{convert::Infallible, time::Duration};

use opentelemetry::metrics::{Histogram, Meter};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::observed::catalogue::{
    Instrument, RUNTIME_BUSY, RUNTIME_LAG, RUNTIME_QUEUE, RUNTIME_TASKS, RUNTIME_WORKERS,
};

/// Time between two probes of the scheduler's lag.
const PROBE: Duration = Duration::from_millis(100);

type Level = (&'static Instrument, fn(&Handle) -> usize);

/// Has the exporter read the runtime's own numbers.
pub fn export_runtime(meter: &Meter, runtime: &Handle) {
    let levels: [Level; 3] = [
        (&RUNTIME_WORKERS, |runtime| runtime.metrics().num_workers()),
        (&RUNTIME_TASKS, |runtime| {
            runtime.metrics().num_alive_tasks()
        }),
        (&RUNTIME_QUEUE, |runtime| {
            runtime.metrics().global_queue_depth()
        }),
    ];
    for (instrument, level) in levels {
        let runtime = runtime.clone();
        instrument.observed::<u64>(meter, move |observe| observe(level(&runtime) as u64, &[]));
    }
    let runtime = runtime.clone();
    RUNTIME_BUSY.observed::<f64>(meter, move |observe| {
        let metrics = runtime.metrics();
        let busy = (0..metrics.num_workers()).map(|at| metrics.worker_total_busy_duration(at));
        observe(busy.sum::<Duration>().as_secs_f64(), &[]);
    });
}

/// Finds out how late the runtime runs what is due: the one number that shows a blocked worker.
#[derive(Clone, Debug)]
pub struct SchedulerLag(Histogram<f64>);

impl SchedulerLag {
    /// Registers the histogram.
    pub fn new(meter: &Meter) -> Self {
        Self(RUNTIME_LAG.recorded(meter))
    }

    /// Probes until it is dropped.
    pub async fn probe(self) -> Infallible {
        loop {
            let due = Instant::now() + PROBE;
            sleep(PROBE).await;
            self.0.record(due.elapsed().as_secs_f64(), &[]);
        }
    }
}
