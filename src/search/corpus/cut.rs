//! Where a file is cut: into passages between its blocks, and into windows between its lines.

use std::ops::Range;

use super::{
    Tokens,
    lines::{Line, short},
    markdown::{Block, Section},
};

/// A passage below this is merged with a neighbour of the same parent.
const MIN_TOKENS: usize = 100;

/// A passage is not filled beyond this by choice: with its headings it is about what a model of
/// 256 tokens reads. `make eval` finds 130 and 320 no better.
const FULL_TOKENS: usize = 220;

/// A block beyond this is cut at its lines: it would fill an agent's context by itself.
const MAX_TOKENS: usize = 500;

/// The most tokens of the headings that are put before a text.
const MAX_CONTEXT_TOKENS: usize = 64;

/// Tokens that a window has in common with the one before, about two sentences: what is cut in
/// one is whole in the other.
const OVERLAP_TOKENS: usize = 40;

/// Neighbouring bytes of a file that become one passage.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    parents: Vec<String>,
    /// The last heading of each merged section.
    titles: Vec<String>,
    pub(super) range: Range<usize>,
    tokens: usize,
    pub(super) has_code: bool,
}

impl Piece {
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        text[self.range.clone()].trim_end()
    }

    pub(super) fn section(&self) -> String {
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
        self.tokens += next.tokens;
        self.has_code |= next.has_code;
    }

    fn is_small(&self) -> bool {
        self.tokens < MIN_TOKENS
    }
}

/// Cuts a file into passages.
pub(super) fn pieces(text: &str, sections: &[Section], tokens: &dyn Tokens) -> Vec<Piece> {
    let pieces = sections
        .iter()
        .flat_map(|section| cut(text, section, tokens));
    merge(pieces.collect())
}

/// Cuts a section at its blocks, so that as few as possible of its pieces exceed what the model
/// reads. A heading stays with the block after it.
fn cut(text: &str, section: &Section, tokens: &dyn Tokens) -> Vec<Piece> {
    let (titles, parents) = match section.path.split_last() {
        Some((title, parents)) => (vec![title.clone()], parents.to_vec()),
        None => (Vec::new(), Vec::new()),
    };
    let parts = section.blocks.iter();
    let parts = parts.flat_map(|block| parts_of(text, block, tokens));
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, (block, count)) in parts.enumerate() {
        let follows_heading = section.level.is_some() && index == 1;
        if let Some(last) = pieces.last_mut() {
            let joined = last.tokens + count;
            let small = last.is_small() && joined <= MAX_TOKENS;
            if joined <= FULL_TOKENS || follows_heading || small {
                last.range.end = block.range.end;
                last.tokens = joined;
                last.has_code |= block.has_code;
                continue;
            }
        }
        pieces.push(Piece {
            parents: parents.clone(),
            titles: titles.clone(),
            range: block.range,
            tokens: count,
            has_code: block.has_code,
        });
    }
    pieces
}

/// Returns the block, or if it is too large, groups of its lines; each with its tokens.
fn parts_of(text: &str, block: &Block, tokens: &dyn Tokens) -> Vec<(Block, usize)> {
    let count = tokens.count(&text[block.range.clone()]);
    if count <= MAX_TOKENS {
        return vec![(block.clone(), count)];
    }
    // Code is better read in few large parts than in many small ones.
    let full = if block.has_code {
        MAX_TOKENS
    } else {
        FULL_TOKENS
    };
    let mut parts: Vec<(Block, usize)> = Vec::new();
    let mut start = block.range.start;
    for line in short(&text[block.range.clone()], full, tokens) {
        let end = start + line.text.len();
        match parts.last_mut() {
            Some((last, count)) if *count + line.tokens <= full => {
                last.range.end = end;
                *count += line.tokens;
            }
            _ => {
                let part = Block {
                    range: start..end,
                    has_code: block.has_code,
                };
                parts.push((part, line.tokens));
            }
        }
        start = end;
    }
    parts
}

/// Merges pieces that are too small with a neighbour: the next, else the one before.
fn merge(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        if let Some(last) = merged.last_mut() {
            let small = last.is_small() || piece.is_small();
            let fits = last.tokens + piece.tokens <= FULL_TOKENS;
            if small && fits && last.is_near(&piece) {
                last.join(piece);
                continue;
            }
        }
        merged.push(piece);
    }
    merged
}

/// Cuts a passage into windows that the model reads whole behind their headings. Returns where
/// in `section` those headings begin, and the windows' bytes.
pub(super) fn windows(
    text: &str,
    passage: &Range<usize>,
    section: &str,
    tokens: &dyn Tokens,
) -> (usize, Vec<Range<usize>>) {
    let context = context(section, tokens);
    let told = tokens.count(&section[context..]);
    let most = tokens.window().saturating_sub(told).max(1);
    if tokens.count(&text[passage.clone()]) <= most {
        return (context, vec![passage.clone()]);
    }
    let overlap = OVERLAP_TOKENS.min(most / 4);
    let lines = short(&text[passage.clone()], overlap.max(1), tokens);
    (context, slide(passage.start, &lines, most, overlap))
}

/// Fills windows with lines; each begins with the last lines of the one before.
fn slide(start: usize, lines: &[Line<'_>], most: usize, overlap: usize) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let (mut from, mut begin, mut count) = (0, start, 0);
    let mut end = start;
    for (at, line) in lines.iter().enumerate() {
        if count + line.tokens > most && at > from {
            windows.push(begin..end);
            // Back to the first line that is repeated.
            let mut back = 0;
            (from, begin, count) = (at, end, 0);
            for earlier in lines[..at].iter().rev() {
                back += earlier.tokens;
                if back > overlap || back + line.tokens > most {
                    break;
                }
                (from, begin, count) = (from - 1, begin - earlier.text.len(), back);
            }
        }
        count += line.tokens;
        end += line.text.len();
    }
    windows.push(begin..end);
    windows
}

/// Returns where the headings begin that fit: the last ones say most about the text.
fn context(section: &str, tokens: &dyn Tokens) -> usize {
    const JOINT: &str = " > ";
    let starts = section.match_indices(JOINT).map(|(at, _)| at + JOINT.len());
    let mut starts = std::iter::once(0).chain(starts);
    let fits = |start: &usize| tokens.count(&section[*start..]) <= MAX_CONTEXT_TOKENS;
    let fitting = starts.find(fits);
    // Not even the last heading: its end, one token for each two bytes at most.
    fitting.unwrap_or_else(|| {
        let tail = section.len().saturating_sub(MAX_CONTEXT_TOKENS);
        section.ceil_char_boundary(tail)
    })
}
