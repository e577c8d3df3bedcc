//! Fits the relevance score: how often passages with so much evidence are of a right file.

use std::sync::Arc;

use lockstep::search::{Engine, Mode};

use crate::{
    ask,
    questions::{Half, Question},
};

/// Steps of the descent, and their length: enough for two numbers to settle.
const STEPS: usize = 20_000;
const STEP: f64 = 0.5;

/// Prints the weights of the logistic function for each way to search, fitted on the first five
/// passages of each question of the tuning half: those of right files against all others.
pub(crate) async fn print(engine: &Arc<Engine>, questions: &[Question]) -> anyhow::Result<()> {
    for mode in Mode::ALL {
        let mut cases = Vec::new();
        let tuning = questions
            .iter()
            .filter(|question| question.half == Half::Tuning);
        for question in tuning {
            let answer = ask(engine, &question.text, mode).await?;
            for passage in answer.passages.iter().take(5) {
                let file = passage.file().trim_start_matches("standards/");
                let is_right = question.files.iter().any(|right| right == file);
                cases.push((passage.evidence.strength(), f64::from(is_right)));
            }
        }
        if cases.is_empty() {
            continue;
        }
        let [constant, strength] = fitted(&cases);
        println!("  fit of {mode}: {constant:.2} + {strength:.2} strength");
    }
    Ok(())
}

/// Descends to the weights that make the cases most likely.
fn fitted(cases: &[(f64, f64)]) -> [f64; 2] {
    let mut weights = [0.0; 2];
    for _ in 0..STEPS {
        let mut slope = [0.0; 2];
        for (strength, is_right) in cases {
            let odds = weights[0] + weights[1] * strength;
            let error = 1.0 / (1.0 + (-odds).exp()) - is_right;
            slope[0] += error;
            slope[1] += error * strength;
        }
        for (weight, slope) in weights.iter_mut().zip(slope) {
            *weight -= STEP * slope / cases.len() as f64;
        }
    }
    weights
}
