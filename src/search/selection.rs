//! Which of the ranked passages are answered: none twice, few of one file, neighbours as one.

use std::sync::Arc;

use super::{Evidence, Passage, corpus::Chunk};

/// Of passages that share this part of their word triples, one is enough.
const NEARLY_THE_SAME: f64 = 0.8;

/// Neighbours are not made one beyond this many bytes: about 1,000 tokens.
const MAX_BYTES: usize = 4_000;

/// Passages taken so far.
#[derive(Debug)]
pub(super) struct Selection {
    count: usize,
    max_per_file: usize,
    /// In the order of their ranks.
    taken: Vec<Taken>,
    /// Of files that have enough; they come in if others run out.
    left: Vec<(usize, Arc<Chunk>, Evidence)>,
    offered: usize,
}

#[derive(Debug)]
struct Taken {
    rank: usize,
    /// What it was before it grew.
    chunk: Arc<Chunk>,
    passage: Passage,
}

impl Selection {
    /// Will take `count` passages, at most `max_per_file` of a file unless others run out.
    pub(super) fn new(count: usize, max_per_file: usize) -> Self {
        Self {
            count,
            max_per_file,
            taken: Vec::new(),
            left: Vec::new(),
            offered: 0,
        }
    }

    pub(super) fn wants_more(&self) -> bool {
        self.taken.len() < self.count
    }

    /// Offers the passage of the next best chunk.
    pub(super) fn offer(&mut self, chunk: &Arc<Chunk>, evidence: Evidence) {
        self.offered += 1;
        if self.is_part_of_one(chunk, evidence) {
            return;
        }
        let of_file = |taken: &&Taken| taken.passage.first.file == chunk.file;
        if self.taken.iter().filter(of_file).count() >= self.max_per_file {
            self.left.push((self.offered, Arc::clone(chunk), evidence));
            return;
        }
        self.take(self.offered, chunk, evidence);
    }

    /// Returns the passages, best first.
    pub(super) fn passages(mut self) -> Vec<Passage> {
        for (rank, chunk, evidence) in std::mem::take(&mut self.left) {
            if self.wants_more() && !self.is_part_of_one(&chunk, evidence) {
                self.take(rank, &chunk, evidence);
            }
        }
        self.taken.sort_by_key(|taken| taken.rank);
        self.taken.into_iter().map(|taken| taken.passage).collect()
    }

    /// Adds the chunk's passage to the one that it belongs to, if there is one.
    fn is_part_of_one(&mut self, chunk: &Arc<Chunk>, evidence: Evidence) -> bool {
        for taken in &mut self.taken {
            let passage = &mut taken.passage;
            if passage.holds(chunk) || passage.grows_by(chunk) {
                passage.relevance_score = passage.relevance_score.max(evidence.relevance());
                return true;
            }
        }
        false
    }

    fn take(&mut self, rank: usize, chunk: &Arc<Chunk>, evidence: Evidence) {
        let same = |taken: &&mut Taken| taken.chunk.is_like(chunk, NEARLY_THE_SAME);
        if let Some(taken) = self.taken.iter_mut().find(same) {
            let known = &mut taken.passage;
            let file = &chunk.file;
            if known.first.file != *file && !known.also_in.contains(file) {
                known.also_in.push(Arc::clone(file));
            }
            return;
        }
        self.taken.push(Taken {
            rank,
            chunk: Arc::clone(chunk),
            passage: Passage::of(chunk, evidence),
        });
    }
}

impl Passage {
    /// Whether `chunk` is a window on it, or was made a part of it.
    fn holds(&self, chunk: &Chunk) -> bool {
        let inside = self.range.start <= chunk.passage.start && chunk.passage.end <= self.range.end;
        Arc::ptr_eq(&self.first.document, &chunk.document) && inside
    }

    /// Takes the passage of `chunk` in, if it is the next or the one before in the same section.
    fn grows_by(&mut self, chunk: &Arc<Chunk>) -> bool {
        let same = Arc::ptr_eq(&self.first.document, &chunk.document)
            && self.first.section == chunk.section;
        let joined =
            self.range.start.min(chunk.passage.start)..self.range.end.max(chunk.passage.end);
        if !same || joined.len() > MAX_BYTES {
            return false;
        }
        let gap = match self.range.start < chunk.passage.start {
            true => self.range.end..chunk.passage.start,
            false => chunk.passage.end..self.range.start,
        };
        let between = chunk.document.text.get(gap);
        if between.is_none_or(|between| !between.trim().is_empty()) {
            return false;
        }
        if chunk.passage.start < self.range.start {
            self.first = Arc::clone(chunk);
        }
        self.last_line = self.last_line.max(chunk.lines.1);
        self.range = joined;
        true
    }
}
