//! Vectors one after another in memory.

use std::{fmt, sync::Arc};

/// Vectors of one length, without a pointer or an allocation for each.
pub struct Flat {
    dimensions: usize,
    values: Vec<f32>,
}

impl Flat {
    /// Copies `vectors`, which all have `dimensions` values.
    pub(super) fn new(dimensions: usize, vectors: &[Arc<[f32]>]) -> Self {
        let mut values = Vec::with_capacity(dimensions * vectors.len());
        for vector in vectors {
            values.extend_from_slice(vector);
        }
        Self { dimensions, values }
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub(super) fn len(&self) -> usize {
        self.values.len().checked_div(self.dimensions).unwrap_or(0)
    }

    pub(super) fn vector(&self, position: usize) -> &[f32] {
        &self.values[position * self.dimensions..][..self.dimensions]
    }
}

impl fmt::Debug for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut flat = f.debug_struct("Flat");
        flat.field("vectors", &self.len()).finish_non_exhaustive()
    }
}
