//! What is counted of the answers.

use std::fmt;

use lockstep::search::Answer;

use crate::questions::Question;

/// Draws of the questions, to see how much the figures owe to the choice of them.
const DRAWS: usize = 2_000;

/// What came of a question.
pub(crate) struct Outcome<'a> {
    pub(crate) question: &'a Question,
    /// Ranks, from 1, of the first passage of each right file among the first ten passages.
    ranks: Vec<usize>,
    /// Whether a passage of the right section is among the first five.
    section_found: bool,
    /// The first passages' files, for a reader.
    files: Vec<String>,
    /// The relevance of the best passage; 0 if there is none.
    score: f64,
}

impl<'a> Outcome<'a> {
    pub(crate) fn of(question: &'a Question, answer: &Answer) -> Self {
        let files = answer.passages.iter().map(below_standards).collect();
        let right = |section: &String| {
            let section = section.to_lowercase();
            let mut first = answer.passages.iter().take(5);
            first.any(|passage| {
                let file = below_standards(passage);
                question.files.contains(&file)
                    && passage.section().to_lowercase().contains(&section)
            })
        };
        let best = answer.passages.first();
        Self {
            section_found: question.section.as_ref().is_some_and(right),
            score: best.map_or(0.0, |best| best.relevance_score),
            ..Self::of_files(question, files)
        }
    }

    /// What came if all that is known are the files of the passages.
    pub(crate) fn of_files(question: &'a Question, files: Vec<String>) -> Self {
        let rank = |file: &String| Some(1 + files.iter().position(|found| found == file)?);
        let mut ranks: Vec<_> = question.files.iter().filter_map(rank).collect();
        ranks.sort_unstable();
        Self {
            question,
            ranks,
            section_found: false,
            files: files.into_iter().take(3).collect(),
            score: 0.0,
        }
    }

    fn has_answer(&self) -> bool {
        !self.question.files.is_empty()
    }

    fn hit(&self, most: usize) -> f64 {
        f64::from(self.ranks.first().is_some_and(|rank| *rank <= most))
    }

    fn reciprocal_rank(&self) -> f64 {
        self.ranks.first().map_or(0.0, |rank| 1.0 / *rank as f64)
    }

    fn ndcg(&self) -> f64 {
        let gain = |rank: usize| 1.0 / (1.0 + rank as f64).log2();
        let best: f64 = (1..=self.question.files.len()).map(gain).sum();
        self.ranks.iter().copied().map(gain).sum::<f64>() / best
    }
}

fn below_standards(passage: &lockstep::search::Passage) -> String {
    passage.file().trim_start_matches("standards/").to_owned()
}

/// The figures of some questions that have an answer.
pub(crate) struct Figures<'a> {
    outcomes: Vec<&'a Outcome<'a>>,
}

impl<'a> Figures<'a> {
    pub(crate) const HEAD: &'static str =
        "  hit@1 (95 %)            hit@5  MRR@10 (95 %)           nDCG@10  section@5  questions";

    pub(crate) fn of(outcomes: Vec<&'a Outcome<'a>>) -> Self {
        let outcomes = outcomes.into_iter().filter(|outcome| outcome.has_answer());
        Self {
            outcomes: outcomes.collect(),
        }
    }

    /// The share of questions with a right passage among the first `most`.
    pub(crate) fn hit(&self, most: usize) -> f64 {
        self.mean(|outcome| outcome.hit(most))
    }

    pub(crate) fn mrr(&self) -> f64 {
        self.mean(|outcome| outcome.reciprocal_rank())
    }

    fn mean(&self, value: impl Fn(&Outcome<'_>) -> f64) -> f64 {
        let sum: f64 = self.outcomes.iter().map(|outcome| value(outcome)).sum();
        sum / self.outcomes.len().max(1) as f64
    }

    /// What the mean of `value` lies between in 95 of 100 draws of the questions, with
    /// replacement.
    fn interval(&self, value: impl Fn(&Outcome<'_>) -> f64) -> (f64, f64) {
        let values: Vec<_> = self.outcomes.iter().map(|outcome| value(outcome)).collect();
        if values.is_empty() {
            return (0.0, 0.0);
        }
        let mut state = 0x2545_F491_4F6C_DD1D_u64; // The same draws each time.
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            values[(state % values.len() as u64) as usize]
        };
        let mean = |_| (0..values.len()).map(|_| draw()).sum::<f64>() / values.len() as f64;
        let mut means: Vec<f64> = (0..DRAWS).map(mean).collect();
        means.sort_by(f64::total_cmp);
        (means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40])
    }

    pub(crate) fn print_failures(&self) {
        for outcome in &self.outcomes {
            if outcome.ranks.first() != Some(&1) {
                let rank = outcome
                    .ranks
                    .first()
                    .map_or("-".to_owned(), ToString::to_string);
                let Question {
                    kind, text, files, ..
                } = outcome.question;
                println!("  {rank:>2} [{kind}] {text}");
                println!(
                    "     not {}, but {}",
                    files.join(" or "),
                    outcome.files.join(", ")
                );
            }
        }
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval(|outcome| outcome.reciprocal_rank());
        let (low_1, high_1) = self.interval(|outcome| outcome.hit(1));
        let with_section = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.question.section.is_some());
        let with_section: Vec<_> = with_section.collect();
        let found = with_section
            .iter()
            .filter(|outcome| outcome.section_found)
            .count();
        write!(
            f,
            "  {:.3} ({low_1:.3} to {high_1:.3})  {:.3}  {:.3} ({low:.3} to {high:.3})  {:.3}    \
             {found:>3} of {:<3} {:>4}",
            self.hit(1),
            self.hit(5),
            self.mrr(),
            self.mean(|outcome| outcome.ndcg()),
            with_section.len(),
            self.outcomes.len(),
        )
    }
}

/// Prints how the best passages score of questions with an answer and without.
pub(crate) fn print_off_topic(outcomes: &[Outcome<'_>]) {
    let scores = |has_answer: bool| -> Vec<f64> {
        let some = outcomes
            .iter()
            .filter(|outcome| outcome.has_answer() == has_answer);
        let mut scores: Vec<_> = some.map(|outcome| outcome.score).collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let (on, off) = (scores(true), scores(false));
    if on.is_empty() || off.is_empty() {
        return;
    }
    let above = |on: &f64| -> f64 {
        let beaten = off.iter().map(|off| match on.total_cmp(off) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        });
        beaten.sum()
    };
    let auc = on.iter().map(above).sum::<f64>() / (on.len() * off.len()) as f64;
    println!(
        "  relevance of the best passage: on topic {:.2} (a tenth below {:.2}), off topic {:.2} \
         (a tenth above {:.2}); AUC {auc:.3}",
        on[on.len() / 2],
        on[on.len() / 10],
        off[off.len() / 2],
        off[off.len() - 1 - off.len() / 10],
    );
}
