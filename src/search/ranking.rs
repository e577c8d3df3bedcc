//! From two rankings of a snapshot to the passages of an answer.

use std::collections::HashMap;

use super::{
    Answer, Error, Fusion, Passage, Query, keywords::Match, query::Mode, relevance::Evidence,
    scope::Scope, snapshot::Snapshot,
};

/// Passages that each ranking brings: enough for 50 results after the limits.
const CANDIDATES: usize = 200;

/// What the settings say about answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fusion: Fusion,
    /// Unless a query says another number.
    pub(super) max_per_file: usize,
}

/// One query on one snapshot.
#[derive(Debug)]
pub(super) struct Ranking<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) query: &'a Query,
    pub(super) rules: Rules,
    pub(super) method: Mode,
}

impl Ranking<'_> {
    /// Returns the passages that fit best; `vector` is the question's, if meaning counts.
    ///
    /// # Errors
    ///
    /// If an index fails, or the vector is of another model.
    pub(super) fn answer(&self, vector: Option<&[f32]>) -> Result<Answer, Error> {
        let chunks = self.snapshot.chunks();
        let scope = Scope::of(self.query.filter(), chunks);
        let near = match vector {
            Some(vector) => self.near(vector, &scope)?,
            None => Vec::new(),
        };
        let matches = match self.method {
            Mode::Vector => Vec::new(),
            Mode::Hybrid | Mode::Keyword => {
                let question = self.query.text();
                self.snapshot
                    .keywords()
                    .matching(question, &scope, CANDIDATES)?
            }
        };
        let by_vectors: Vec<_> = near.iter().map(|(position, _)| *position).collect();
        let by_keywords: Vec<_> = matches.iter().map(|found| found.position).collect();
        let fused = self.rules.fusion.fuse(&by_vectors, &by_keywords);
        let evidence = self.evidence(&near, &matches);
        let passages = self.limited(fused.into_iter().map(|(position, _)| position));
        let passages = passages.into_iter().map(|position| {
            let score = (evidence(position).relevance() * 10_000.0).round() / 10_000.0;
            Passage::new(chunks[position].clone(), score)
        });
        Ok(Answer::new(
            self.budgeted(falling(passages.collect())),
            self.snapshot.generation,
            self.method,
            scope.count(chunks.len()),
        ))
    }

    fn near(&self, vector: &[f32], scope: &Scope) -> Result<Vec<(usize, f32)>, Error> {
        let index = self.snapshot.index();
        match scope.allowed() {
            None => index.nearest(vector, CANDIDATES),
            Some(allowed) => index.nearest_where(vector, CANDIDATES, |at| allowed[at]),
        }
    }

    fn evidence(&self, near: &[(usize, f32)], matches: &[Match]) -> impl Fn(usize) -> Evidence {
        let cosines: HashMap<_, _> = near.iter().copied().collect();
        let coverages: HashMap<_, _> = matches
            .iter()
            .map(|found| (found.position, found.coverage))
            .collect();
        let method = self.method;
        move |position| {
            let known = |of: &HashMap<usize, f32>| of.get(&position).copied().unwrap_or_default();
            Evidence {
                cosine: (method != Mode::Keyword).then(|| known(&cosines)),
                coverage: (method != Mode::Vector).then(|| known(&coverages)),
            }
        }
    }

    /// Leaves out what does not fit into the budget, if there is one.
    fn budgeted(&self, mut passages: Vec<Passage>) -> Vec<Passage> {
        let mut left = self.query.max_tokens().unwrap_or(usize::MAX);
        passages.retain(|passage| match left.checked_sub(passage.tokens()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        passages
    }

    /// Takes as many as are asked for, of no file more than allowed unless others run out.
    fn limited(&self, ranked: impl Iterator<Item = usize>) -> Vec<usize> {
        let most = self.query.max_per_file().unwrap_or(self.rules.max_per_file);
        let mut of_file: HashMap<&str, usize> = HashMap::new();
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for (rank, position) in ranked.enumerate() {
            let count = of_file
                .entry(&*self.snapshot.chunks()[position].file)
                .or_default();
            *count += 1;
            match *count <= most {
                true => taken.push((rank, position)),
                false => left.push((rank, position)),
            }
        }
        taken.extend(left);
        taken.truncate(self.query.n_results());
        taken.sort_unstable();
        taken.into_iter().map(|(_, position)| position).collect()
    }
}

/// Ranks and scores are made of the same evidence in two ways. Where they differ, a passage is
/// given at least the score of those after it.
fn falling(mut passages: Vec<Passage>) -> Vec<Passage> {
    let mut least = 0.0;
    for passage in passages.iter_mut().rev() {
        passage.relevance_score = f64::max(passage.relevance_score, least);
        least = passage.relevance_score;
    }
    passages
}
