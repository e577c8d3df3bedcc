//! A sentence model of two kilobytes, for tests that start many processes: it loads in the time
//! that the real one takes to be read.

use std::fs;

use tempfile::TempDir;

const WORDS: u64 = 64;
const DIMENSIONS: u64 = 8;

const RECIPE: &str = "{pooling: mean, max_tokens: 64}";

/// Makes a directory that `search.model` can name.
pub fn tiny_model() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    // Words that it does not know are one and the same to it.
    let vocabulary: String = (2..WORDS)
        .map(|word| format!(r#", "{word}": {word}"#))
        .collect();
    let tokenizer = format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": null, "pre_tokenizer": {{"type": "Whitespace"}}, "post_processor": null,
            "decoder": null, "model": {{"type": "WordLevel", "unk_token": "[UNK]",
            "vocab": {{"[PAD]": 0, "[UNK]": 1{vocabulary}}}}}}}"#
    );
    let files = [
        ("model.onnx", onnx()),
        ("tokenizer.json", tokenizer.into_bytes()),
        ("lockstep-model.yaml", RECIPE.into()),
    ];
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// A graph of one step: it looks the words' vectors up in a table. The numbers of the fields are
/// those of ONNX's protocol buffers.
fn onnx() -> Vec<u8> {
    let numbers = (0..WORDS * DIMENSIONS).map(|at| (at * 37 % 101 + 1) as f32);
    let numbers: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
    let table = [
        number(1, WORDS),
        number(1, DIMENSIONS),
        number(2, FLOAT),
        bytes(8, b"table"),
        bytes(9, &numbers),
    ];
    let step = [
        bytes(1, b"table"),
        bytes(1, b"input_ids"),
        bytes(2, b"last_hidden_state"),
        bytes(4, b"Gather"),
    ];
    let inputs = ["input_ids", "attention_mask", "token_type_ids"];
    let inputs = inputs.map(|name| bytes(11, &value(name, INT64, &[open("tokens")])));
    let width = number(1, DIMENSIONS);
    let output = value("last_hidden_state", FLOAT, &[open("tokens"), width]);
    let graph = [
        bytes(1, &step.concat()),
        bytes(2, b"tiny"),
        bytes(5, &table.concat()),
        inputs.concat(),
        bytes(12, &output),
    ];
    let operators = [bytes(1, b""), number(2, 13)];
    let model = [
        number(1, 8),
        bytes(8, &operators.concat()),
        bytes(7, &graph.concat()),
    ];
    model.concat()
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// A tensor of texts in a batch.
fn value(name: &str, element: u64, dimensions: &[Vec<u8>]) -> Vec<u8> {
    let batch = [open("batch")];
    let dimensions = batch.iter().chain(dimensions);
    let shape: Vec<u8> = dimensions
        .flat_map(|dimension| bytes(1, dimension))
        .collect();
    let tensor = [number(1, element), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A dimension that is known when the model runs.
fn open(name: &str) -> Vec<u8> {
    bytes(2, name.as_bytes())
}

fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    [
        &*varint(field << 3 | 2),
        &*varint(bytes.len() as u64),
        bytes,
    ]
    .concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while number > 127 {
        encoded.push(number as u8 | 128);
        number >>= 7;
    }
    encoded.push(number as u8);
    encoded
}
