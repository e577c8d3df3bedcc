//! ONNX graphs for tests, written as protocol buffers: the numbers of the fields are ONNX's.

pub const FLOAT: u64 = 1;
pub const INT64: u64 = 7;

/// A graph as a file has it, in operators of ONNX's version `operators`.
pub fn model(operators: u64, graph: &[Vec<u8>]) -> Vec<u8> {
    let operators = [bytes(1, b""), number(2, operators)];
    let model = [
        number(1, 8),
        bytes(8, &operators.concat()),
        bytes(7, &graph.concat()),
    ];
    model.concat()
}

/// The inputs of a model of the BERT kind, as parts of a graph.
pub fn inputs() -> Vec<u8> {
    let inputs = ["input_ids", "attention_mask", "token_type_ids"];
    let inputs = inputs.map(|name| bytes(11, &value(name, INT64, &[open("tokens")])));
    inputs.concat()
}

/// A table of numbers, as a part of a graph.
pub fn table(name: &str, rows: u64, columns: u64, numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
    let table = [
        number(1, rows),
        number(1, columns),
        number(2, FLOAT),
        bytes(8, name.as_bytes()),
        bytes(9, &numbers),
    ];
    bytes(5, &table.concat())
}

/// A step, as a part of a graph.
pub fn step(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let inputs = inputs.iter().map(|input| bytes(1, input.as_bytes()));
    let inputs: Vec<_> = inputs.collect();
    let attributes: Vec<_> = attributes.iter().map(|it| bytes(5, it)).collect();
    let step = [
        inputs.concat(),
        bytes(2, output.as_bytes()),
        bytes(4, operator.as_bytes()),
        attributes.concat(),
    ];
    bytes(1, &step.concat())
}

/// A number that a step is set with.
pub fn set(name: &str, to: u64) -> Vec<u8> {
    [bytes(1, name.as_bytes()), number(3, to), number(20, 2)].concat()
}

/// A list of one number that a step is set with.
pub fn set_list(name: &str, to: u64) -> Vec<u8> {
    [bytes(1, name.as_bytes()), number(8, to), number(20, 7)].concat()
}

/// A tensor of texts in a batch.
pub fn value(name: &str, element: u64, dimensions: &[Vec<u8>]) -> Vec<u8> {
    let batch = [open("batch")];
    let dimensions = batch.iter().chain(dimensions);
    let shape: Vec<u8> = dimensions
        .flat_map(|dimension| bytes(1, dimension))
        .collect();
    let tensor = [number(1, element), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A dimension that is known when the model runs.
pub fn open(name: &str) -> Vec<u8> {
    bytes(2, name.as_bytes())
}

pub fn number(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

pub fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
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
