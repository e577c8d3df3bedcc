//! From two rankings of a snapshot to the passages of an answer.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::{
    Answer, Error, Fusion, Passage, Query, answer::Kept, keywords::Match, query::Mode,
    relevance::Evidence, scope::Scope, selection::Selection, snapshot::Snapshot,
};
use crate::observed::metrics::{SearchMetrics, Stage};

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
pub(super) struct Ranking {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) query: Query,
    /// The question, without misspellings.
    pub(super) question: Arc<str>,
    pub(super) rules: Rules,
    pub(super) method: Mode,
    pub(super) metrics: SearchMetrics,
}

/// What can be known before the model has said what a question means.
#[derive(Debug)]
pub(super) struct ByWords {
    scope: Scope,
    matches: Vec<Match>,
}

impl Ranking {
    /// Finds the passages that the filters allow, and those of them that share words with the
    /// question.
    ///
    /// # Errors
    ///
    /// If the index of words fails.
    pub(super) fn by_words(&self) -> Result<ByWords, Error> {
        let scope = Scope::of(self.query.filter(), self.snapshot.chunks());
        let matches = match self.method {
            Mode::Vector => Vec::new(),
            Mode::Hybrid | Mode::Keyword => {
                let keywords = self.snapshot.keywords();
                let matching = || keywords.matching(&self.question, &scope, CANDIDATES);
                self.timed(Stage::Keywords, matching)?
            }
        };
        Ok(ByWords { scope, matches })
    }

    /// Returns the passages that fit best; `vector` is the question's, if meaning counts.
    ///
    /// # Errors
    ///
    /// If the index of vectors fails, or the vector is of another model.
    pub(super) fn answer(&self, words: &ByWords, vector: Option<&[f32]>) -> Result<Answer, Error> {
        let near = match vector {
            Some(vector) => self.timed(Stage::Vectors, || self.near(vector, &words.scope))?,
            None => Vec::new(),
        };
        self.timed(Stage::Fusion, || Ok(self.fused(&near, words)))
    }

    /// Makes one answer of what was found by meaning and by words.
    fn fused(&self, near: &[(usize, f32)], words: &ByWords) -> Answer {
        let chunks = self.snapshot.chunks();
        let ByWords { scope, matches } = words;
        let by_vectors: Vec<_> = near.iter().map(|(position, _)| *position).collect();
        let by_keywords: Vec<_> = matches.iter().map(|found| found.position).collect();
        let fused = self.rules.fusion.fuse(&by_vectors, &by_keywords);
        let evidence = self.evidence(near, matches);
        let most = self.query.max_per_file().unwrap_or(self.rules.max_per_file);
        let mut selection = Selection::new(self.query.n_results(), most);
        for (position, _) in fused {
            if !selection.wants_more() {
                break;
            }
            selection.offer(&chunks[position], evidence(position));
        }
        let mut passages = selection.passages();
        falling(&mut passages);
        if let Some(most) = self.query.max_tokens() {
            passages = within(passages, most);
        }
        Answer {
            total_tokens: passages.iter().map(Passage::tokens).sum(),
            passages,
            generation: self.snapshot.generation,
            method: self.method,
            searched: scope.count(chunks.len()),
            searched_for: (self.question != *self.query.text()).then(|| Arc::clone(&self.question)),
            kept: Kept::default(),
        }
    }

    fn timed<T>(&self, stage: Stage, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let started = Instant::now();
        let done = work();
        self.metrics.stage(stage, started.elapsed());
        done
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
}

/// Ranks and scores are made of the same evidence in two ways. Where they differ, a passage is
/// given at least the score of those after it. Rounds to what anybody reads.
fn falling(passages: &mut [Passage]) {
    let mut least = 0.0;
    for passage in passages.iter_mut().rev() {
        let score = (passage.relevance_score * 10_000.0).round() / 10_000.0;
        least = f64::max(score, least);
        passage.relevance_score = least;
    }
}

/// Leaves out what does not fit into the budget. Of the best passage at least the beginning stays.
fn within(mut passages: Vec<Passage>, most: usize) -> Vec<Passage> {
    if let Some(best) = passages.first_mut() {
        best.shorten(most);
    }
    let mut left = most;
    passages.retain(|passage| match left.checked_sub(passage.tokens()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    passages
}
