//! The nearest vectors to a vector.

mod bytes;
mod flat;
mod graph;

use std::{io, path::Path, sync::Arc};

use flat::Flat;
use graph::Graph;

use super::Error;

/// Up to this many vectors are compared one by one: exact, and a fraction of a millisecond.
const MAX_EXACT: usize = 4_096;

/// How vectors are laid out in a graph. Few vectors are always kept as they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Quantization {
    /// 4 bytes a value: exact.
    #[default]
    F32,
    /// 2 bytes a value.
    F16,
    /// 1 byte a value.
    I8,
}

/// How an index is built.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// How the vectors of a graph are kept.
    pub quantization: Quantization,
    /// Threads that build it, and threads that ask it at once.
    pub threads: usize,
}

/// Vectors by position, to be compared by the angle between them.
///
/// Invariant: all are of unit length, so that their product is the cosine of the angle.
#[derive(Debug)]
pub enum Index {
    /// Few vectors: compared one by one.
    Flat(Flat),
    /// Many: reached from neighbour to neighbour.
    Graph(Graph),
}

impl Index {
    /// Returns an index of no vectors.
    pub(super) fn empty() -> Self {
        Self::Flat(Flat::new(0, &[]))
    }

    /// Tells whether all of it is in memory, and few enough to be compared one by one.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self, Self::Flat(_))
    }

    /// Builds an index. `labels` has what each vector is known by, wherever it stands: equal ones
    /// are of equal vectors.
    ///
    /// # Errors
    ///
    /// If the vectors differ in length.
    pub fn build(labels: &[u64], vectors: &[Arc<[f32]>], layout: Layout) -> Result<Self, Error> {
        Self::build_from(&Self::empty(), labels, vectors, layout)
    }

    /// Builds an index of vectors of which most may be those of `previous`: of a large one, only
    /// what is different is made anew. `previous` stays as it is, for those who search it.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub fn build_from(
        previous: &Self,
        labels: &[u64],
        vectors: &[Arc<[f32]>],
        layout: Layout,
    ) -> Result<Self, Error> {
        let dimensions = vectors.first().map_or(0, |vector| vector.len());
        for vector in vectors {
            same_length(dimensions, vector)?;
        }
        if !Self::is_graph(vectors.len()) {
            return Ok(Self::Flat(Flat::new(dimensions, vectors)));
        }
        if let Self::Graph(graph) = previous
            && graph.dimensions() == dimensions
            && let Some(changed) = graph.changed(labels, vectors, layout)?
        {
            return Ok(Self::Graph(changed));
        }
        let graph = Graph::build(dimensions, labels, vectors, layout)?;
        Ok(Self::Graph(graph))
    }

    /// Tells whether so many vectors make an index that takes long to build.
    pub(super) fn is_graph(count: usize) -> bool {
        count > MAX_EXACT
    }

    /// Maps the graph that was saved at `path` into memory. The file must be whole, and of the
    /// vectors that have these labels.
    ///
    /// # Errors
    ///
    /// If it is not a graph of so many vectors.
    pub fn view(path: &Path, labels: &[u64], layout: Layout) -> Result<Self, Error> {
        Graph::view(path, labels, layout).map(Self::Graph)
    }

    /// Saves a graph, to be mapped by [`Self::view`]. Few vectors need none.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Flat(_) => Ok(()),
            Self::Graph(graph) => graph.save(path),
        }
    }

    /// Returns the number of vectors.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Self::Flat(flat) => flat.len(),
            Self::Graph(graph) => graph.len(),
        }
    }

    /// Returns the vector at `position`, which is below [`Self::len`].
    ///
    /// # Errors
    ///
    /// If the index fails.
    pub(super) fn vector(&self, position: usize) -> Result<Arc<[f32]>, Error> {
        match self {
            Self::Flat(flat) => Ok(flat.vector(position).into()),
            Self::Graph(graph) => graph.vector(position).map(Into::into),
        }
    }

    /// Returns the cosine of the angle between `vector` and the one at `position`, which is below
    /// [`Self::len`].
    ///
    /// # Errors
    ///
    /// If the index fails, or `vector` is not as long as its vectors.
    pub(super) fn cosine(&self, position: usize, vector: &[f32]) -> Result<f32, Error> {
        match self {
            Self::Flat(flat) => {
                same_length(flat.dimensions(), vector)?;
                Ok(dot(flat.vector(position), vector))
            }
            Self::Graph(graph) => {
                same_length(graph.dimensions(), vector)?;
                Ok(dot(&graph.vector(position)?, vector))
            }
        }
    }

    /// Returns the positions of the `count` nearest vectors and their cosines, nearest first.
    ///
    /// # Errors
    ///
    /// If `vector` is not as long as those of the index.
    pub fn nearest(&self, vector: &[f32], count: usize) -> Result<Vec<(usize, f32)>, Error> {
        match self {
            Self::Flat(_) => self.nearest_where(vector, count, |_| true),
            Self::Graph(graph) => {
                same_length(graph.dimensions(), vector)?;
                graph.nearest(vector, count)
            }
        }
    }

    /// Returns the `count` nearest of the vectors at positions that `allows` allows: all of them
    /// if there are fewer. It is asked at most twice about a position.
    ///
    /// # Errors
    ///
    /// If `vector` is not as long as those of the index.
    pub fn nearest_where(
        &self,
        vector: &[f32],
        count: usize,
        allows: impl Fn(usize) -> bool,
    ) -> Result<Vec<(usize, f32)>, Error> {
        let allowed = (0..self.len()).filter(|position| allows(*position));
        match self {
            Self::Flat(flat) if flat.len() == 0 => Ok(Vec::new()),
            Self::Flat(flat) => {
                same_length(flat.dimensions(), vector)?;
                Ok(flat.nearest(vector, count, allowed.collect()))
            }
            Self::Graph(graph) => {
                same_length(graph.dimensions(), vector)?;
                // A walk that meets few allowed ones sees most of the graph before it ends.
                let few: Vec<_> = allowed.take(MAX_EXACT + 1).collect();
                match few.len() {
                    ..=MAX_EXACT => Ok(best(graph.compare(vector, &few)?, count)),
                    _ => graph.nearest_where(vector, count, allows),
                }
            }
        }
    }
}

/// Returns the `count` highest, highest first; equal ones in the order of their positions.
fn best(mut compared: Vec<(usize, f32)>, count: usize) -> Vec<(usize, f32)> {
    let order = |one: &(usize, f32), other: &(usize, f32)| {
        other.1.total_cmp(&one.1).then(one.0.cmp(&other.0))
    };
    if count < compared.len() {
        compared.select_nth_unstable_by(count, order);
        compared.truncate(count);
    }
    compared.sort_unstable_by(order);
    compared
}

/// Sums kept side by side, which the compiler turns into vector instructions.
const LANES: usize = 16;

/// Returns the product of two vectors of one length.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest = one_rest.iter().zip(other_rest).map(|(a, b)| a * b);
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

fn same_length(expected: usize, vector: &[f32]) -> Result<(), Error> {
    match vector.len() {
        got if got == expected => Ok(()),
        got => Err(Error::Dimensions { expected, got }),
    }
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

    fn labels(count: usize) -> Vec<u64> {
        (0..count as u64).map(|at| at * 31).collect()
    }

    /// Of each kind of index, with the position of the vector that points up.
    fn both() -> [(Index, usize); 2] {
        let (few, many) = (500, MAX_EXACT + 4);
        let index = |count| Index::build(&labels(count), &circle(count), LAYOUT).unwrap();
        [(index(few), few / 2), (index(many), many / 2)]
    }

    const UP: [f32; 2] = [0.0, 1.0];

    const LAYOUT: Layout = Layout {
        quantization: Quantization::F32,
        threads: 2,
    };

    #[test]
    fn the_nearest_come_first_from_few_vectors_and_from_many() {
        for (index, up) in both() {
            let found = index.nearest(&UP, 51).unwrap();

            assert_eq!(found.len(), 51);
            assert_eq!(found[0].0, up);
            assert!(found[0].1 > 0.999_99, "{found:?}");
            assert!(found.is_sorted_by(|one, other| one.1 >= other.1));
        }
    }

    #[test]
    fn a_filter_brings_all_that_it_allows_however_far_away() {
        for (index, up) in both() {
            let wide = |at: usize| at % 2 == 1 && at > 16;
            let narrow = |at: usize| at < 3;

            let some = index.nearest_where(&UP, 20, wide).unwrap();
            let few = index.nearest_where(&UP, 20, narrow).unwrap();
            let none = index.nearest_where(&UP, 20, |_| false).unwrap();

            assert_eq!(some.len(), 20);
            assert!(some.iter().all(|(at, _)| wide(*at) && at.abs_diff(up) < 22));
            let few: Vec<_> = few.into_iter().map(|(at, _)| at).collect();
            assert_eq!(few, [2, 1, 0]);
            assert!(none.is_empty());
        }
    }

    #[test]
    fn a_graph_is_walked_with_a_filter_that_allows_many() {
        let count = 2 * MAX_EXACT + 10;
        let index = Index::build(&labels(count), &circle(count), LAYOUT).unwrap();

        let found = index.nearest_where(&UP, 9, |at| at % 2 == 0).unwrap();

        let near = |at: &usize| at.is_multiple_of(2) && at.abs_diff(count / 2) < 30;
        assert!(found.iter().all(|(at, _)| near(at)), "{found:?}");
        assert_eq!(found.len(), 9);
    }

    #[test]
    fn a_vector_comes_back_as_it_went_in() {
        for (index, up) in both() {
            let vector = index.vector(up).unwrap();
            assert!((vector[1] - 1.0).abs() < 1e-6, "{vector:?}");
            assert!((index.cosine(up, &[0.6, 0.8]).unwrap() - 0.8).abs() < 1e-6);
            assert!(index.cosine(up, &[1.0]).is_err());
        }
    }

    #[test]
    fn a_graph_that_was_saved_is_mapped_and_answers_as_before() {
        let dir = tempfile::tempdir().unwrap();
        let (path, count) = (dir.path().join("graph"), MAX_EXACT + 4);
        for quantization in [Quantization::F32, Quantization::F16, Quantization::I8] {
            let layout = Layout {
                quantization,
                ..LAYOUT
            };
            let built = Index::build(&labels(count), &circle(count), layout).unwrap();
            built.save(&path).unwrap();

            let mapped = Index::view(&path, &labels(count), layout).unwrap();

            assert_eq!(
                mapped.nearest(&UP, 9).unwrap(),
                built.nearest(&UP, 9).unwrap(),
                "{quantization:?}"
            );
            let even = |at: usize| at.is_multiple_of(2);
            assert_eq!(mapped.nearest_where(&UP, 9, even).unwrap().len(), 9);
            assert_eq!(mapped.vector(7).unwrap(), built.vector(7).unwrap());
            assert!(Index::view(&path, &labels(count + 1), layout).is_err());
        }
    }

    /// Moves all by one position, takes three out, puts two in and has one twice.
    #[test]
    fn an_edit_changes_a_graph_as_if_it_was_built_anew_and_leaves_its_predecessor() {
        // Of two threads that add neighbours at once, one may miss the other.
        let layout = Layout {
            threads: 1,
            ..LAYOUT
        };
        let count = MAX_EXACT + 40;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("graph");
        let vectors = circle(count);
        let known = Index::build(&labels(count), &vectors, layout).unwrap();
        known.save(&path).unwrap();
        let mapped = Index::view(&path, &labels(count), layout).unwrap();
        let beyond = |angle: f32| -> Arc<[f32]> { [angle.cos(), angle.sin()].into() };
        let new = [beyond(3.3), beyond(3.4)];
        let mut edited = new.to_vec();
        edited.extend_from_slice(&vectors[1..count - 2]);
        edited.push(Arc::clone(&vectors[7]));
        let mut edited_labels = vec![1, 2];
        edited_labels.extend_from_slice(&labels(count)[1..count - 2]);
        edited_labels.push(labels(count)[7]);

        for previous in [known, mapped] {
            let graph = |index: &Index| match index {
                Index::Graph(graph) => graph.changed(&edited_labels, &edited, layout).unwrap(),
                Index::Flat(_) => None,
            };
            let changed = Index::Graph(graph(&previous).expect("it is a small change"));

            assert_eq!(changed.len(), edited.len());
            for (at, vector) in edited.iter().enumerate().step_by(97) {
                let found = changed.nearest(vector, 2).unwrap();
                assert!(found.iter().any(|found| found.0 == at), "{at}: {found:?}");
                assert_eq!(changed.vector(at).unwrap().len(), 2);
            }
            let both = changed.nearest(&vectors[7], 2).unwrap();
            assert_eq!([both[0].0, both[1].0], [8, edited.len() - 1]);
            assert_eq!(changed.nearest(&new[0], 1).unwrap()[0].0, 0);
            let gone = changed.nearest(&vectors[count - 1], 1).unwrap()[0];
            assert!(gone.1 < 0.999_999_9 && gone.0 < edited.len());
            // The one before is what it was.
            assert_eq!(previous.len(), count);
            assert_eq!(
                previous.nearest(&vectors[count - 1], 1).unwrap()[0].0,
                count - 1
            );
            assert!(previous.nearest(&new[0], 1).unwrap()[0].1 < 0.999);

            // Not to the file that is mapped.
            let path = dir.path().join("changed");
            changed.save(&path).unwrap();
            let again = Index::view(&path, &edited_labels, layout).unwrap();
            assert_eq!(
                again.nearest(&new[1], 3).unwrap(),
                changed.nearest(&new[1], 3).unwrap()
            );
        }
    }

    #[test]
    fn a_graph_of_mostly_other_vectors_is_built_anew() {
        let count = MAX_EXACT + 40;
        let known = Index::build(&labels(count), &circle(count), LAYOUT).unwrap();
        let Index::Graph(known) = known else {
            panic!("so many are a graph");
        };
        let others: Vec<_> = labels(count).into_iter().map(|label| label + 1).collect();

        let changed = known.changed(&others, &circle(count), LAYOUT).unwrap();

        assert!(changed.is_none());
    }

    #[test]
    fn a_vector_of_another_length_is_refused() {
        for (index, _) in both() {
            let refused = index.nearest(&[1.0], 1).unwrap_err();

            let complaint = "a vector has 1 dimensions, the index has 2";
            assert_eq!(refused.to_string(), complaint);
            assert!(index.nearest_where(&[1.0], 1, |_| true).is_err());
        }
        let mixed = [vec![1.0].into(), vec![1.0, 0.0].into()];
        assert!(Index::build(&labels(2), &mixed, LAYOUT).is_err());
    }

    #[test]
    fn the_product_counts_every_element_once() {
        for length in [0, 1, 15, 16, 17, 64, 384] {
            let vector: Vec<f32> = (0..length).map(|at| (at % 7) as f32).collect();
            let expected: f32 = vector.iter().map(|value| value * value).sum();
            assert_eq!(dot(&vector, &vector), expected, "{length}");
        }
    }
}
