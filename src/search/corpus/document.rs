//! A file of the standards and its headings.

use std::{collections::HashSet, ops::Range, sync::Arc};

use pulldown_cmark::HeadingLevel;

use super::{STANDARDS, markdown::Section};

/// A file as it was read.
#[derive(Debug, PartialEq)]
pub(in crate::search) struct Document {
    /// Relative to the content directory.
    pub(in crate::search) file: Arc<str>,
    pub(in crate::search) text: String,
    /// Of the text.
    pub(in crate::search) digest: [u8; 32],
    headings: Vec<Heading>,
}

/// A heading, and what it is called in addresses.
#[derive(Debug, PartialEq)]
struct Heading {
    level: HeadingLevel,
    anchor: String,
    /// Where it begins, in bytes.
    start: usize,
}

impl Document {
    pub(super) fn new(
        file: Arc<str>,
        text: String,
        digest: [u8; 32],
        sections: &[Section],
    ) -> Self {
        let mut taken = HashSet::new();
        let heading = |section: &Section| {
            let (level, title) = (section.level?, section.path.last()?);
            Some(Heading {
                level,
                anchor: distinct(&anchor(title), &mut taken),
                start: section.blocks.first()?.range.start,
            })
        };
        Self {
            headings: sections.iter().filter_map(heading).collect(),
            file,
            text,
            digest,
        }
    }

    /// Returns the path below `standards/`.
    pub(in crate::search) fn path(&self) -> &str {
        let path = self.file.strip_prefix(STANDARDS).unwrap_or(&self.file);
        path.trim_start_matches('/')
    }

    /// Returns the anchor of the section that holds the byte `at`, if it has a heading.
    pub(in crate::search) fn anchor(&self, at: usize) -> Option<&str> {
        let mut above = self.headings.iter().rev();
        let heading = above.find(|heading| heading.start <= at)?;
        Some(&heading.anchor)
    }

    /// Returns the anchor of the smallest section that holds the bytes of `range`, if one does.
    pub(in crate::search) fn anchor_around(&self, range: &Range<usize>) -> Option<&str> {
        let above = self
            .headings
            .partition_point(|heading| heading.start <= range.start);
        let mut above = (0..above).rev();
        let around = above.find(|number| self.section_of(*number).end >= range.end)?;
        Some(&self.headings[around].anchor)
    }

    /// Returns the bytes of the section of `anchor`: up to the next heading that is not below it.
    pub(in crate::search) fn section(&self, anchor: &str) -> Option<Range<usize>> {
        let mut headings = self.headings.iter();
        let number = headings.position(|heading| heading.anchor == anchor)?;
        Some(self.section_of(number))
    }

    fn section_of(&self, number: usize) -> Range<usize> {
        let heading = &self.headings[number];
        let mut after = self.headings[number + 1..].iter();
        let next = after.find(|next| next.level <= heading.level);
        heading.start..next.map_or(self.text.len(), |next| next.start)
    }
}

/// Returns the anchor of a title, as GitHub makes it: letters, digits, `-` and `_` in lower case.
fn anchor(title: &str) -> String {
    let letter = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter),
        _ => None,
    };
    title.to_lowercase().chars().filter_map(letter).collect()
}

fn distinct(anchor: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (1..).map(|number| format!("{anchor}-{number}"));
    let mut names = std::iter::once(anchor.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name));
    let free = free.expect("the names are endless");
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::{super::markdown, *};

    fn document(text: &str) -> Document {
        let sections = markdown::sections(text, 0);
        let file = "standards/a/b.md".into();
        Document::new(file, text.to_owned(), [0; 32], &sections)
    }

    #[test]
    fn a_section_reaches_to_the_next_heading_of_its_level_or_above() {
        let text = "intro\n\n# A\n\n1\n\n## B c! `d`\n\n2\n\n### E\n\n3\n\n## B c d\n\n4\n\n# F\n";
        let document = document(text);
        let cases = [
            (
                "a",
                Some("# A\n\n1\n\n## B c! `d`\n\n2\n\n### E\n\n3\n\n## B c d\n\n4\n\n"),
            ),
            ("b-c-d", Some("## B c! `d`\n\n2\n\n### E\n\n3\n\n")),
            ("b-c-d-1", Some("## B c d\n\n4\n\n")),
            ("e", Some("### E\n\n3\n\n")),
            ("f", Some("# F\n")),
            ("g", None),
        ];
        for (anchor, expected) in cases {
            let section = document.section(anchor).map(|range| &text[range]);
            assert_eq!(section, expected, "{anchor}");
        }
        assert_eq!(document.anchor(0), None);
        assert_eq!(document.anchor(text.find('3').unwrap()), Some("e"));
        assert_eq!(document.path(), "a/b.md");
    }

    #[test]
    fn what_spans_several_sections_is_in_the_one_above_them_or_in_none() {
        let text = "intro\n\n# A\n\n## B\n\n1\n\n## C\n\n2\n\n# D\n\n3\n";
        let document = document(text);
        let cases = [
            ("1", "1", Some("b")),
            ("## B", "1", Some("b")),
            ("1", "2", Some("a")),
            ("# A", "2", Some("a")),
            ("2", "3", None),
            ("intro", "intro", None),
            ("intro", "1", None),
        ];
        for (first, last, expected) in cases {
            let at = |part: &str| text.find(part).unwrap();
            let around = document.anchor_around(&(at(first)..at(last) + last.len()));
            assert_eq!(around, expected, "from {first} to {last}");
        }
    }
}
