//! Models of a few kilobytes that ONNX Runtime loads in no time: real graphs, made here.

use std::fs;

use tempfile::TempDir;

use super::onnx::{FLOAT, bytes, inputs, model, number, open, set, set_list, step, table, value};

/// Words that the models know: 2, 3, and so on. All others are one and the same to them.
const WORDS: u64 = 64;
const DIMENSIONS: u64 = 8;

const RECIPE: &str = "{pooling: mean, max_tokens: 64}";

/// Puts the question first and the passage second.
const PAIRS: &str = r#"{"type": "TemplateProcessing", "special_tokens": {},
    "single": [{"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]}"#;

/// Makes a directory with a sentence model that `search.model` can name.
pub fn tiny_model() -> TempDir {
    directory(&[
        ("model.onnx", sentences()),
        ("tokenizer.json", tokenizer("null")),
        ("lockstep-model.yaml", RECIPE.into()),
    ])
}

/// Makes a directory with a cross encoder that `search.rerank.model` can name. It scores a passage
/// by the words that it knows and that stand in the question too, each as often as in both.
pub fn tiny_cross_encoder() -> TempDir {
    directory(&[
        ("model.onnx", cross_encoder()),
        ("tokenizer.json", tokenizer(PAIRS)),
    ])
}

fn directory(files: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn tokenizer(post_processor: &str) -> Vec<u8> {
    let vocabulary: String = (2..WORDS)
        .map(|word| format!(r#", "{word}": {word}"#))
        .collect();
    let tokenizer = format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": null, "pre_tokenizer": {{"type": "Whitespace"}},
            "post_processor": {post_processor}, "decoder": null, "model": {{"type": "WordLevel",
            "unk_token": "[UNK]", "vocab": {{"[PAD]": 0, "[UNK]": 1{vocabulary}}}}}}}"#
    );
    tokenizer.into_bytes()
}

/// A graph of one step: it looks the words' vectors up in a table.
fn sentences() -> Vec<u8> {
    let numbers = (0..WORDS * DIMENSIONS).map(|at| (at * 37 % 101 + 1) as f32);
    let dimensions = [open("tokens"), number(1, DIMENSIONS)];
    let output = value("last_hidden_state", FLOAT, &dimensions);
    let graph = [
        step("Gather", &["table", "input_ids"], "last_hidden_state", &[]),
        bytes(2, b"tiny"),
        table("table", WORDS, DIMENSIONS, numbers),
        inputs(),
        bytes(12, &output),
    ];
    model(13, &graph)
}

/// Counts the words of both texts, and those of the passage; multiplies what is left for the
/// question with the passage's, and adds up.
fn cross_encoder() -> Vec<u8> {
    let is_word = |at: u64| at / WORDS == at % WORDS && at / WORDS >= 2;
    let words = (0..WORDS * WORDS).map(|at| f32::from(u8::from(is_word(at))));
    let over = |axis, keep| [set_list("axes", axis), set("keepdims", keep)];
    let graph = [
        step("Gather", &["table", "input_ids"], "words", &[]),
        step("Cast", &["token_type_ids"], "types", &[set("to", FLOAT)]),
        step("Unsqueeze", &["types"], "row", &[set_list("axes", 1)]),
        step("MatMul", &["row", "words"], "passage", &[]),
        step("ReduceSum", &["words"], "both", &over(1, 1)),
        step("Sub", &["both", "passage"], "question", &[]),
        step("Mul", &["question", "passage"], "shared", &[]),
        step("ReduceSum", &["shared"], "logits", &over(2, 0)),
        bytes(2, b"tiny"),
        table("table", WORDS, WORDS, words),
        inputs(),
        bytes(12, &value("logits", FLOAT, &[number(1, 1)])),
    ];
    model(11, &graph)
}
