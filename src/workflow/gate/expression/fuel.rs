//! What pays for an evaluation.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use cel::{
    ExecutionError,
    common::{
        types::{CelBytes, CelList, CelMap, CelString},
        value::Val,
    },
};

/// Bytes of a text that cost as much as a value: what is compared or copied in the time that a
/// value is visited.
const BYTES_A_UNIT: u64 = 64;

/// Units for the evaluations of one gate. A unit is a step or a value visited: 20 to 200 ns.
#[derive(Clone, Debug)]
pub(in crate::workflow) struct Fuel(Arc<Tank>);

#[derive(Debug)]
struct Tank {
    left: AtomicU64,
    ran_out: AtomicBool,
}

impl Fuel {
    /// Pays for at most so many units.
    pub(in crate::workflow) fn of(units: u64) -> Self {
        Self(Arc::new(Tank {
            left: AtomicU64::new(units),
            ran_out: AtomicBool::new(false),
        }))
    }

    /// Returns what is left.
    pub(in crate::workflow) fn left(&self) -> u64 {
        self.0.left.load(Ordering::Relaxed)
    }

    /// Says whether it did not pay for something. From then on it pays for nothing.
    pub(in crate::workflow) fn ran_out(&self) -> bool {
        self.0.ran_out.load(Ordering::Relaxed)
    }

    /// Pays for `units`. Only one thread evaluates, so load and store need no exchange.
    pub(super) fn pay(&self, units: u64) -> Result<(), ExecutionError> {
        match self.left().checked_sub(units) {
            Some(left) if !self.ran_out() => {
                self.0.left.store(left, Ordering::Relaxed);
                Ok(())
            }
            _ => {
                self.0.ran_out.store(true, Ordering::Relaxed);
                Err(ExecutionError::function_error("evaluation", "ran out"))
            }
        }
    }

    /// Pays for a visit of `value` alone.
    pub(super) fn pay_for_one(&self, value: &dyn Val) -> Result<(), ExecutionError> {
        let bytes = if let Some(text) = value.downcast_ref::<CelString<'_>>() {
            text.inner().len()
        } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
            bytes.inner().len()
        } else {
            0
        };
        self.pay(1 + bytes as u64 / BYTES_A_UNIT)
    }

    /// Pays for a visit, or a copy, of `value` and all that is in it.
    pub(super) fn pay_for_all(&self, value: &dyn Val) -> Result<(), ExecutionError> {
        self.pay_for_one(value)?;
        if let Some(list) = value.downcast_ref::<CelList<'_>>() {
            for item in list.inner() {
                self.pay_for_all(item.as_ref())?;
            }
        } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
            for (key, item) in map.inner() {
                self.pay_for_one(key.inner())?;
                self.pay_for_all(item.as_ref())?;
            }
        }
        Ok(())
    }
}
