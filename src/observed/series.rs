//! Instruments that know their attributes already.
//!
//! The SDK finds where a measurement belongs by hashing all its attributes, for every instrument
//! and every time: 2,500 instructions for a histogram with five. What occurs in few combinations
//! is bound to them once and found by what they are made of.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

/// What is bound to the attributes that a `K` stands for, made when the first is asked for.
///
/// Nothing is ever dropped: `K` must have a bounded number of values.
#[derive(Debug)]
pub(super) struct Series<K, B>(ArcSwap<HashMap<K, Arc<B>, RandomState>>);

impl<K, B> Default for Series<K, B> {
    fn default() -> Self {
        Self(ArcSwap::default())
    }
}

impl<K: Copy + Eq + Hash, B> Series<K, B> {
    /// Returns what is bound for `key`, or what `bind` makes for it. Of two who bind at once,
    /// both get what stays.
    pub(super) fn of(&self, key: K, bind: impl FnOnce() -> B) -> Arc<B> {
        if let Some(bound) = self.0.load().get(&key) {
            return Arc::clone(bound);
        }
        let mut bound = Arc::new(bind());
        self.0.rcu(|all| {
            let mut all = HashMap::clone(all);
            bound = Arc::clone(all.entry(key).or_insert_with(|| Arc::clone(&bound)));
            all
        });
        bound
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    #[test]
    fn of_two_who_bind_at_once_both_get_what_stays() {
        let (series, both) = (Series::default(), Barrier::new(2));
        let bind = || {
            series.of((200, "POST"), || {
                both.wait();
            })
        };

        let bound: Vec<_> = thread::scope(|scope| {
            let threads = [(); 2].map(|()| scope.spawn(bind));
            threads.map(|bound| bound.join().unwrap()).into()
        });
        let again = series.of((200, "POST"), || panic!("it is bound"));
        let other = series.of((404, "POST"), || ());

        assert!(bound.iter().all(|one| Arc::ptr_eq(one, &again)));
        assert!(!Arc::ptr_eq(&other, &again));
    }
}
