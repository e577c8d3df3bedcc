//! The file of vectors: a header, then records of one length, each with a checksum.
//!
//! ```text
//! header: "lockstep" | version u32 | dimensions u32 | model id, 16 bytes | CRC-32 of these
//! record: key, 16 bytes | values, f32 each | CRC-32 of these        (all little-endian)
//! ```
//!
//! A record is there or not: one that a killed process has begun fails its checksum or its length.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, ErrorKind, Read, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Arc,
};

use super::{Key, ModelId};

const MAGIC: &[u8; 8] = b"lockstep";
const VERSION: u32 = 1;
const SUM: usize = 4;
const HEADER: usize = MAGIC.len() + 4 + 4 + ModelId::LEN + SUM;

/// The longest vector that a header may promise.
const MAX_DIMENSIONS: usize = 65_536;

/// Bytes read at once: some hundred records.
const BUFFER: usize = 512 * 1024;

/// What the records of a file are like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    model: ModelId,
    dimensions: usize,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// There is no file, or nothing in it yet.
    Nothing,
    /// It is not a file of this model's vectors, for this reason.
    Foreign(&'static str),
    /// Records, so many of them damaged. A last one that is cut off is as good as none.
    Records { damaged: usize },
}

impl Layout {
    pub(super) fn new(model: ModelId, dimensions: usize) -> Self {
        Self { model, dimensions }
    }

    /// Returns the length of a record in bytes.
    pub(super) fn record(&self) -> usize {
        Key::LEN + 4 * self.dimensions + SUM
    }

    pub(super) fn header(&self) -> Vec<u8> {
        let dimensions = u32::try_from(self.dimensions).unwrap_or(u32::MAX);
        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend(dimensions.to_le_bytes());
        header.extend(self.model.bytes());
        sealed(header)
    }

    /// Reads a header.
    fn parse(header: &[u8], model: ModelId) -> Result<Self, &'static str> {
        if !header.starts_with(MAGIC) {
            return Err("it does not begin like a file of vectors");
        }
        let Some(content) = unsealed(header) else {
            return Err("its header is damaged");
        };
        let number = |at: usize| {
            let bytes = content[at..at + 4].try_into().expect("four are four");
            u32::from_le_bytes(bytes)
        };
        let dimensions = number(MAGIC.len() + 4) as usize;
        if number(MAGIC.len()) != VERSION {
            return Err("it is of another version");
        }
        if content[MAGIC.len() + 8..] != *model.bytes() {
            return Err("it is of another model");
        }
        match dimensions {
            1..=MAX_DIMENSIONS => Ok(Self { model, dimensions }),
            _ => Err("its vectors have an impossible length"),
        }
    }
}

/// Reads the file at `path` and shows `each` the key and the values of every good record, in the
/// order in which they were written.
pub(super) fn scan(
    path: &Path,
    model: ModelId,
    mut each: impl FnMut(Key, &[u8]),
) -> io::Result<Found> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::with_capacity(BUFFER, file),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER];
    match read_whole(&mut file, &mut header)? {
        0 => return Ok(Found::Nothing),
        HEADER => {}
        _ => return Ok(Found::Foreign("its header is cut off")),
    }
    let layout = match Layout::parse(&header, model) {
        Ok(layout) => layout,
        Err(problem) => return Ok(Found::Foreign(problem)),
    };
    let (mut record, mut damaged) = (vec![0; layout.record()], 0);
    while read_whole(&mut file, &mut record)? == record.len() {
        match unsealed(&record) {
            Some(content) => each(Key::from_bytes(content), &content[Key::LEN..]),
            None => damaged += 1,
        }
    }
    Ok(Found::Records { damaged })
}

/// Adds records to the file at `path`, which is made if it is missing.
///
/// # Errors
///
/// `InvalidData` if the file is not what `layout` says; others if the file system refuses.
pub(super) fn append(path: &Path, layout: Layout, vectors: &[(Key, Arc<[f32]>)]) -> io::Result<()> {
    let open = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path);
    let mut file = open?;
    let mut bytes = Vec::with_capacity(HEADER + vectors.len() * layout.record());
    let len_bytes = file.metadata()?.len();
    let end = if len_bytes == 0 {
        bytes.extend(layout.header());
        0
    } else {
        let mut header = [0; HEADER];
        read_whole(&mut file, &mut header)?;
        match Layout::parse(&header, layout.model) {
            Ok(found) if found == layout => {}
            Ok(_) => return Err(invalid("its vectors have another length")),
            Err(problem) => return Err(invalid(problem)),
        }
        let (header, record) = (HEADER as u64, layout.record() as u64);
        // After the last whole record: a killed process may have left a part of one.
        header + (len_bytes - header) / record * record
    };
    for (key, vector) in vectors {
        if vector.len() != layout.dimensions {
            return Err(invalid("the vectors have different lengths"));
        }
        bytes.extend(record(*key, vector));
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&bytes)
}

/// Writes the good records that `keep` allows by their number to `aside`.
pub(super) fn copy(
    path: &Path,
    aside: &Path,
    model: ModelId,
    keep: impl Fn(usize) -> bool,
) -> io::Result<()> {
    let mut copy = BufWriter::new(File::create(aside)?);
    let (mut number, mut begun, mut written) = (0, false, Ok(()));
    scan(path, model, |key, values| {
        if written.is_ok() && keep(number) {
            let header = Layout::new(model, values.len() / 4).header();
            let mut bytes = if begun { Vec::new() } else { header };
            bytes.extend(sealed([key.bytes(), values].concat()));
            written = copy.write_all(&bytes);
            begun = true;
        }
        number += 1;
    })?;
    written?;
    copy.flush()
}

/// Returns the vector whose values a record holds.
pub(super) fn vector(values: &[u8]) -> Arc<[f32]> {
    let (values, _) = values.as_chunks::<4>();
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

fn record(key: Key, vector: &[f32]) -> Vec<u8> {
    let mut record = key.bytes().to_vec();
    record.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
    sealed(record)
}

/// Returns `content` with its checksum behind it.
pub(super) fn sealed(mut content: Vec<u8>) -> Vec<u8> {
    content.extend(crc32fast::hash(&content).to_le_bytes());
    content
}

/// Returns what stands before the checksum, if that is right.
pub(super) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (content, sum) = bytes.split_last_chunk::<SUM>()?;
    (crc32fast::hash(content).to_le_bytes() == *sum).then_some(content)
}

/// Reads until `buffer` is full or the file ends, and returns how much there was.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}
