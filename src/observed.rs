//! Caches and locks that report themselves.
//!
//! This is the only module that touches moka, tokio's and std's locks, or an OpenTelemetry
//! instrument of ours. Its callers see a cache and a lock; a measurement cannot be gone around.
//!
//! What is free stays free: a hit and an uncontended acquisition count in a cell of their own
//! thread ([`counters`]) and read no clock. Only what waits or loads opens a span and records a
//! time. Every name is in the [`catalogue`]; [`metrics`] has what records under them.

pub mod build;
mod cache;
pub mod catalogue;
mod counters;
pub mod events;
mod file_lock;
mod loads;
mod lock;
mod locks;
pub mod metrics;
mod period;
mod rare;
mod requests;
mod semaphore;
mod series;
pub mod spans;
mod tally;
mod wait;
mod watch;
mod watchdog;

pub use cache::{Entries, Limits, LoadPanicked, ObservedCache, Outcome, Weigh};
pub use file_lock::FileLock;
pub use lock::{Guard, ObservedMutex};
pub use locks::{ObservedLocks, Turn};
pub use metrics::{CacheCounts, CacheMetrics, LockCounts, LockMetrics, Metrics};
pub use period::until_dropped;
pub use rare::Rare;
pub use requests::{
    End, ErrorType, HttpAnswer, HttpRequest, Operation, Outcome as RequestOutcome, Requests,
    RunningOperation, record_exception,
};
pub use semaphore::{ObservedSemaphore, Permit};
pub use tally::{Belonging, CacheDetail, Tally, blocking_here, detached, spawn, spawn_blocking};
pub use wait::{ObservedWait, Waiting};
pub use watch::{Holding, Kind as HoldingKind, Watch};
pub use watchdog::{Held, Watchdog};
