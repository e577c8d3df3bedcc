//! Fits the relevance score: what evidence tells an answer from a passage that merely came up.

use std::sync::Arc;

use lockstep::search::{Engine, Mode};

use crate::{
    ask,
    questions::{Half, Question},
};

/// Steps of the descent, and their length: enough for three numbers to settle.
const STEPS: usize = 20_000;
const STEP: f64 = 0.5;

/// Prints the weights of the logistic function for each way to search, fitted on the tuning half.
///
/// Passages of right files are answers; all passages of questions without an answer are none. Other
/// passages are left out: they may bear on the question too.
pub(crate) async fn print(engine: &Arc<Engine>, questions: &[Question]) -> anyhow::Result<()> {
    for mode in Mode::ALL {
        let mut cases = Vec::new();
        for question in questions
            .iter()
            .filter(|question| question.half == Half::Tuning)
        {
            let answer = ask(engine, &question.text, mode).await?;
            for passage in answer.passages.iter().take(5) {
                let file = passage.file().trim_start_matches("standards/");
                let right = question.files.iter().any(|right| right == file);
                if right || question.files.is_empty() {
                    let value = |value: Option<f32>| value.map_or(0.0, f64::from);
                    let evidence = passage.evidence;
                    let known = [1.0, value(evidence.cosine), value(evidence.coverage)];
                    cases.push((known, f64::from(right)));
                }
            }
        }
        let [constant, cosine, coverage] = fitted(&cases);
        println!("  fit of {mode}: {constant:.2} + {cosine:.2} cosine + {coverage:.2} coverage");
    }
    Ok(())
}

/// Descends to the weights that make the cases most likely, both outcomes counting the same.
fn fitted(cases: &[([f64; 3], f64)]) -> [f64; 3] {
    let right: f64 = cases.iter().map(|(_, right)| right).sum();
    let wrong = cases.len() as f64 - right;
    let mut weights = [0.0; 3];
    for _ in 0..STEPS {
        let mut slope = [0.0; 3];
        for (known, right_one) in cases {
            let odds: f64 = weights
                .iter()
                .zip(known)
                .map(|(weight, known)| weight * known)
                .sum();
            let share = if *right_one > 0.0 { right } else { wrong };
            let error = (1.0 / (1.0 + (-odds).exp()) - right_one) / share.max(1.0);
            for (slope, known) in slope.iter_mut().zip(known) {
                *slope += error * known;
            }
        }
        for (weight, slope) in weights.iter_mut().zip(slope) {
            // A little pull to 0, so that cases told apart without fail do not blow it up.
            *weight -= STEP * (slope + 0.002 * *weight);
        }
    }
    weights
}
