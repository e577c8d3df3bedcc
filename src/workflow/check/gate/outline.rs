//! Where things are in a YAML file.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A step of the way to a place in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// The keys of a file and their lines, without the values.
#[derive(Debug, Default)]
pub(super) enum Outline {
    #[default]
    Leaf,
    Map(Vec<(String, u64, Self)>),
    List(Vec<(u64, Self)>),
}

impl Outline {
    /// Reads a file that was parsed before; one that cannot be read has no lines.
    pub(super) fn of(yaml: &str) -> Self {
        serde_saphyr::from_str(yaml).unwrap_or_default()
    }

    /// Returns the line of the place that `at` leads to, or of the last step on the way that is
    /// there; 0 if none is.
    pub(super) fn line(&self, at: &[Step<'_>]) -> u64 {
        let (mut line, mut here) = (0, self);
        for step in at {
            match here.step(*step) {
                Some((next, inner)) => (line, here) = (next, inner),
                None => break,
            }
        }
        line
    }

    /// Returns the keys of the mapping that `at` leads to, with their lines.
    pub(super) fn keys(&self, at: &[Step<'_>]) -> Vec<(&str, u64)> {
        let found = at.iter().try_fold(self, |here, step| {
            let (_, inner) = here.step(*step)?;
            Some(inner)
        });
        match found {
            Some(Self::Map(entries)) => entries
                .iter()
                .map(|(key, line, _)| (key.as_str(), *line))
                .collect(),
            Some(Self::Leaf | Self::List(_)) | None => Vec::new(),
        }
    }

    fn step(&self, step: Step<'_>) -> Option<(u64, &Self)> {
        match (self, step) {
            (Self::Map(entries), Step::Key(wanted)) => entries
                .iter()
                .find(|(key, ..)| key == wanted)
                .map(|(_, line, inner)| (*line, inner)),
            (Self::List(items), Step::Item(nth)) => {
                items.get(nth).map(|(line, inner)| (*line, inner))
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, inner)) = map.next_entry::<Spanned<String>, Outline>()? {
            entries.push((key.value, key.referenced.line(), inner));
        }
        Ok(Outline::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Outline, A::Error> {
        let mut outlines = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Outline>>()? {
            outlines.push((item.referenced.line(), item.value));
        }
        Ok(Outline::List(outlines))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Outline, E> {
        Ok(Outline::Leaf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_an_item_are_found_at_their_lines() {
        let yaml = "# head\na:\n  b: 1\n  c: [x, {d: 2.5}]\ne:\n  - f: y\n    g:\n  - 'z'\n";
        let outline = Outline::of(yaml);
        let (key, item) = (Step::Key, Step::Item);
        let cases: [(&[Step<'_>], u64); 9] = [
            (&[key("a")], 2),
            (&[key("a"), key("b")], 3),
            (&[key("a"), key("c"), item(1), key("d")], 4),
            (&[key("e"), item(0), key("g")], 7),
            (&[key("e"), item(0), key("missing")], 6),
            (&[key("e"), item(1)], 8),
            (&[key("e"), item(9)], 5),
            (&[key("missing"), key("b")], 0),
            (&[], 0),
        ];
        for (at, line) in cases {
            assert_eq!(outline.line(at), line, "{at:?}");
        }
        assert_eq!(outline.keys(&[key("a")]), [("b", 3), ("c", 4)]);
        assert_eq!(Outline::of("[").line(&[key("a")]), 0);
    }
}
