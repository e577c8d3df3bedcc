//! Vectors one after another in memory.

use std::{fmt, sync::Arc};

use super::{best, bytes::Bytes, dot};

/// Of more vectors than so many times those asked for, the bytes are compared first.
const MANY: usize = 4;

/// Vectors of one length, without a pointer or an allocation for each.
pub struct Flat {
    dimensions: usize,
    values: Vec<f32>,
    /// The same rounded. To read all values for each question takes as long as a tenth of its inference, and
    /// pushes the model out of the processor's cache.
    bytes: Bytes,
}

impl Flat {
    /// Copies `vectors`, which all have `dimensions` values.
    pub(super) fn new(dimensions: usize, vectors: &[Arc<[f32]>]) -> Self {
        let mut values = Vec::with_capacity(dimensions * vectors.len());
        for vector in vectors {
            values.extend_from_slice(vector);
        }
        let bytes = Bytes::of(dimensions, vectors.iter().map(AsRef::as_ref));
        Self {
            dimensions,
            values,
            bytes,
        }
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

    /// Returns the `count` nearest to `vector`, which is as long, of those at `positions`, and
    /// their cosines: exactly those, whatever was rounded.
    pub(super) fn nearest(
        &self,
        vector: &[f32],
        count: usize,
        mut positions: Vec<usize>,
    ) -> Vec<(usize, f32)> {
        if count > 0 && positions.len() / MANY > count {
            self.bytes.keep_nearest(vector, count, &mut positions);
        }
        let compared = positions.into_iter();
        let compared = compared.map(|at| (at, dot(self.vector(at), vector)));
        best(compared.collect(), count)
    }
}

impl fmt::Debug for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut flat = f.debug_struct("Flat");
        flat.field("vectors", &self.len()).finish_non_exhaustive()
    }
}
