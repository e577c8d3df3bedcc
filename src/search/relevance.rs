//! How surely a passage bears on a question, on one scale for all questions.

/// What is known of a passage and a question.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Cosine of the angle between them, if vectors were asked.
    pub cosine: Option<f32>,
    /// The share of the question's words that the passage has, if words were asked.
    pub coverage: Option<f32>,
}

impl Evidence {
    /// Returns a probability, 0 to 1.
    pub(super) fn relevance(self) -> f64 {
        let (cosine, coverage) = (self.cosine.map(f64::from), self.coverage.map(f64::from));
        let log_odds = match (cosine, coverage) {
            (Some(cosine), Some(coverage)) => -4.5 + 8.0 * cosine + 5.0 * coverage,
            (Some(cosine), None) => -3.5 + 10.0 * cosine,
            (None, Some(coverage)) => -3.5 + 12.0 * coverage,
            (None, None) => return 0.0,
        };
        1.0 / (1.0 + (-log_odds).exp())
    }
}
