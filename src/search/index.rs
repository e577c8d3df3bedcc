//! The nearest vectors to a vector.

use std::sync::Arc;

use usearch::{IndexOptions, MetricKind, ScalarKind};

use super::Error;

/// Up to this many vectors are compared one by one: exact, and under a millisecond.
const MAX_EXACT: usize = 4_096;

/// Candidates that an approximate search keeps; at 128 it finds over 98 of 100 neighbours.
const EXPANSION: usize = 128;

/// Vectors by position, to be compared by the angle between them.
pub(super) struct Index {
    vectors: Vec<Arc<[f32]>>,
    /// None if there are no vectors.
    usearch: Option<usearch::Index>,
}

impl Index {
    /// Builds an index that at most `threads` threads ask at once.
    ///
    /// # Errors
    ///
    /// If the vectors differ in length.
    pub(super) fn build(vectors: Vec<Arc<[f32]>>, threads: usize) -> Result<Self, Error> {
        let Some(dimensions) = vectors.first().map(|vector| vector.len()) else {
            return Ok(Self {
                vectors,
                usearch: None,
            });
        };
        let options = IndexOptions {
            dimensions,
            metric: MetricKind::Cos,
            quantization: ScalarKind::F32,
            expansion_search: EXPANSION,
            ..IndexOptions::default()
        };
        let index = usearch::Index::new(&options).map_err(failed)?;
        index
            .reserve_capacity_and_threads(vectors.len(), threads)
            .map_err(failed)?;
        for (position, vector) in (0..).zip(&vectors) {
            same_length(dimensions, vector)?;
            index.add(position, vector).map_err(failed)?;
        }
        Ok(Self {
            vectors,
            usearch: Some(index),
        })
    }

    /// Returns the vector at `position`.
    pub(super) fn vector(&self, position: usize) -> &Arc<[f32]> {
        &self.vectors[position]
    }

    /// Returns the positions of the `count` nearest vectors and their cosines, nearest first.
    ///
    /// # Errors
    ///
    /// If `vector` is not as long as those of the index.
    pub(super) fn nearest(&self, vector: &[f32], count: usize) -> Result<Vec<(usize, f32)>, Error> {
        let Some(index) = &self.usearch else {
            return Ok(Vec::new());
        };
        same_length(index.dimensions(), vector)?;
        let found = if self.vectors.len() <= MAX_EXACT {
            index.exact_search(vector, count)
        } else {
            index.search(vector, count)
        };
        let found = found.map_err(failed)?;
        let position = |key| usize::try_from(key).expect("keys are positions");
        let keys = found.keys.into_iter().map(position);
        let cosines = found.distances.into_iter().map(|distance| 1.0 - distance);
        Ok(keys.zip(cosines).collect())
    }

    /// Returns the `count` nearest of the vectors at `positions`, compared one by one: an
    /// approximate search that filters comes back short.
    ///
    /// # Errors
    ///
    /// If `vector` is not as long as those of the index.
    pub(super) fn nearest_of(
        &self,
        positions: impl Iterator<Item = usize>,
        vector: &[f32],
        count: usize,
    ) -> Result<Vec<(usize, f32)>, Error> {
        if let Some(index) = &self.usearch {
            same_length(index.dimensions(), vector)?;
        }
        let compared = positions.map(|at| (at, cosine(&self.vectors[at], vector)));
        let mut compared: Vec<_> = compared.collect();
        compared.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        compared.truncate(count);
        Ok(compared)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut index = f.debug_struct("Index");
        index
            .field("vectors", &self.vectors.len())
            .finish_non_exhaustive()
    }
}

fn same_length(expected: usize, vector: &[f32]) -> Result<(), Error> {
    match vector.len() {
        got if got == expected => Ok(()),
        got => Err(Error::Dimensions { expected, got }),
    }
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let (mut product, mut own, mut others) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        product += a * b;
        own += a * a;
        others += b * b;
    }
    let norm = f32::sqrt(own * others);
    if norm > 0.0 { product / norm } else { 0.0 }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Index(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(count: usize) -> Vec<Arc<[f32]>> {
        let angle = |at: usize| at as f32 / count as f32 * std::f32::consts::PI;
        (0..count)
            .map(|at| vec![angle(at).cos(), angle(at).sin()].into())
            .collect()
    }

    #[test]
    fn both_ways_to_search_agree() {
        let index = Index::build(circle(500), 1).unwrap();

        let all = index.nearest(&[0.0, 1.0], 3).unwrap();
        let some = index.nearest_of(0..500, &[0.0, 1.0], 3).unwrap();

        assert_eq!(all[0].0, 250);
        assert_eq!(all[0].0, some[0].0);
        for ((_, one), (_, other)) in all.iter().zip(&some) {
            assert!((one - other).abs() < 1e-5);
        }
    }

    #[test]
    fn an_index_too_large_to_compare_all_finds_the_nearest() {
        let index = Index::build(circle(MAX_EXACT + 1), 1).unwrap();

        let found = index.nearest(&[0.0, 1.0], 50).unwrap();

        assert_eq!(found.len(), 50);
        assert!(found[0].1 > 0.999_99, "{found:?}");
    }

    #[test]
    fn a_vector_of_another_length_is_refused() {
        let index = Index::build(circle(3), 1).unwrap();

        let refused = index.nearest(&[1.0], 1).unwrap_err();

        assert_eq!(
            refused.to_string(),
            "a vector has 1 dimensions, the index has 2"
        );
        assert!(index.nearest_of(0..3, &[1.0], 1).is_err());
    }
}
