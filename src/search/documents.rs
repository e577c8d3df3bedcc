//! Which file each passage of a snapshot is of.

use std::sync::Arc;

use super::corpus::Chunk;

/// The files of passages that stand in the order of their files.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// By position: the number of its file.
    of: Vec<u32>,
    /// By file: the position where it begins.
    openings: Vec<u32>,
}

impl Documents {
    pub(super) fn of(chunks: &[Arc<Chunk>]) -> Self {
        let mut documents = Self::default();
        for of_file in chunks.chunk_by(|one, next| one.file == next.file) {
            let (number, opening) = (documents.openings.len(), documents.of.len());
            documents.openings.push(short(opening));
            documents
                .of
                .extend(std::iter::repeat_n(short(number), of_file.len()));
        }
        documents
    }

    /// Returns the number of the file that the passage at `position` is of.
    pub(super) fn at(&self, position: usize) -> usize {
        self.of[position] as usize
    }

    /// Returns the position of the first passage of each file.
    pub(super) fn openings(&self) -> impl Iterator<Item = usize> {
        self.openings.iter().map(|opening| *opening as usize)
    }

    /// Returns the position where the file `number` begins.
    pub(super) fn opening(&self, number: usize) -> usize {
        self.openings[number] as usize
    }
}

fn short(number: usize) -> u32 {
    u32::try_from(number).expect("the bytes that are read make fewer passages")
}
