//! Vectors in a graph of neighbours: usearch's HNSW.

use std::{fmt, sync::Arc, thread};

use usearch::{IndexOptions, MetricKind, ScalarKind};

use super::dot;
use crate::search::Error;

/// Candidates that a search keeps; at 128 it finds over 98 of 100 neighbours.
const EXPANSION: usize = 128;

/// Vectors that are found by walking from neighbour to neighbour.
pub(in crate::search) struct Graph {
    usearch: usearch::Index,
}

impl Graph {
    /// Builds a graph of `vectors`, which all have `dimensions` values, on `threads` threads; at
    /// most as many ask it at once.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn build(
        dimensions: usize,
        vectors: &[Arc<[f32]>],
        threads: usize,
    ) -> Result<Self, Error> {
        let options = IndexOptions {
            dimensions,
            metric: MetricKind::Cos,
            quantization: ScalarKind::F32,
            expansion_search: EXPANSION,
            ..IndexOptions::default()
        };
        let usearch = usearch::Index::new(&options).map_err(failed)?;
        usearch
            .reserve_capacity_and_threads(vectors.len(), threads)
            .map_err(failed)?;
        thread::scope(|scope| {
            let adding = (0..threads).map(|first| {
                let usearch = &usearch;
                // Each takes every so many-th: neighbours in a file are often neighbours here.
                let keyed = (0..).zip(vectors).skip(first).step_by(threads);
                let add = move || {
                    let mut keyed = keyed;
                    keyed.try_for_each(|(key, vector)| usearch.add(key, vector))
                };
                scope.spawn(add)
            });
            let adding: Vec<_> = adding.collect();
            let mut added = adding.into_iter().map(|thread| thread.join());
            added.try_for_each(|added| added.expect("adding does not panic").map_err(failed))
        })?;
        Ok(Self { usearch })
    }

    pub(super) fn dimensions(&self) -> usize {
        self.usearch.dimensions()
    }

    pub(super) fn len(&self) -> usize {
        self.usearch.size()
    }

    /// Returns the vector at `position`.
    pub(super) fn vector(&self, position: usize) -> Result<Vec<f32>, Error> {
        let mut vector = vec![0.0; self.dimensions()];
        self.read(position, &mut vector)?;
        Ok(vector)
    }

    /// Returns the `count` nearest to `vector`, nearest first.
    pub(super) fn nearest(&self, vector: &[f32], count: usize) -> Result<Vec<(usize, f32)>, Error> {
        let found = self.usearch.search(vector, count).map_err(failed)?;
        Ok(cosines(found))
    }

    /// Returns the `count` nearest of those that `allows` allows.
    pub(super) fn nearest_where(
        &self,
        vector: &[f32],
        count: usize,
        allows: impl Fn(usize) -> bool,
    ) -> Result<Vec<(usize, f32)>, Error> {
        let allows = |key| allows(position(key));
        let found = self.usearch.filtered_search(vector, count, allows);
        Ok(cosines(found.map_err(failed)?))
    }

    /// Returns the cosines of the vectors at `positions`, compared one by one.
    pub(super) fn compare(
        &self,
        vector: &[f32],
        positions: &[usize],
    ) -> Result<Vec<(usize, f32)>, Error> {
        let mut other = vec![0.0; self.dimensions()];
        let cosine = |at: &usize| {
            self.read(*at, &mut other)?;
            Ok((*at, dot(vector, &other)))
        };
        positions.iter().map(cosine).collect()
    }

    fn read(&self, position: usize, vector: &mut [f32]) -> Result<(), Error> {
        self.usearch
            .get(position as u64, vector)
            .map_err(failed)
            .map(drop)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut graph = f.debug_struct("Graph");
        graph.field("vectors", &self.len()).finish_non_exhaustive()
    }
}

fn cosines(found: usearch::ffi::Matches) -> Vec<(usize, f32)> {
    let keys = found.keys.into_iter().map(position);
    let cosines = found.distances.into_iter().map(|distance| 1.0 - distance);
    keys.zip(cosines).collect()
}

fn position(key: u64) -> usize {
    usize::try_from(key).expect("keys are positions")
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Index(Box::new(error))
}
