//! What is known of a passage, made one number that passages are ranked by.

use super::relevance::Evidence;

/// What the standard's opening adds to the nearness of a passage.
const OPENING: f32 = 0.2;

/// What evidence counts. Each is a share of the most that there can be, so that they can be added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// What nearness in meaning counts. At least 0.
    pub vectors: f32,
    /// What shared words count. At least 0.
    pub keywords: f32,
    /// What a word anywhere in the standard counts, against 1 in the passage. At least 0.
    pub document: f32,
}

impl Default for Fusion {
    /// From the tuning half of `make eval`, and 647 questions that the standards say they answer,
    /// asked of standards without them. Twice or half as much makes little difference.
    fn default() -> Self {
        Self {
            vectors: 1.0,
            keywords: 1.0,
            document: 0.8,
        }
    }
}

impl Fusion {
    /// Returns how strong the evidence is together.
    pub(super) fn strength(&self, evidence: Evidence) -> f32 {
        let known = Option::unwrap_or_default;
        let meaning = known(evidence.cosine) + OPENING * known(evidence.opening);
        let words = known(evidence.coverage) + self.document * known(evidence.document);
        self.vectors * meaning + self.keywords * words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_adds_up_by_its_weights() {
        let evidence = Evidence {
            cosine: Some(0.5),
            opening: Some(0.5),
            coverage: Some(0.25),
            document: Some(0.5),
        };
        let weights = |vectors, keywords, document| Fusion {
            vectors,
            keywords,
            document,
        };
        let cases = [
            (Fusion::default(), evidence, 0.6 + 0.65),
            (weights(2.0, 1.0, 0.0), evidence, 1.2 + 0.25),
            (weights(0.0, 1.0, 1.0), evidence, 0.75),
            (Fusion::default(), Evidence::default(), 0.0),
        ];
        for (fusion, evidence, expected) in cases {
            let strength = fusion.strength(evidence);
            assert!((strength - expected).abs() < 1e-6, "{fusion:?}: {strength}");
        }
    }
}
