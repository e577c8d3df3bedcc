//! Vectors in a graph of neighbours: usearch's HNSW.

use std::{fmt, io, path::Path, sync::Arc, thread};

use usearch::{IndexOptions, MetricKind, ScalarKind};

use super::{Layout, Quantization, dot};
use crate::search::Error;

/// Candidates that a search keeps; at 128 it finds over 98 of 100 neighbours.
const EXPANSION: usize = 128;

/// Vectors that are found by walking from neighbour to neighbour.
pub struct Graph {
    usearch: usearch::Index,
}

impl Graph {
    /// Builds a graph of `vectors`, which all have `dimensions` values.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn build(
        dimensions: usize,
        vectors: &[Arc<[f32]>],
        layout: Layout,
    ) -> Result<Self, Error> {
        let (usearch, threads) = (empty(dimensions, layout)?, layout.threads);
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

    /// Maps the graph at `path` into memory.
    ///
    /// # Errors
    ///
    /// If it is not a graph of `count` vectors in this layout.
    pub(super) fn view(path: &Path, count: usize, layout: Layout) -> Result<Self, Error> {
        let path = utf8(path).map_err(failed)?;
        let found = usearch::Index::metadata(path).map_err(failed)?;
        let dimensions = usize::try_from(found.dimensions).map_err(failed)?;
        let usearch = empty(dimensions, layout)?;
        usearch
            .reserve_capacity_and_threads(0, layout.threads)
            .map_err(failed)?;
        usearch.view(path).map_err(failed)?;
        let graph = Self { usearch };
        let same_kind = graph.usearch.scalar_kind() == scalar(layout.quantization);
        if graph.len() != count || !same_kind {
            let problem = format!("it has {} vectors, not {count}", graph.len());
            return Err(failed(io::Error::other(problem)));
        }
        Ok(graph)
    }

    /// Writes the graph to `path`.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        self.usearch.save(utf8(path)?).map_err(io::Error::other)
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

fn empty(dimensions: usize, layout: Layout) -> Result<usearch::Index, Error> {
    let options = IndexOptions {
        dimensions,
        metric: MetricKind::Cos,
        quantization: scalar(layout.quantization),
        expansion_search: EXPANSION,
        ..IndexOptions::default()
    };
    usearch::Index::new(&options).map_err(failed)
}

fn scalar(quantization: Quantization) -> ScalarKind {
    match quantization {
        Quantization::F32 => ScalarKind::F32,
        Quantization::F16 => ScalarKind::F16,
        Quantization::I8 => ScalarKind::I8,
    }
}

fn utf8(path: &Path) -> io::Result<&str> {
    let problem = || io::Error::other("usearch takes no path that is not UTF-8");
    path.to_str().ok_or_else(problem)
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
