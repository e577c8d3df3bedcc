//! Leaves a model's weights in its file, from which ONNX Runtime maps them into memory.
//!
//! ONNX Runtime maps only weights that stand beside the graph ("external data"); those inside it
//! are copied, for each session. So the graph that it is given names the places of the weights in
//! the very file that it was read from: one copy of it in memory serves all sessions and processes.

use std::ops::Range;

/// Smaller weights are copied: a mapping has whole pages.
const LEAST_BYTES: usize = 4_096;

/// Fields of ONNX's protocol buffers.
const GRAPH: u64 = 7;
const INITIALIZER: u64 = 5;
const ELEMENT: u64 = 2;
const RAW: u64 = 9;
const PLACE: u64 = 13;
const KEY: u64 = 1;
const VALUE: u64 = 2;
const LOCATION: u64 = 14;
/// The value of [`LOCATION`] for weights that stand elsewhere.
const ELSEWHERE: u64 = 1;

/// Elements of one byte, signed or not: they may begin at any byte of a page.
const BYTES: [u64; 2] = [2, 3];

/// Returns the graph of `model`, of which the large weights are said to be in `file`; nothing if
/// it cannot be read or has none.
pub(super) fn graph_alone(model: &[u8], file: &str) -> Option<Vec<u8>> {
    let weights = Weights { model, file };
    let whole = 0..model.len();
    let alone = weights.each_of(whole, GRAPH, &|graph| {
        weights.each_of(graph, INITIALIZER, &|tensor| weights.elsewhere(tensor))
    })?;
    (alone.len() < model.len()).then_some(alone)
}

struct Weights<'a> {
    model: &'a [u8],
    file: &'a str,
}

/// A field: its number, all of its bytes, and those of its value if that has a length.
struct Field {
    number: u64,
    whole: Range<usize>,
    value: Option<Range<usize>>,
}

impl Weights<'_> {
    /// Copies a message; each value of the field `number` becomes what `changed` makes of it.
    fn each_of(
        &self,
        message: Range<usize>,
        number: u64,
        changed: &dyn Fn(Range<usize>) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let mut copy = Vec::new();
        for field in self.fields(message)? {
            match field.value {
                Some(value) if field.number == number => {
                    append(&mut copy, number, &changed(value)?);
                }
                _ => copy.extend_from_slice(&self.model[field.whole]),
            }
        }
        Some(copy)
    }

    /// Copies a tensor; its bytes are replaced by their place in the file, if that saves any.
    fn elsewhere(&self, tensor: Range<usize>) -> Option<Vec<u8>> {
        let fields = self.fields(tensor.clone())?;
        let element = fields.iter().find(|field| field.number == ELEMENT);
        let element = element.and_then(|field| self.number_at(field.whole.start + 1));
        let is_bytes = element.is_some_and(|(element, _)| BYTES.contains(&element));
        let raw = fields.iter().find(|field| field.number == RAW);
        let raw = raw.and_then(|field| field.value.clone());
        let Some(raw) = raw.filter(|raw| is_bytes && raw.len() >= LEAST_BYTES) else {
            return Some(self.model[tensor].to_vec());
        };
        let mut copy = Vec::new();
        for field in fields.iter().filter(|field| field.number != RAW) {
            copy.extend_from_slice(&self.model[field.whole.clone()]);
        }
        let place = [
            ("location", self.file.to_owned()),
            ("offset", raw.start.to_string()),
            ("length", raw.len().to_string()),
        ];
        for (key, value) in place {
            let mut entry = Vec::new();
            append(&mut entry, KEY, key.as_bytes());
            append(&mut entry, VALUE, value.as_bytes());
            append(&mut copy, PLACE, &entry);
        }
        append_number(&mut copy, LOCATION << 3);
        append_number(&mut copy, ELSEWHERE);
        Some(copy)
    }

    /// Returns the fields of a message, or nothing if it is none.
    fn fields(&self, message: Range<usize>) -> Option<Vec<Field>> {
        let (mut at, mut fields) = (message.start, Vec::new());
        while at < message.end {
            let begin = at;
            let (tag, after) = self.number_at(at)?;
            let mut value = None;
            at = match tag & 7 {
                0 => self.number_at(after)?.1,
                1 => after + 8,
                5 => after + 4,
                2 => {
                    let (length, from) = self.number_at(after)?;
                    let to = from.checked_add(usize::try_from(length).ok()?)?;
                    value = Some(from..to);
                    to
                }
                _ => return None,
            };
            if at > message.end {
                return None;
            }
            fields.push(Field {
                number: tag >> 3,
                whole: begin..at,
                value,
            });
        }
        Some(fields)
    }

    /// Reads a number of seven bits a byte, and where it ends.
    fn number_at(&self, mut at: usize) -> Option<(u64, usize)> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.model.get(at)?;
            at += 1;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some((number, at));
            }
        }
        None
    }
}

fn append(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    append_number(message, number << 3 | 2);
    append_number(message, value.len() as u64);
    message.extend_from_slice(value);
}

fn append_number(message: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        message.push(number as u8 | 128);
        number >>= 7;
    }
    message.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u64, value: &[u8]) -> Vec<u8> {
        let mut field = Vec::new();
        append(&mut field, number, value);
        field
    }

    /// A model of one tensor between other fields.
    fn model(element: u8, bytes: &[u8]) -> Vec<u8> {
        let tensor = [vec![8, 3, 16, element], field(8, b"w"), field(RAW, bytes)].concat();
        let graph = [
            field(1, b"step"),
            field(INITIALIZER, &tensor),
            field(2, b"g"),
        ]
        .concat();
        [vec![8, 9], field(GRAPH, &graph), field(8, b"operators")].concat()
    }

    #[test]
    fn large_bytes_stay_in_the_file_and_all_else_is_as_it_was() {
        let bytes = vec![7; 5_000];
        let whole = model(3, &bytes);
        let begin = whole.windows(5_000).position(|part| part == bytes).unwrap();

        let alone = graph_alone(&whole, "model.onnx").unwrap();

        let entry = |key: &[u8], value: &str| {
            field(
                PLACE,
                &[field(KEY, key), field(VALUE, value.as_bytes())].concat(),
            )
        };
        let tensor = [
            vec![8, 3, 16, 3],
            field(8, b"w"),
            entry(b"location", "model.onnx"),
            entry(b"offset", &begin.to_string()),
            entry(b"length", "5000"),
            vec![112, 1],
        ];
        let tensor = field(INITIALIZER, &tensor.concat());
        let graph = [field(1, b"step"), tensor, field(2, b"g")].concat();
        let expected = [vec![8, 9], field(GRAPH, &graph), field(8, b"operators")];
        assert_eq!(alone, expected.concat());
    }

    #[test]
    fn what_is_small_or_wide_or_no_model_is_left_alone() {
        assert_eq!(graph_alone(&model(3, &[7; 4_000]), "f"), None);
        assert_eq!(graph_alone(&model(1, &[7; 8_000]), "f"), None);
        let whole = model(2, &[7; 5_000]);
        assert!(graph_alone(&whole, "f").is_some());
        for end in [1, 3, 30, 4_000, whole.len() - 1] {
            assert_eq!(graph_alone(&whole[..end], "f"), None, "{end}");
        }
        assert_eq!(graph_alone(&[0xff; 40], "f"), None);
    }
}
