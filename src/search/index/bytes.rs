//! Vectors at one byte a value, for a first comparison.

use numkong::Dot as _;

/// The largest value of a byte.
const MAX: f32 = i8::MAX as f32;

/// What the sums of `f32` may add to a bound: more than 384 roundings of products below 1.
const ROUNDING: f32 = 1e-5;

/// What bytes say of a vector: `scale` times each is its value, but for an `error` of all
/// together.
#[derive(Clone, Copy, Debug)]
struct Measure {
    scale: f32,
    error: f32,
}

/// Vectors of unit length in a quarter of their memory, and how far each may be from itself.
pub(super) struct Bytes {
    values: Vec<i8>,
    measures: Vec<Measure>,
}

impl Bytes {
    /// Rounds `vectors`, which all have `dimensions` values.
    pub(super) fn of<'a>(dimensions: usize, vectors: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut bytes = Self {
            values: Vec::with_capacity(dimensions * vectors.size_hint().0),
            measures: Vec::with_capacity(vectors.size_hint().0),
        };
        for vector in vectors {
            bytes.measures.push(round(vector, &mut bytes.values));
        }
        bytes
    }

    /// Leaves of `positions` those whose vectors may be among the `count` nearest to `vector`: at
    /// least the nearest, and few more. There are more than `count`, which is not 0.
    pub(super) fn keep_nearest(&self, vector: &[f32], count: usize, positions: &mut Vec<usize>) {
        let mut values = Vec::with_capacity(vector.len());
        let asked = round(vector, &mut values);
        let length = norm(vector) + asked.error;
        // Of u and v, rounded to U and V: |uv - UV| = |(u - U)v + U(v - V)|, at most as below.
        let compared = positions.iter().map(|&position| {
            let Measure { scale, error } = self.measures[position];
            let start = position * vector.len();
            let product = i8::dot(&self.values[start..][..vector.len()], &values);
            let product = product.expect("both are as long") as f32;
            let cosine = product * scale * asked.scale;
            let bound = asked.error + length * error + ROUNDING;
            (position, cosine - bound, cosine + bound)
        });
        let compared: Vec<_> = compared.collect();
        let mut at_least: Vec<_> = compared.iter().map(|(_, at_least, _)| *at_least).collect();
        let (_, last, _) =
            at_least.select_nth_unstable_by(count - 1, |one, other| other.total_cmp(one));
        positions.clear();
        let near = compared.iter().filter(|(_, _, at_most)| *at_most >= *last);
        positions.extend(near.map(|(position, ..)| *position));
    }
}

/// Appends the bytes of `vector` to `values`.
fn round(vector: &[f32], values: &mut Vec<i8>) -> Measure {
    let largest = vector
        .iter()
        .fold(0.0, |largest: f32, value| largest.max(value.abs()));
    // Of nothing but zeros, any scale is right.
    let scale = if largest > 0.0 { largest / MAX } else { 1.0 };
    let start = values.len();
    values.extend(vector.iter().map(|value| (value / scale).round() as i8));
    let rounded = values[start..].iter().map(|byte| f32::from(*byte) * scale);
    let errors: Vec<_> = vector
        .iter()
        .zip(rounded)
        .map(|(value, rounded)| value - rounded)
        .collect();
    Measure {
        scale,
        error: norm(&errors),
    }
}

fn norm(vector: &[f32]) -> f32 {
    super::dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSIONS: usize = 384;

    /// Vectors of unit length that look like noise, the same each time: some of them twice, some
    /// close to each other.
    fn vectors(count: usize) -> Vec<Vec<f32>> {
        let mut state = 1_u32;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut vectors: Vec<Vec<f32>> = Vec::new();
        for at in 0..count {
            let mut vector: Vec<_> = (0..DIMENSIONS).map(|_| noise()).collect();
            match at % 5 {
                3 => vector = vectors[at / 2].clone(),
                4 => {
                    let near = &vectors[at / 3];
                    vector = vector
                        .iter()
                        .zip(near)
                        .map(|(value, near)| value / 40.0 + near)
                        .collect();
                }
                _ => {}
            }
            let length = norm(&vector);
            vectors.push(vector.iter().map(|value| value / length).collect());
        }
        vectors
    }

    #[test]
    fn the_nearest_are_kept_and_few_others() {
        let vectors = vectors(1_000);
        let bytes = Bytes::of(DIMENSIONS, vectors.iter().map(Vec::as_slice));
        for (asked, count) in [(0, 1), (1, 10), (500, 100), (999, 249)] {
            let positions: Vec<_> = (0..vectors.len()).filter(|at| at % 7 != 5).collect();
            let cosine = |at: &usize| super::super::dot(&vectors[*at], &vectors[asked]);
            let mut nearest = positions.clone();
            nearest
                .sort_by(|one, other| cosine(other).total_cmp(&cosine(one)).then(one.cmp(other)));
            nearest.truncate(count);

            let mut kept = positions;
            bytes.keep_nearest(&vectors[asked], count, &mut kept);

            assert!(nearest.iter().all(|at| kept.contains(at)), "{count}");
            assert!(kept.len() <= 2 * count + 10, "{count}: {}", kept.len());
            assert!(kept.is_sorted());
        }
    }

    #[test]
    fn a_vector_of_zeros_is_near_to_none_and_harms_none() {
        let mut vectors = vectors(50);
        vectors[7] = vec![0.0; DIMENSIONS];
        let bytes = Bytes::of(DIMENSIONS, vectors.iter().map(Vec::as_slice));
        let mut kept: Vec<_> = (0..50).collect();

        bytes.keep_nearest(&vectors[9], 1, &mut kept);

        assert!(kept.contains(&9) && !kept.contains(&7), "{kept:?}");
    }
}
