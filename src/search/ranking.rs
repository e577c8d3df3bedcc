//! From what two indexes of a snapshot find to the passages of an answer.

use std::{cmp::Ordering, iter::Peekable, ops::RangeInclusive, sync::Arc, time::Duration, vec};

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

/// Passages that each index brings for each result, of which the limits leave some out.
const CANDIDATES_PER_RESULT: usize = 8;

/// The fewest and the most that each index brings. In `make eval`, 200 are no better than 100 for ten
/// results; with 50, the right file is among the first five for 3 of 298 questions fewer.
const CANDIDATES: RangeInclusive<usize> = 100..=200;

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
                let matching = || keywords.matching(&self.question, &scope, self.candidate_count());
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
            order: self.ranked(&evidence),
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

    fn candidate_count(&self) -> usize {
        let count = CANDIDATES_PER_RESULT * self.query.n_results();
        count.clamp(*CANDIDATES.start(), *CANDIDATES.end())
    }

    fn near(&self, vector: &[f32], scope: &Scope) -> Result<Vec<(usize, f32)>, Error> {
        let (index, count) = (self.snapshot.index(), self.candidate_count());
        match scope.allowed() {
            None => index.nearest(vector, count),
            Some(allowed) => index.nearest_where(vector, count, |at| allowed[at]),
        }
    }

    /// Returns what is known of each passage that came up, in the order of their positions.
    fn evidence(
        &self,
        vector: Option<&[f32]>,
        near: &[(usize, f32)],
        matches: &Matches,
    ) -> Result<Vec<(usize, Evidence)>, Error> {
        let by_meaning = self.method != Mode::Keyword;
        let by_words = self.method != Mode::Vector;
        let (index, documents) = (self.snapshot.index(), self.snapshot.documents());
        let mut evidence = Vec::with_capacity(near.len() + matches.passages.len());
        let full = self.candidate_count();
        let (mut cosines, mut shares) = (Known::of(near, full), Known::of(&matches.passages, full));
        let mut of_documents = Known::all_of(&matches.documents);
        // Of the file at hand: passages stand in the order of their files.
        let mut file = None;
        while let Some(position) = [cosines.next(), shares.next()].into_iter().flatten().min() {
            let number = documents.at(position);
            let (opening, document) = match file {
                Some((at_hand, opening, document)) if at_hand == number => (opening, document),
                _ => {
                    let compared = vector.filter(|_| by_words);
                    let opening = compared
                        .map(|vector| index.cosine(documents.opening(number), vector))
                        .transpose()?;
                    (opening, of_documents.at(number))
                }
            };
            file = Some((number, opening, document));
            let known = Evidence {
                cosine: by_meaning.then_some(cosines.at(position)),
                opening,
                coverage: by_words.then_some(shares.at(position)),
                document: by_words.then_some(document),
            };
            evidence.push((position, known));
        }
        Ok(evidence)
    }

    /// Orders passages, which come in the order of their positions, by the strength of their
    /// evidence, equal ones by their positions. Those that have no evidence that counts are left out.
    fn ranked(&self, found: &[(usize, Evidence)]) -> Vec<(usize, Evidence)> {
        let documents = self.snapshot.documents();
        let of_one_file = |one: &Strength, other: &Strength| one.file == other.file;
        let strength = |(at, (position, evidence)): (usize, &(usize, Evidence))| Strength {
            of: self.rules.fusion.strength(*evidence),
            file: documents.at(*position),
            at,
        };
        let strengths = found.iter().enumerate().map(strength);
        let mut ranked: Vec<_> = strengths.filter(|strength| strength.of != 0.0).collect();
        for file in ranked.chunk_by_mut(of_one_file) {
            file.sort_unstable_by(Strength::strongest_first);
            file.iter_mut()
                .skip(1)
                .for_each(|strength| strength.of *= FURTHER);
        }
        ranked.sort_unstable_by(Strength::strongest_first);
        ranked.iter().map(|strength| found[strength.at]).collect()
    }
}

/// How strong the evidence of a passage is.
struct Strength {
    of: f32,
    file: usize,
    /// Where the passage stands among those that were found.
    at: usize,
}

impl Strength {
    fn strongest_first(&self, other: &Self) -> Ordering {
        let falling = other.of.total_cmp(&self.of);
        falling.then(self.at.cmp(&other.at))
    }
}

/// What one ranking tells of positions, or of files: it is asked in their order.
struct Known {
    told: Peekable<vec::IntoIter<(usize, f32)>>,
    /// Of those that it does not have.
    others: f32,
}

impl Known {
    /// Of a ranking of `full` length, what is not in it is worth at most what its last one is.
    fn of(ranking: &[(usize, f32)], full: usize) -> Self {
        let last = ranking.last().filter(|_| ranking.len() == full);
        Self {
            others: last.map_or(0.0, |(_, value)| *value),
            ..Self::all_of(ranking)
        }
    }

    /// What is not in the ranking is worth nothing.
    fn all_of(ranking: &[(usize, f32)]) -> Self {
        let mut told = ranking.to_vec();
        told.sort_unstable_by_key(|(of, _)| *of);
        Self {
            told: told.into_iter().peekable(),
            others: 0.0,
        }
    }

    /// Returns what it has next.
    fn next(&mut self) -> Option<usize> {
        self.told.peek().map(|(of, _)| *of)
    }

    /// Returns what it tells of `this`, and forgets what came before.
    fn at(&mut self, this: usize) -> f32 {
        while self.told.next_if(|(of, _)| *of < this).is_some() {}
        let told = self.told.next_if(|(of, _)| *of == this);
        told.map_or(self.others, |(_, value)| value)
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
