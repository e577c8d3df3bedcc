//! Which vector stands at which positions.

/// The labels of vectors. A vector that stands at several positions has one label.
#[derive(Debug)]
pub(super) struct Labels {
    by_position: Vec<u64>,
    /// Each label with its position, in order.
    sorted: Vec<(u64, u32)>,
}

impl Labels {
    /// Reads the labels of positions.
    pub(super) fn new(by_position: &[u64]) -> Self {
        let mut sorted: Vec<_> = by_position.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        Self {
            by_position: by_position.to_vec(),
            sorted,
        }
    }

    /// Returns the number of positions.
    pub(super) fn len(&self) -> usize {
        self.by_position.len()
    }

    /// Returns the label at `position`, which is below [`Self::len`].
    pub(super) fn at(&self, position: usize) -> u64 {
        self.by_position[position]
    }

    /// Returns each label once, with its first position.
    pub(super) fn distinct(&self) -> impl Iterator<Item = (u64, usize)> {
        let runs = self.sorted.chunk_by(|one, other| one.0 == other.0);
        runs.map(|run| (run[0].0, run[0].1 as usize))
    }

    /// Returns the positions of `label`, in order.
    pub(super) fn positions(&self, label: u64) -> impl Iterator<Item = usize> {
        let first = self.sorted.partition_point(|(own, _)| *own < label);
        let run = self.sorted[first..].iter();
        run.take_while(move |(own, _)| *own == label)
            .map(|(_, position)| *position as usize)
    }

    /// Tells whether `label` stands anywhere.
    pub(super) fn has(&self, label: u64) -> bool {
        self.positions(label).next().is_some()
    }
}
