//! Faults on purpose, to see that telemetry, alerts and rollout gates catch them.
//!
//! Only a build with the cargo feature `faults` has them, which no release is; any other refuses
//! the setting at start, and what asks for a fault compiles to nothing.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// How long a lock is held: beyond the watchdog's limit, within a client's patience.
const HELD: Duration = Duration::from_secs(30);
/// What a slow call takes more: enough to break the latency objective of cached paths.
const SLOWED: Duration = Duration::from_millis(80);
/// What a call leaks, in bytes.
const LEAKED: usize = 1024 * 1024;
/// One call in so many fails: 5 %.
const FAILING: u64 = 20;

/// Something that goes wrong on purpose.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Callers that miss one key load it each for itself.
    DoubleLoad,
    /// A lock by key, such as a session's turn, is held for 30 seconds, one at a time.
    HeldLock,
    /// 5 % of the tool calls fail as only an operator could mend.
    Errors,
    /// Each tool call takes 80 ms more.
    Slow,
    /// Each tool call keeps 1 MiB for ever.
    Leak,
    /// What a change was judged by may be old by the time that it is written.
    LostUpdate,
}

/// The faults that are switched on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Faults(u8);

/// A call failed because it was told to.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a fault was injected")]
pub struct Injected;

impl Faults {
    /// Whether this build can inject faults.
    pub const AVAILABLE: bool = cfg!(feature = "faults");

    /// Switches `faults` on.
    pub fn new(faults: &[Fault]) -> Self {
        Self(faults.iter().fold(0, |on, fault| on | fault.bit()))
    }

    /// Says whether `fault` is on.
    #[inline]
    pub const fn has(self, fault: Fault) -> bool {
        Self::AVAILABLE && self.0 & fault.bit() != 0
    }

    /// Keeps the caller, and so what it holds, for 30 seconds, unless another is kept by now.
    pub async fn hold(self) {
        static HOLDING: AtomicBool = AtomicBool::new(false);
        struct Held;
        impl Drop for Held {
            fn drop(&mut self) {
                HOLDING.store(false, Relaxed);
            }
        }
        if self.has(Fault::HeldLock) && !HOLDING.swap(true, Relaxed) {
            let _held = Held;
            sleep(HELD).await;
        }
    }

    /// Lets a tool call be slow, leak, or fail.
    ///
    /// # Errors
    ///
    /// If this is a call that fails.
    pub async fn strike(self) -> Result<(), Injected> {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        if self.has(Fault::Slow) {
            sleep(SLOWED).await;
        }
        if self.has(Fault::Leak) {
            // Written to, so that it is resident.
            Box::leak(vec![1_u8; LEAKED].into_boxed_slice());
        }
        if self.has(Fault::Errors) && CALLS.fetch_add(1, Relaxed) % FAILING == FAILING - 1 {
            return Err(Injected);
        }
        Ok(())
    }
}

impl Fault {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}
