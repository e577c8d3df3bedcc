//! Who holds what now, and how many wait for it. Asked by the watchdog and by people, never by
//! who takes a lock.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    fmt,
    hash::{BuildHasher as _, Hash},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use opentelemetry::trace::SpanContext;

/// What can be held for too long; the `watchdog.kind` attribute.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// A lock, one of a family of locks by key, or all permits of a semaphore.
    Lock,
    /// A load of a cache.
    Load,
}

impl Kind {
    /// Returns the attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Load => "load",
        }
    }
}

/// A lock that is held, or a load that runs.
#[derive(Clone, Debug)]
pub struct Holding {
    /// What it is.
    pub kind: Kind,
    /// The lock's or the cache's name.
    pub name: &'static str,
    /// A hash of the key, by which it can be told from others of its name, and nothing else.
    pub key_hash: Option<u32>,
    /// The holder's span, if that is recorded.
    pub holder: SpanContext,
    /// Callers that wait.
    pub waiters: usize,
    /// Another for each holder of one name and key.
    pub(super) serial: u64,
}

/// Something that can be held.
pub(super) trait Watched: Send + Sync {
    /// Tells what is held now.
    fn holdings(&self, each: &mut dyn FnMut(Holding));
}

/// All that can be held, as long as it exists.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Vec<Weak<dyn Watched>>>>);

impl Watch {
    pub(super) fn add<W: Watched + 'static>(&self, watched: &Arc<W>) {
        let watched: Weak<W> = Arc::downgrade(watched);
        self.lock().push(watched);
    }

    /// Returns what is held now.
    pub fn holdings(&self) -> Vec<Holding> {
        let mut holdings = Vec::new();
        self.lock().retain(|watched| match watched.upgrade() {
            Some(watched) => {
                watched.holdings(&mut |holding| holdings.push(holding));
                true
            }
            None => false,
        });
        holdings
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn Watched>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Hashes a key: the same in each report of one process.
#[expect(
    clippy::cast_possible_truncation,
    reason = "eight digits tell keys apart"
)]
pub(super) fn key_hash(key: &impl Hash) -> u32 {
    foldhash::quality::FixedState::default().hash_one(key) as u32
}
