//! From what two indexes of a snapshot find to the passages of an answer.

use std::{sync::Arc, time::Duration};

use foldhash::{HashMap, HashSet};
use tokio::time::Instant;

use super::{
    Answer, Error, Fusion, Passage, Query,
    answer::Reranked,
    keywords::Matches,
    query::Mode,
    relevance::Evidence,
    scope::{Scope, known_tags},
    selection::Selection,
    snapshot::Snapshot,
};
use crate::{
    observed::metrics::{SearchMetrics, Stage},
    rendering::Rendering,
};

/// Passages that each index brings: enough for 50 results after the limits.
const CANDIDATES: usize = 200;

/// What further passages of a file count, against its first: so that of files of equal worth, each
/// comes up. From 0.7 to 0.93 it makes no difference in the tuning half of `make eval`; without it,
/// two right files of 62 are not among the first five passages.
const FURTHER: f32 = 0.9;

/// What the settings say about answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fusion: Fusion,
    /// Unless a query says another number.
    pub(super) max_per_file: usize,
    /// Passages that a cross encoder reads.
    pub(super) rerank_candidates: usize,
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
    matches: Matches,
}

/// Passages of a question, best first.
#[derive(Debug)]
pub(super) struct Found {
    order: Vec<(usize, Evidence)>,
    scope: Scope,
    /// Time to put them in order.
    took: Duration,
}

impl Found {
    /// Puts the first passages in the order of their `scores`, before all others.
    pub(super) fn reorder(&mut self, scores: &[f32]) {
        let (best, _) = self.order.split_at_mut(scores.len());
        let mut scored: Vec<_> = scores.iter().zip(best.iter().copied()).collect();
        scored.sort_by(|one, other| other.0.total_cmp(one.0));
        for (place, (_, passage)) in best.iter_mut().zip(scored) {
            *place = passage;
        }
    }
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
            Mode::Vector => Matches::default(),
            Mode::Hybrid | Mode::Keyword => {
                let keywords = self.snapshot.keywords();
                let matching = || keywords.matching(&self.question, &scope, CANDIDATES);
                self.timed(Stage::Keywords, matching)?
            }
        };
        Ok(ByWords { scope, matches })
    }

    /// Orders the passages by how well they fit; `vector` is the question's, if meaning counts.
    ///
    /// # Errors
    ///
    /// If the index of vectors fails, or the vector is of another model.
    pub(super) fn found(&self, words: ByWords, vector: Option<&[f32]>) -> Result<Found, Error> {
        let near = match vector {
            Some(vector) => self.timed(Stage::Vectors, || self.near(vector, &words.scope))?,
            None => Vec::new(),
        };
        let started = Instant::now();
        let evidence = self.evidence(vector, &near, &words.matches)?;
        Ok(Found {
            order: self.ranked(evidence),
            scope: words.scope,
            took: started.elapsed(),
        })
    }

    /// Returns the best of `found`, as what a cross encoder reads.
    pub(super) fn candidates(&self, found: &Found) -> Vec<Arc<str>> {
        let chunks = self.snapshot.chunks();
        let best = found.order.iter().take(self.rules.rerank_candidates);
        best.map(|(position, _)| chunks[*position].embedded().into())
            .collect()
    }

    /// Makes one answer of what was found.
    pub(super) fn answer(&self, found: Found, reranked: Reranked) -> Answer {
        let started = Instant::now();
        let Found { order, scope, took } = found;
        let answer = self.selected(order, &scope, reranked);
        self.metrics.stage(Stage::Fusion, took + started.elapsed());
        answer
    }

    fn selected(&self, order: Vec<(usize, Evidence)>, scope: &Scope, reranked: Reranked) -> Answer {
        let chunks = self.snapshot.chunks();
        let most = self.query.max_per_file().unwrap_or(self.rules.max_per_file);
        let mut selection = Selection::new(self.query.n_results(), most);
        for (position, evidence) in order {
            if !selection.wants_more() {
                break;
            }
            selection.offer(&chunks[position], evidence);
        }
        let mut passages = selection.passages();
        falling(&mut passages);
        if let Some(most) = self.query.max_tokens() {
            passages = within(passages, most);
        }
        let known_tags = match passages.is_empty() {
            true => known_tags(self.query.filter(), chunks),
            false => Vec::new(),
        };
        Answer {
            known_tags,
            total_tokens: passages.iter().map(Passage::tokens).sum(),
            passages,
            generation: self.snapshot.generation,
            method: self.method,
            reranked,
            searched: scope.count(chunks.len()),
            searched_for: (self.question != *self.query.text()).then(|| Arc::clone(&self.question)),
            kept: Rendering::default(),
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

    /// Returns what is known of each passage that came up.
    fn evidence(
        &self,
        vector: Option<&[f32]>,
        near: &[(usize, f32)],
        matches: &Matches,
    ) -> Result<Vec<(usize, Evidence)>, Error> {
        let by_meaning = self.method != Mode::Keyword;
        let by_words = self.method != Mode::Vector;
        let (cosines, shares) = (Known::of(near), Known::of(&matches.passages));
        let (index, documents) = (self.snapshot.index(), self.snapshot.documents());
        let most = near.len() + matches.passages.len();
        let mut openings = HashMap::with_capacity_and_hasher(most, Default::default());
        let mut evidence = Vec::with_capacity(most);
        for position in cosines.united(&shares) {
            let document = documents.at(position);
            let opening = match (vector.filter(|_| by_words), openings.get(&document)) {
                (None, _) => None,
                (Some(_), Some(opening)) => Some(*opening),
                (Some(vector), None) => {
                    let opening = index.cosine(documents.opening(document), vector)?;
                    openings.insert(document, opening);
                    Some(opening)
                }
            };
            let of_document = matches.documents.get(&document).copied();
            let known = Evidence {
                cosine: by_meaning.then(|| cosines.of_position(position)),
                opening,
                coverage: by_words.then(|| shares.of_position(position)),
                document: by_words.then(|| of_document.unwrap_or_default()),
            };
            evidence.push((position, known));
        }
        Ok(evidence)
    }

    /// Orders passages by the strength of their evidence, equal ones by their positions. Those
    /// that have no evidence that counts are left out.
    fn ranked(&self, found: Vec<(usize, Evidence)>) -> Vec<(usize, Evidence)> {
        let strength = |(position, evidence)| {
            let strength = self.rules.fusion.strength(evidence);
            (strength != 0.0).then_some((strength, position, evidence))
        };
        let mut ranked: Vec<_> = found.into_iter().filter_map(strength).collect();
        strongest_first(&mut ranked);
        let mut files = HashSet::with_capacity_and_hasher(ranked.len(), Default::default());
        for (strength, position, _) in &mut ranked {
            if !files.insert(self.snapshot.documents().at(*position)) {
                *strength *= FURTHER;
            }
        }
        strongest_first(&mut ranked);
        let ranked = ranked.into_iter();
        ranked
            .map(|(_, position, evidence)| (position, evidence))
            .collect()
    }
}

/// Sorts passages by their strength, equal ones by their positions.
fn strongest_first(ranked: &mut [(f32, usize, Evidence)]) {
    ranked.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
}

/// What one ranking tells.
struct Known {
    values: HashMap<usize, f32>,
    /// Of positions that it does not have: at most what the last one that it has is worth.
    others: f32,
}

impl Known {
    fn of(ranking: &[(usize, f32)]) -> Self {
        let full = ranking.len() == CANDIDATES;
        let last = ranking.last().filter(|_| full);
        Self {
            values: ranking.iter().copied().collect(),
            others: last.map_or(0.0, |(_, value)| *value),
        }
    }

    fn of_position(&self, position: usize) -> f32 {
        self.values.get(&position).copied().unwrap_or(self.others)
    }

    fn united<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + use<'a> {
        let more = other.values.keys();
        let more = more.filter(move |position| !self.values.contains_key(position));
        self.values.keys().chain(more).copied()
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
