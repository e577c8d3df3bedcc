//! Passages, and what of them is searched.

use std::{ops::Range, sync::Arc};

use super::{
    Document, Fault, Tokens, cut, front_matter, labels,
    lines::LineCounter,
    markdown,
    triples::{Triples, are_alike},
};

/// A passage of a file, or if the model does not read all of it at once, a window on it.
///
/// What is searched is the window; what is answered is the passage.
#[derive(Debug, PartialEq)]
pub(in crate::search) struct Chunk {
    pub(in crate::search) document: Arc<Document>,
    /// Relative to the content directory.
    pub(in crate::search) file: Arc<str>,
    /// The headings above it and its own, joined by ` > `; the file's title if there are none.
    pub(in crate::search) section: String,
    /// Where in `section` the headings begin that the model is told: it is told few of many.
    context: usize,
    /// The bytes of the passage.
    pub(in crate::search) passage: Range<usize>,
    /// The bytes of the window.
    window: Range<usize>,
    /// First and last line of the passage, counted from 1.
    pub(in crate::search) lines: (usize, usize),
    /// Which passage of its section it is, counted from 1.
    pub(in crate::search) part: usize,
    pub(in crate::search) tags: Arc<[String]>,
    pub(in crate::search) phase: Option<u32>,
    triples: Triples,
}

impl Chunk {
    /// Returns the text of the window.
    pub(in crate::search) fn text(&self) -> &str {
        &self.document.text[self.window.clone()]
    }

    /// Tells whether its passage and that of `other` share at least `part` of their word triples.
    pub(in crate::search) fn is_like(&self, other: &Self, part: f64) -> bool {
        are_alike(self.triples(), other.triples(), part)
    }

    fn triples(&self) -> &[u32] {
        self.triples.of(&self.document.text[self.passage.clone()])
    }

    /// Returns what the model reads: the headings tell it what the text is about.
    pub(in crate::search) fn embedded(&self) -> String {
        format!("{}\n{}", &self.section[self.context..], self.text())
    }
}

/// Cuts the file into passages, and those into windows.
pub(super) fn chunks(
    file: &str,
    text: String,
    digest: [u8; 32],
    tokens: &dyn Tokens,
) -> Result<Vec<Chunk>, Fault> {
    let (front_matter, body) = front_matter::split(file, &text)?;
    let sections = markdown::sections(&text, body);
    let pieces = cut::pieces(&text, &sections, tokens);
    let document = Arc::new(Document::new(file.into(), text, digest, &sections));
    let tags = front_matter.tags();
    let mut line = LineCounter::default();
    let (mut chunks, mut last, mut part): (_, Option<&str>, _) = (Vec::new(), None, 0);
    for piece in pieces {
        let text = &document.text;
        let passage = piece.range.start..piece.range.start + piece.text(text).len();
        let section = match (piece.section(), &front_matter.title) {
            (section, Some(title)) if section.is_empty() => title.clone(),
            (section, _) => section,
        };
        let words = format!("{section}\n{}", piece.text(text));
        let first = line.at(text, passage.start);
        let anchor = document.anchor(passage.start);
        part = if anchor == last { part + 1 } else { 1 };
        last = anchor;
        let (context, windows) = cut::windows(text, &passage, &section, tokens);
        let (tags, phase) = (
            labels::tags(&tags, &words, piece.has_code).into(),
            front_matter.phase.or_else(|| labels::phase(&words)),
        );
        let lines = (first, first + text[passage.clone()].matches('\n').count());
        chunks.extend(windows.into_iter().map(|window| Chunk {
            document: Arc::clone(&document),
            file: Arc::clone(&document.file),
            section: section.clone(),
            context,
            passage: passage.clone(),
            window,
            lines,
            part,
            tags: Arc::clone(&tags),
            phase,
            triples: Triples::default(),
        }));
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use super::{super::Estimate, *};

    fn cut_up(text: &str) -> Vec<Chunk> {
        chunks("standards/a.md", text.to_owned(), [0; 32], &Estimate).unwrap()
    }

    fn words(count: usize) -> String {
        "word ".repeat(count).trim_end().to_owned() + "\n"
    }

    fn passages(chunks: &[Chunk]) -> Vec<&str> {
        let mut passages: Vec<_> = chunks.iter().map(|chunk| chunk.passage.clone()).collect();
        passages.dedup();
        let text = |passage| &chunks[0].document.text[passage];
        passages.into_iter().map(text).collect()
    }

    #[test]
    fn a_section_is_a_passage_that_knows_its_headings_and_lines() {
        let body = words(150);
        let text = format!("# A\n\n{body}\n## B\n\n{body}\n## C\n\n{body}");

        let chunks = cut_up(&text);

        let found: Vec<_> = chunks
            .iter()
            .map(|chunk| (&*chunk.section, chunk.lines, chunk.part))
            .collect();
        assert_eq!(
            found,
            [
                ("A", (1, 3), 1),
                ("A > B", (5, 7), 1),
                ("A > C", (9, 11), 1)
            ]
        );
        for chunk in &chunks {
            let (first, last) = chunk.lines;
            let lines = text.lines().skip(first - 1).take(last + 1 - first);
            let lines: Vec<_> = lines.collect();
            assert_eq!(lines.join("\n"), chunk.text());
        }
    }

    #[test]
    fn small_sections_are_merged_with_neighbours_of_the_same_parent_only() {
        let body = words(150);
        let text = format!("# T\n\n{body}\n## A\n\none\n\n## B\n\ntwo\n\n# U\n\n{body}");

        let chunks = cut_up(&text);

        let found: Vec<_> = chunks.iter().map(|chunk| &*chunk.section).collect();
        assert_eq!(found, ["T; A; B", "U"]);
    }

    #[test]
    fn a_large_section_is_cut_between_its_blocks_into_numbered_parts() {
        let paragraphs: Vec<_> = (0..10).map(|_| words(120)).collect();
        let text = format!("# A\n\n{}", paragraphs.join("\n"));

        let chunks = cut_up(&text);

        let parts: Vec<_> = chunks.iter().map(|chunk| chunk.part).collect();
        assert_eq!(parts, (1..=10).collect::<Vec<_>>());
        assert!(chunks.iter().all(|chunk| chunk.section == "A"));
        assert_eq!(passages(&chunks).join("\n\n"), text.trim_end());
    }

    #[test]
    fn blocks_are_kept_whole_up_to_the_bound_and_then_cut_at_their_lines() {
        let code = |lines: usize| format!("```\n{}```\n", "let a = call(b);\n".repeat(lines));
        let list = |items: usize| "- an item of a list\n".repeat(items);
        let cases = [
            (code(60), 1, "a code block within bounds"),
            (code(600), 7, "a code block beyond"),
            (list(60), 1, "a list within bounds"),
            (list(400), 12, "a list beyond"),
            (words(3_000), 16, "one line of words"),
            ("x".repeat(8_000), 16, "one word"),
        ];
        for (text, count, case) in cases {
            let chunks = cut_up(&text);
            let passages = passages(&chunks);
            assert_eq!(passages.len(), count, "{case}");
            let sizes = passages.iter().map(|passage| Estimate.count(passage));
            assert!(
                sizes.clone().all(|size| size <= 500),
                "{case}: {:?}",
                sizes.collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn the_model_reads_every_word_in_windows_that_overlap() {
        let lines: String = (0..120)
            .map(|number| format!("line{number} let a = b;\n"))
            .collect();
        let text = format!("# {}\n\n```\n{lines}```\n", "long title ".repeat(20));

        let chunks = cut_up(&text);

        assert_eq!(
            passages(&chunks).len(),
            2,
            "the code block is above the bound"
        );
        assert!(chunks.len() > 3);
        for chunk in &chunks {
            assert!(
                Estimate.count(&chunk.embedded()) <= Estimate.window(),
                "{chunk:?}"
            );
        }
        for number in 0..120 {
            let line = format!("line{number} ");
            assert!(
                chunks.iter().any(|chunk| chunk.text().contains(&line)),
                "{line}"
            );
        }
        for pair in chunks
            .windows(2)
            .filter(|pair| pair[0].passage == pair[1].passage)
        {
            assert!(pair[1].window.start < pair[0].window.end, "{pair:?}");
        }
    }

    #[test]
    fn no_text_however_broken_is_lost_or_panicked_on() {
        let text = "---\nt\n\n# Ä\r\n\r\n- ü\n  ```\n  ö\n> ß\n\n| a | b |\n|--|--|\n| é | ` |\n\n<div>\n#\n\n[^1]: x";
        let starts = text.char_indices().map(|(at, _)| at);
        for (start, end) in starts
            .clone()
            .flat_map(|start| starts.clone().map(move |end| (start, end)))
        {
            if start < end
                && let Ok(chunks) = chunks("a.md", text[start..end].to_owned(), [0; 32], &Estimate)
            {
                assert!(chunks.iter().all(|chunk| text.contains(chunk.text())));
            }
        }
    }
}
