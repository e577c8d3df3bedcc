//! Two rankings made one: reciprocal rank fusion.

use std::collections::HashMap;

/// How rankings are fused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// Added to every rank: the larger, the less the first ranks stand out. At least 0.
    pub k: f32,
    /// What the ranking by vectors counts. At least 0.
    pub vectors: f32,
    /// What the ranking by keywords counts. At least 0.
    pub keywords: f32,
}

impl Default for Fusion {
    /// From the 62 tuning questions of `make eval`, where the usual 60 was a little worse; on 360
    /// questions that standards ask themselves, 10 and 60 were equally good.
    fn default() -> Self {
        Self {
            k: 10.0,
            vectors: 1.0,
            keywords: 1.0,
        }
    }
}

impl Fusion {
    /// Returns the positions of both rankings, best first, with their fused scores. Equal ones
    /// stand in the order of their positions.
    pub(super) fn fuse(&self, by_vectors: &[usize], by_keywords: &[usize]) -> Vec<(usize, f32)> {
        let mut scores: HashMap<usize, f32> = HashMap::new();
        for (ranking, weight) in [(by_vectors, self.vectors), (by_keywords, self.keywords)] {
            for (rank, position) in (1_u16..).zip(ranking) {
                *scores.entry(*position).or_default() += weight / (self.k + f32::from(rank));
            }
        }
        let mut fused: Vec<_> = scores
            .into_iter()
            .filter(|(_, score)| *score > 0.0)
            .collect();
        fused.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        fused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_rankings_have_comes_first() {
        let fusion = Fusion::default();

        let fused = fusion.fuse(&[7, 1, 2], &[3, 1, 4]);

        let positions: Vec<_> = fused.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [1, 3, 7, 2, 4]);
        assert!((fused[0].1 - 2.0 / 12.0).abs() < 1e-6);
    }

    #[test]
    fn a_ranking_without_weight_is_left_out() {
        let fusion = Fusion {
            keywords: 0.0,
            ..Fusion::default()
        };

        let fused = fusion.fuse(&[7, 1], &[3, 1]);

        let positions: Vec<_> = fused.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [7, 1]);
    }
}
