//! Vectors in a graph of neighbours: usearch's HNSW.

mod labels;

use std::{fmt, io, path::Path, sync::Arc, thread};

use usearch::{IndexOptions, MetricKind, ScalarKind};

use labels::Labels;

use super::{Layout, Quantization, dot};
use crate::search::Error;

/// Candidates that a search keeps; at 128 it finds over 98 of 100 neighbours.
const EXPANSION: usize = 128;

/// Of so many vectors one may be new or gone for a graph to be changed rather than built again.
const ONE_OF: usize = 8;

/// Vectors that are found by walking from neighbour to neighbour. The graph knows them by their
/// labels, so that it stays as it is when only their order changes.
pub struct Graph {
    usearch: usearch::Index,
    labels: Labels,
}

impl Graph {
    /// Builds a graph of `vectors`, which all have `dimensions` values.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn build(
        dimensions: usize,
        labels: &[u64],
        vectors: &[Arc<[f32]>],
        layout: Layout,
    ) -> Result<Self, Error> {
        let labels = Labels::new(labels);
        let (usearch, threads) = (empty(dimensions, layout)?, layout.threads);
        usearch
            .reserve_capacity_and_threads(labels.distinct().count(), threads)
            .map_err(failed)?;
        thread::scope(|scope| {
            let adding = (0..threads).map(|first| {
                let usearch = &usearch;
                let mut part = labels.distinct().skip(first).step_by(threads);
                let add = move || part.try_for_each(|(label, at)| usearch.add(label, &vectors[at]));
                scope.spawn(add)
            });
            let adding: Vec<_> = adding.collect();
            let mut added = adding.into_iter().map(|thread| thread.join());
            added.try_for_each(|added| added.expect("adding does not panic").map_err(failed))
        })?;
        Ok(Self { usearch, labels })
    }

    /// Returns a graph of `vectors`, made of a copy of this one: what is gone is taken out and
    /// what is new is put in. None if that is so much that building anew is better.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn changed(
        &self,
        labels: &[u64],
        vectors: &[Arc<[f32]>],
        layout: Layout,
    ) -> Result<Option<Self>, Error> {
        let labels = Labels::new(labels);
        let gone = self.labels.distinct().filter(|own| !labels.has(own.0));
        let new = labels.distinct().filter(|other| !self.labels.has(other.0));
        let (gone, new): (Vec<_>, Vec<_>) = (gone.collect(), new.collect());
        if (gone.len() + new.len()) * ONE_OF > vectors.len() {
            return Ok(None);
        }
        let usearch = self.copied(new.len(), layout)?;
        for (label, _) in gone {
            usearch.remove(label).map_err(failed)?;
        }
        for (label, at) in new {
            usearch.add(label, &vectors[at]).map_err(failed)?;
        }
        Ok(Some(Self { usearch, labels }))
    }

    /// Copies the graph, with room for `more` vectors.
    fn copied(&self, more: usize, layout: Layout) -> Result<usearch::Index, Error> {
        let mut bytes = vec![0; self.usearch.serialized_length()];
        self.usearch.save_to_buffer(&mut bytes).map_err(failed)?;
        let copy = empty(self.dimensions(), layout)?;
        copy.load_from_buffer(&bytes).map_err(failed)?;
        let room = copy.capacity().max(copy.size()) + more;
        copy.reserve_capacity_and_threads(room, layout.threads)
            .map_err(failed)?;
        Ok(copy)
    }

    /// Maps the graph at `path` into memory.
    ///
    /// # Errors
    ///
    /// If it is not a graph of so many different vectors in this layout.
    pub(super) fn view(path: &Path, labels: &[u64], layout: Layout) -> Result<Self, Error> {
        let labels = Labels::new(labels);
        let path = utf8(path).map_err(failed)?;
        let found = usearch::Index::metadata(path).map_err(failed)?;
        let dimensions = usize::try_from(found.dimensions).map_err(failed)?;
        let usearch = empty(dimensions, layout)?;
        usearch
            .reserve_capacity_and_threads(0, layout.threads)
            .map_err(failed)?;
        usearch.view(path).map_err(failed)?;
        let same_kind = usearch.scalar_kind() == scalar(layout.quantization);
        let (has, wanted) = (usearch.size(), labels.distinct().count());
        if has != wanted || !same_kind {
            let problem = format!("it has {has} vectors, not {wanted}");
            return Err(failed(io::Error::other(problem)));
        }
        Ok(Self { usearch, labels })
    }

    /// Writes the graph to `path`.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        self.usearch.save(utf8(path)?).map_err(io::Error::other)
    }

    pub(super) fn dimensions(&self) -> usize {
        self.usearch.dimensions()
    }

    /// Returns the number of positions.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
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
        Ok(self.positions(found).take(count).collect())
    }

    /// Returns the `count` nearest of those that `allows` allows.
    pub(super) fn nearest_where(
        &self,
        vector: &[f32],
        count: usize,
        allows: impl Fn(usize) -> bool,
    ) -> Result<Vec<(usize, f32)>, Error> {
        let any = |label| self.labels.positions(label).any(&allows);
        let found = self.usearch.filtered_search(vector, count, any);
        let found = self.positions(found.map_err(failed)?);
        Ok(found.filter(|(at, _)| allows(*at)).take(count).collect())
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
        let label = self.labels.at(position);
        self.usearch.get(label, vector).map_err(failed).map(drop)
    }

    /// Returns the positions of what was found, and their cosines.
    fn positions(&self, found: usearch::ffi::Matches) -> impl Iterator<Item = (usize, f32)> {
        let found = found.keys.into_iter().zip(found.distances);
        found.flat_map(|(label, distance)| {
            let positions = self.labels.positions(label);
            positions.map(move |position| (position, 1.0 - distance))
        })
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

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Index(Box::new(error))
}
