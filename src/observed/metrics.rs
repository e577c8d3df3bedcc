//! What is measured: recorders that parts are given, and what the exporter reads by itself.
//!
//! Every name, unit, attribute and bucket is in the [`catalogue`].

mod auth;
mod caches;
mod locks;
mod names;
mod process;
mod runtime;
mod search;
mod sessions;
mod store;

use opentelemetry::metrics::Meter;

pub use self::{
    auth::{AuthDecision, AuthMetrics},
    caches::{CacheCounts, CacheMetrics},
    locks::{LockCounts, LockMetrics},
    process::{Usage, export_process},
    runtime::{SchedulerLag, export_runtime},
    search::{SearchMetrics, SearchState, Stage},
    sessions::{End, GateResult, Refusal, SessionMetrics, Transition},
    store::{Operation, StoreKind, StoreMetrics, StoreOutcome},
};
pub(super) use self::{
    caches::CacheStats,
    locks::{Acquired, HoldTimer, LockRecorder},
};
use super::{Watch, build, catalogue};
use crate::faults::Faults;

/// The recorders of all parts, over one meter.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Of caches.
    pub caches: CacheMetrics,
    /// Of locks.
    pub locks: LockMetrics,
    /// Of search.
    pub search: SearchMetrics,
    /// Of workflow sessions.
    pub sessions: SessionMetrics,
    meter: Meter,
}

impl Metrics {
    /// Registers the instruments with `meter`. Call it once for each meter provider.
    pub fn new(meter: &Meter) -> Self {
        Self {
            caches: CacheMetrics::new(meter),
            locks: LockMetrics::new(meter),
            search: SearchMetrics::new(meter),
            sessions: SessionMetrics::new(meter),
            meter: meter.clone(),
        }
    }

    /// Returns the recorder of what callers are let in.
    pub fn auth(&self) -> AuthMetrics {
        AuthMetrics::new(&self.meter)
    }

    /// Returns the recorder of a store.
    pub fn store(&self, kind: StoreKind) -> StoreMetrics {
        StoreMetrics::new(&self.meter, kind)
    }

    /// Has the caches and locks that are made from now on go wrong on purpose.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self {
            caches: self.caches.with_faults(faults),
            locks: self.locks.with_faults(faults),
            ..self
        }
    }

    /// Lets `watch` see the loads and holders of what is made from now on.
    pub fn with_watch(self, watch: &Watch) -> Self {
        Self {
            caches: self.caches.with_watch(watch.clone()),
            locks: self.locks.with_watch(watch.clone()),
            ..self
        }
    }
}

/// Has the exporter say what the process was built from.
pub fn export_build(meter: &Meter) {
    let attributes = [
        catalogue::SERVICE_VERSION.is(build::VERSION),
        catalogue::REVISION.is(build::REVISION),
        catalogue::RUSTC_VERSION.is(build::RUSTC),
        catalogue::BUILD_FEATURES.is(build::FEATURES),
    ];
    catalogue::BUILD_INFO.observed::<u64>(meter, move |observe| observe(1, &attributes));
}

/// Has the exporter ask whether the components are ready.
pub fn export_ready(
    meter: &Meter,
    ready: impl Fn() -> [(&'static str, bool); 3] + Send + Sync + 'static,
) {
    catalogue::READY.observed::<u64>(meter, move |observe| {
        for (component, ready) in ready() {
            observe(u64::from(ready), &[catalogue::COMPONENT.is(component)]);
        }
    });
}
