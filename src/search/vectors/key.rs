//! What texts and models are known by.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What a text is known by: the first 16 bytes of its SHA-256.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::search) struct Key([u8; Self::LEN]);

impl Key {
    /// Its length in bytes.
    pub(super) const LEN: usize = 16;

    /// Returns the key of `text`.
    pub(in crate::search) fn of(text: &str) -> Self {
        Self::from_bytes(&Sha256::digest(text))
    }

    /// Reads a key from its first bytes.
    ///
    /// # Panics
    ///
    /// If there are fewer than 16.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut key = [0; Self::LEN];
        key.copy_from_slice(&bytes[..Self::LEN]);
        Self(key)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns what a graph of vectors knows it by: among a million texts, two have one label with
    /// a probability of one in ten million.
    pub(in crate::search) fn label(&self) -> u64 {
        let (first, _) = self.0.split_first_chunk().expect("there are 16");
        // usearch's own mark is the highest number.
        u64::from_le_bytes(*first) >> 1
    }
}

/// What a model is known by: a hash of all that its vectors depend on. Models with one id give one
/// text one vector.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ModelId([u8; Self::LEN]);

impl ModelId {
    /// Its length in bytes.
    pub(super) const LEN: usize = 16;

    /// Returns the id of a model that is made of `parts`, such as files and settings.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut id = [0; Self::LEN];
        id.copy_from_slice(&hash.finalize()[..Self::LEN]);
        Self(id)
    }

    pub(super) fn bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_differ_if_anything_of_them_differs() {
        let id = |parts: &[&str]| ModelId::of(parts.iter().map(|part| part.as_bytes()));

        assert_eq!(id(&["model", "mean"]), id(&["model", "mean"]));
        for other in [
            &["model", "cls"][..],
            &["modelmean"],
            &["modelm", "ean"],
            &[],
        ] {
            assert_ne!(id(&["model", "mean"]), id(other), "{other:?}");
        }
    }
}
