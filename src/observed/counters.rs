//! Counters that cost half a nanosecond: each thread adds in a cell that only it writes.
//!
//! An OpenTelemetry counter with two attributes costs 70 ns and a shared atomic 2.5 ns (measured,
//! design section 5), a cache hit about 150. So the hit path adds here, and the exporter sums.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

/// Threads that have a cell of their own. More threads than this share one, with atomic adds.
const OWN_CELLS: usize = 64;
/// The thread has not asked for a cell yet.
const UNASSIGNED: usize = usize::MAX;
/// All cells are taken, or the thread is ending.
const SHARED: usize = usize::MAX - 1;

thread_local! {
    /// The calling thread's cell. Apart from [`LEASE`], so that reading it checks no destructor.
    static SLOT: Cell<usize> = const { Cell::new(UNASSIGNED) };
    /// Hits that the calling thread counted in all caches, for [`super::Tally`].
    static HITS: Cell<u64> = const { Cell::new(0) };
    /// Gives the cell back when the thread ends.
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// The cells in use, one bit each. Process-wide because threads are.
static TAKEN: AtomicU64 = AtomicU64::new(0);
const _: () = assert!(OWN_CELLS == u64::BITS as usize);

/// `N` counters that only grow. Large: 8 KiB and more, for a place on the heap.
#[derive(Debug)]
pub(super) struct Counters<const N: usize> {
    own: [Padded<N>; OWN_CELLS],
    shared: Padded<N>,
}

/// Two cache lines, so that neighbours' writes do not meet (also with adjacent-line prefetch).
#[derive(Debug)]
#[repr(align(128))]
struct Padded<const N: usize>([AtomicU64; N]);

impl<const N: usize> Counters<N> {
    /// Creates counters at zero.
    pub(super) fn new() -> Self {
        let zeros = |_| Padded(std::array::from_fn(|_| AtomicU64::new(0)));
        Self {
            own: std::array::from_fn(zeros),
            shared: zeros(0),
        }
    }

    /// Adds one to a counter.
    #[inline]
    pub(super) fn add(&self, counter: usize) {
        match self.own.get(SLOT.get()) {
            // No other thread writes this cell, so a plain load and store lose nothing.
            Some(Padded(own)) => own[counter].store(own[counter].load(Relaxed) + 1, Relaxed),
            None => self.add_without_cell(counter),
        }
    }

    /// Adds one to a counter of hits.
    #[inline]
    pub(super) fn add_hit(&self, counter: usize) {
        HITS.set(HITS.get() + 1);
        self.add(counter);
    }

    #[cold]
    fn add_without_cell(&self, counter: usize) {
        if SLOT.get() == UNASSIGNED {
            SLOT.set(lease());
            self.add(counter);
        } else {
            self.shared.0[counter].fetch_add(1, Relaxed);
        }
    }

    /// Sums a counter over all threads.
    pub(super) fn sum(&self, counter: usize) -> u64 {
        let own = self.own.iter().map(|cell| cell.0[counter].load(Relaxed));
        own.sum::<u64>() + self.shared.0[counter].load(Relaxed)
    }
}

/// Returns the hits that the calling thread counted since it began.
pub(super) fn hits_of_this_thread() -> u64 {
    HITS.get()
}

/// The right to write one cell of every [`Counters`].
struct Lease(usize);

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = SLOT.try_with(|slot| slot.set(SHARED));
        // Release: whoever takes the cell next sees what this thread counted in it.
        TAKEN.fetch_and(!(1 << self.0), std::sync::atomic::Ordering::Release);
    }
}

fn lease() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = NEXT.fetch_add(1, Relaxed);
    for slot in (0..OWN_CELLS).map(|offset| (start + offset) % OWN_CELLS) {
        let before = TAKEN.fetch_or(1 << slot, std::sync::atomic::Ordering::Acquire);
        if before & (1 << slot) == 0 {
            // A thread that is already tearing down gets no lease that could outlive it.
            return match LEASE.try_with(|lease| lease.set(Some(Lease(slot)))) {
                Ok(()) => slot,
                Err(_) => SHARED,
            };
        }
    }
    SHARED
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Barrier},
        thread,
    };

    use super::*;

    #[test]
    fn nothing_is_lost_with_more_threads_than_cells_and_with_threads_that_end() {
        const THREADS: usize = OWN_CELLS + 20;
        const ADDS: u64 = 1_000;
        let counters = Arc::new(Counters::<2>::new());

        for _ in 0..3 {
            let together = Arc::new(Barrier::new(THREADS));
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (counters, together) = (Arc::clone(&counters), Arc::clone(&together));
                    thread::spawn(move || {
                        counters.add(1);
                        together.wait(); // All alive at once: some must share.
                        (1..ADDS).for_each(|_| counters.add(1));
                    })
                })
                .collect();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        }

        assert_eq!(counters.sum(1), 3 * THREADS as u64 * ADDS);
        assert_eq!(counters.sum(0), 0);
    }
}
