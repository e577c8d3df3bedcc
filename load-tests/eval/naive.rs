//! The yardstick: what a page of code reaches with the same model. Passages of 190 words under
//! their headings, vectors and plain BM25, fused by reciprocal ranks with k = 60.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    thread,
};

use anyhow::Context as _;
use lockstep::search::Embedder;

const WORDS: usize = 190;
const K: f32 = 60.0;
const CANDIDATES: usize = 200;

/// The k1 and b of BM25, as everybody has them.
const SATURATION: f32 = 1.2;
const LENGTH: f32 = 0.75;

pub(crate) struct Naive {
    model: Box<dyn Embedder>,
    /// By passage: its file below `standards/`.
    files: Vec<String>,
    vectors: Vec<Vec<f32>>,
    lengths: Vec<f32>,
    /// By word: the passages that have it, and how often.
    having: HashMap<String, BTreeMap<usize, f32>>,
}

impl Naive {
    pub(crate) fn of(content: &Path, mut models: Vec<Box<dyn Embedder>>) -> anyhow::Result<Self> {
        let (mut files, mut texts) = (Vec::new(), Vec::new());
        read(&content.join("standards"), "", &mut files, &mut texts)?;
        let share = texts.len().div_ceil(models.len()).max(1);
        let shares = texts.chunks(share).zip(&mut models);
        let vectors = thread::scope(|scope| {
            let embed = |(texts, model): (&[String], &mut Box<dyn Embedder>)| {
                texts.iter().map(|text| Ok(model.embed(text)?)).collect()
            };
            let running: Vec<_> = shares
                .map(|work| scope.spawn(move || embed(work)))
                .collect();
            let ended = running.into_iter().map(|thread| thread.join());
            let ended = ended.map(|vectors| vectors.expect("no model panics"));
            ended.collect::<anyhow::Result<Vec<Vec<Vec<f32>>>>>()
        })?;
        let mut having: HashMap<String, BTreeMap<usize, f32>> = HashMap::new();
        for (passage, text) in texts.iter().enumerate() {
            for word in words(text) {
                *having.entry(word).or_default().entry(passage).or_default() += 1.0;
            }
        }
        Ok(Self {
            model: models.pop().context("there is no model")?,
            files,
            vectors: vectors.into_iter().flatten().collect(),
            lengths: texts
                .iter()
                .map(|text| words(text).count() as f32)
                .collect(),
            having,
        })
    }

    pub(crate) fn passages(&self) -> usize {
        self.files.len()
    }

    /// Returns the files of the best ten passages.
    pub(crate) fn files(&mut self, question: &str) -> anyhow::Result<Vec<String>> {
        let vector = self.model.embed(question)?;
        let product = |other: &Vec<f32>| vector.iter().zip(other).map(|(a, b)| a * b).sum();
        let by_vectors: Vec<f32> = self.vectors.iter().map(product).collect();
        let mut fused = vec![0.0; self.files.len()];
        for scores in [by_vectors, self.bm25(question)] {
            for (rank, passage) in (1_u16..).zip(ranked(&scores).take(CANDIDATES)) {
                fused[passage] += 1.0 / (K + f32::from(rank));
            }
        }
        let best = ranked(&fused).take(10);
        Ok(best.map(|passage| self.files[passage].clone()).collect())
    }

    fn bm25(&self, question: &str) -> Vec<f32> {
        let all = self.files.len() as f32;
        let mean = self.lengths.iter().sum::<f32>() / all;
        let mut scores = vec![0.0; self.files.len()];
        for having in words(question).filter_map(|word| self.having.get(&word)) {
            let count = having.len() as f32;
            let rarity = (1.0 + (all - count + 0.5) / (count + 0.5)).ln();
            for (passage, often) in having {
                let length = 1.0 - LENGTH + LENGTH * self.lengths[*passage] / mean;
                scores[*passage] +=
                    rarity * often * (SATURATION + 1.0) / (often + SATURATION * length);
            }
        }
        scores
    }
}

/// Returns the positions of scores above 0, the highest first.
fn ranked(scores: &[f32]) -> impl Iterator<Item = usize> {
    let mut positions: Vec<_> = (0..scores.len()).filter(|at| scores[*at] > 0.0).collect();
    positions.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    positions.into_iter()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

fn read(
    dir: &Path,
    below: &str,
    files: &mut Vec<String>,
    texts: &mut Vec<String>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{below}{name}");
        if path.is_dir() {
            read(&path, &format!("{name}/"), files, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            let before = texts.len();
            cut(&fs::read_to_string(&path)?, texts);
            files.extend(std::iter::repeat_n(name, texts.len() - before));
        }
    }
    Ok(())
}

fn cut(text: &str, texts: &mut Vec<String>) {
    let (mut heading, mut words, mut is_code) = ("", Vec::new(), false);
    let mut end = |heading: &str, words: &mut Vec<&str>| {
        let some = words.chunks(WORDS);
        texts.extend(some.map(|words| format!("{heading}\n{}", words.join(" "))));
        words.clear();
    };
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        if line.starts_with('#') && !is_code {
            end(heading, &mut words);
            heading = line.trim_matches(['#', ' ']);
        } else {
            words.extend(line.split_whitespace());
        }
    }
    end(heading, &mut words);
}
