//! Passages: sections cut to a size that the model reads whole.

use std::{ops::Range, sync::Arc};

use super::{
    Fault, front_matter, labels,
    markdown::{self, Block, Section},
};

/// A passage below this is merged with a neighbour of the same parent.
const MIN_TOKENS: usize = 100;

/// A passage is not filled beyond this by choice. 200 estimated tokens of Markdown are about 256
/// of the model's, which is all that it reads.
const FULL_TOKENS: usize = 200;

/// A block beyond this is cut at its lines, unless it holds code.
const MAX_TOKENS: usize = 500;

/// A code block beyond this is cut too: it would fill an agent's context by itself.
const MAX_CODE_TOKENS: usize = 2_000;

/// A passage of a file.
#[derive(Debug, PartialEq)]
pub(in crate::search) struct Chunk {
    /// Relative to the content directory.
    pub(in crate::search) file: Arc<str>,
    /// The headings above it and its own, joined by ` > `; the file's title if there are none.
    pub(in crate::search) section: String,
    /// First and last line, counted from 1.
    pub(in crate::search) lines: (usize, usize),
    pub(in crate::search) text: String,
    /// Characters / 4: an estimate, the same as the Python server's.
    pub(in crate::search) tokens: usize,
    pub(in crate::search) tags: Vec<String>,
    pub(in crate::search) phase: Option<u32>,
}

impl Chunk {
    /// Returns what the model reads: the headings tell it what the text is about.
    pub(in crate::search) fn embedded(&self) -> String {
        format!("{}\n{}", self.section, self.text)
    }
}

/// Cuts the file into passages.
pub(super) fn chunks(file: &str, text: &str) -> Result<Vec<Chunk>, Fault> {
    let (front_matter, body) = front_matter::split(file, text)?;
    let sections = markdown::sections(text, body);
    let pieces = sections.iter().flat_map(|section| cut(text, section));
    let pieces = merge(text, pieces.collect());
    let file: Arc<str> = file.into();
    let tags = front_matter.tags();
    let mut line = LineCounter::default();
    let chunk = |piece: Piece| {
        let passage = piece.text(text);
        let section = match (piece.section(), &front_matter.title) {
            (section, Some(title)) if section.is_empty() => title.clone(),
            (section, _) => section,
        };
        let words = format!("{section}\n{passage}");
        let first = line.at(text, piece.range.start);
        Chunk {
            file: Arc::clone(&file),
            lines: (first, first + passage.matches('\n').count()),
            tokens: tokens(passage),
            tags: labels::tags(&tags, &words, piece.has_code),
            phase: front_matter.phase.or_else(|| labels::phase(&words)),
            text: passage.to_owned(),
            section,
        }
    };
    Ok(pieces.into_iter().map(chunk).collect())
}

/// Counts lines from where it was last asked, so that a large file is not counted for each passage.
#[derive(Default)]
struct LineCounter {
    byte: usize,
    newlines: usize,
}

impl LineCounter {
    /// Returns the line of `byte`, counted from 1. Bytes are asked for in order.
    fn at(&mut self, text: &str, byte: usize) -> usize {
        self.newlines += text[self.byte..byte].matches('\n').count();
        self.byte = byte;
        self.newlines + 1
    }
}

/// Neighbouring bytes of a file that become one passage.
#[derive(Clone, Debug)]
struct Piece {
    parents: Vec<String>,
    /// The last heading of each merged section.
    titles: Vec<String>,
    range: Range<usize>,
    has_code: bool,
}

impl Piece {
    fn text<'a>(&self, text: &'a str) -> &'a str {
        text[self.range.clone()].trim_end()
    }

    fn section(&self) -> String {
        let titles = self.titles.join("; ");
        let path = self
            .parents
            .iter()
            .chain((!titles.is_empty()).then_some(&titles));
        path.map(String::as_str).collect::<Vec<_>>().join(" > ")
    }

    /// Whether `next` is of a section beside or directly under the first one of `self`.
    fn is_near(&self, next: &Self) -> bool {
        let mut own = self.parents.clone();
        own.extend(self.titles.first().cloned());
        next.parents == self.parents || next.parents == own
    }

    fn join(&mut self, next: Self) {
        let mut titles = next.titles;
        if next.parents == self.parents {
            titles.retain(|title| !self.titles.contains(title));
        }
        self.titles.extend(titles);
        self.range.end = next.range.end;
        self.has_code |= next.has_code;
    }
}

/// Cuts a section at its blocks, so that as few as possible of its pieces exceed what the model
/// reads. A heading stays with the block after it.
fn cut(text: &str, section: &Section) -> Vec<Piece> {
    let (title, parents) = match section.path.split_last() {
        Some((title, parents)) => (vec![title.clone()], parents.to_vec()),
        None => (Vec::new(), Vec::new()),
    };
    let has_heading = !section.path.is_empty();
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, block) in section
        .blocks
        .iter()
        .flat_map(|block| parts(text, block))
        .enumerate()
    {
        let follows_heading = has_heading && index == 1;
        if let Some(last) = pieces.last_mut() {
            let joined = last.range.start..block.range.end;
            let fits = tokens(&text[joined.clone()]) <= FULL_TOKENS;
            if fits || follows_heading || is_small(text, last) && is_below_max(text, joined) {
                last.range.end = block.range.end;
                last.has_code |= block.has_code;
                continue;
            }
        }
        pieces.push(Piece {
            parents: parents.clone(),
            titles: title.clone(),
            range: block.range,
            has_code: block.has_code,
        });
    }
    pieces
}

/// Returns the block, or if it is too large, groups of its lines.
fn parts(text: &str, block: &Block) -> Vec<Block> {
    let (most, full) = match block.has_code {
        true => (MAX_CODE_TOKENS, MAX_TOKENS),
        false => (MAX_TOKENS, FULL_TOKENS),
    };
    if tokens(&text[block.range.clone()]) <= most {
        return vec![block.clone()];
    }
    let mut parts = Vec::new();
    let (mut start, mut end) = (block.range.start, block.range.start);
    let part = |range| Block {
        range,
        has_code: block.has_code,
    };
    let lines = text[block.range.clone()].split_inclusive('\n');
    for line in lines.flat_map(|line| short(line, full)) {
        let next = end + line.len();
        if end > start && tokens(&text[start..next]) > full {
            parts.push(part(start..end));
            start = end;
        }
        end = next;
    }
    parts.push(part(start..end));
    parts
}

/// Cuts a line of more than `full` tokens after spaces, or where there are none, anywhere.
fn short(mut line: &str, full: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    while let Some((most, _)) = line.char_indices().nth(4 * full) {
        let at = line[..most].rfind(' ').map_or(most, |space| space + 1);
        let (part, rest) = line.split_at(at);
        parts.push(part);
        line = rest;
    }
    parts.push(line);
    parts
}

/// Merges pieces that are too small with a neighbour: the next, else the one before.
fn merge(text: &str, pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        if let Some(last) = merged.last_mut() {
            let joined = last.range.start..piece.range.end;
            let small = is_small(text, last) || is_small(text, &piece);
            let size = tokens(&text[joined]);
            if small && size <= FULL_TOKENS + MIN_TOKENS / 2 && last.is_near(&piece) {
                last.join(piece);
                continue;
            }
        }
        merged.push(piece);
    }
    merged
}

fn is_small(text: &str, piece: &Piece) -> bool {
    tokens(&text[piece.range.clone()]) < MIN_TOKENS
}

fn is_below_max(text: &str, range: Range<usize>) -> bool {
    tokens(&text[range]) <= MAX_TOKENS
}

/// Estimates the tokens of `text`: four characters each.
fn tokens(text: &str) -> usize {
    text.trim_end().chars().count().div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_up(text: &str) -> Vec<Chunk> {
        chunks("standards/a.md", text).unwrap()
    }

    fn words(count: usize) -> String {
        "word ".repeat(count).trim_end().to_owned() + "\n"
    }

    #[test]
    fn a_section_is_a_passage_that_knows_its_headings_and_lines() {
        let text = format!(
            "# A\n\n{}\n## B\n\n{}\n## C\n\n{}",
            words(150),
            words(150),
            words(150)
        );

        let chunks = cut_up(&text);

        let found: Vec<_> = chunks
            .iter()
            .map(|chunk| (&*chunk.section, chunk.lines))
            .collect();
        assert_eq!(
            found,
            [("A", (1, 3)), ("A > B", (5, 7)), ("A > C", (9, 11))]
        );
        for chunk in &chunks {
            let (first, last) = chunk.lines;
            let lines: Vec<_> = text
                .lines()
                .skip(first - 1)
                .take(last + 1 - first)
                .collect();
            assert_eq!(lines.join("\n"), chunk.text);
        }
    }

    #[test]
    fn small_sections_are_merged_with_neighbours_of_the_same_parent_only() {
        let text = format!(
            "# T\n\n{}\n## A\n\none\n\n## B\n\ntwo\n\n# U\n\n{}",
            words(150),
            words(150)
        );

        let chunks = cut_up(&text);

        let found: Vec<_> = chunks.iter().map(|chunk| &*chunk.section).collect();
        assert_eq!(found, ["T; A; B", "U"]);
    }

    #[test]
    fn a_large_section_is_cut_between_its_blocks() {
        let paragraphs: Vec<_> = (0..10).map(|_| words(100)).collect();
        let text = format!("# A\n\n{}", paragraphs.join("\n"));

        let chunks = cut_up(&text);

        assert_eq!(chunks.len(), 10);
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk.tokens <= 150 && chunk.section == "A")
        );
        let all: Vec<_> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
        assert_eq!(all.join("\n\n"), text.trim_end());
    }

    #[test]
    fn code_is_kept_whole_and_only_what_nobody_reads_is_cut() {
        let code = |lines: usize| format!("```\n{}```\n", "let a = call(b);\n".repeat(lines));
        let cases = [
            (code(400), 1, "a code block within bounds"),
            (code(2_000), 18, "a code block beyond"),
            (words(3_000), 19, "one line of words"),
            ("x".repeat(8_000), 10, "one word"),
        ];
        for (text, count, case) in cases {
            let chunks = cut_up(&text);
            assert_eq!(chunks.len(), count, "{case}");
            let most = if count == 1 {
                MAX_CODE_TOKENS
            } else {
                MAX_TOKENS
            };
            assert!(chunks.iter().all(|chunk| chunk.tokens <= most), "{case}");
        }
    }

    #[test]
    fn no_text_however_broken_is_lost_or_panicked_on() {
        let text = "---\nt\n\n# Ä\n\n- ü\n  ```\n  ö\n> ß\n\n| a | b |\n|--|--|\n| é | ` |\n\n<div>\n#\n\n[^1]: x";
        let starts = text.char_indices().map(|(at, _)| at);
        for (start, end) in starts
            .clone()
            .flat_map(|start| starts.clone().map(move |end| (start, end)))
        {
            if start < end
                && let Ok(chunks) = chunks("a.md", &text[start..end])
            {
                assert!(chunks.iter().all(|chunk| text.contains(&chunk.text)));
            }
        }
    }
}
