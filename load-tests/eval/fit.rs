//! Fits the relevance score: how often the best passage, with so much evidence, is of a right file.

use std::sync::Arc;

use lockstep::search::{Engine, Mode};

use crate::{
    ask,
    questions::{Half, Question},
};

/// Steps of the descent, and their length: enough for two numbers to settle.
const STEPS: usize = 20_000;
const STEP: f64 = 0.5;

/// Prints the weights of the logistic function for each way to search, fitted on the best passage of
/// each question of the tuning half, those without an answer among them; then, for each half, how
/// many of the best passages are right, and how many the scores promise.
pub(crate) async fn print(engine: &Arc<Engine>, questions: &[Question]) -> anyhow::Result<()> {
    for mode in Mode::ALL {
        for half in [Half::Tuning, Half::Reported] {
            let (mut cases, mut promised) = (Vec::new(), 0.0);
            for question in questions.iter().filter(|question| question.half == half) {
                let answer = ask(engine, &question.text, mode).await?;
                let Some(best) = answer.passages.first() else {
                    continue;
                };
                let file = best.file().trim_start_matches("standards/");
                let is_right = question.files.iter().any(|right| right == file);
                cases.push((best.evidence.strength(), f64::from(is_right)));
                promised += best.relevance_score;
            }
            if cases.is_empty() {
                continue;
            }
            if half == Half::Tuning {
                let [constant, strength] = fitted(&cases);
                println!("  fit of {mode}: {constant:.2} + {strength:.2} strength");
            }
            let count = cases.len() as f64;
            let right = cases.iter().map(|case| case.1).sum::<f64>() / count;
            let promised = promised / count;
            println!("  {mode}, {half}: {right:.2} of the best are right, {promised:.2} promised");
        }
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
