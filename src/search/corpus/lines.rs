//! Lines of a text, and lines cut short.

use super::Tokens;

/// Counts lines from where it was last asked, so that a large file is not counted for each passage.
#[derive(Default)]
pub(super) struct LineCounter {
    byte: usize,
    newlines: usize,
}

impl LineCounter {
    /// Returns the line of `byte`, counted from 1. Bytes are asked for in order.
    pub(super) fn at(&mut self, text: &str, byte: usize) -> usize {
        self.newlines += text[self.byte..byte].matches('\n').count();
        self.byte = byte;
        self.newlines + 1
    }
}

/// A line, or a part of one, with its length in tokens.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: usize,
}

/// Returns the lines of `text`; those of more than `most` tokens in parts.
pub(super) fn short<'a>(text: &'a str, most: usize, tokens: &dyn Tokens) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        halve(line, most, tokens, &mut lines);
    }
    lines
}

/// Cuts a line of more than `most` tokens in the middle, after a space if there is one, and its
/// halves again.
fn halve<'a>(text: &'a str, most: usize, tokens: &dyn Tokens, lines: &mut Vec<Line<'a>>) {
    let count = tokens.count(text);
    let middle = text.floor_char_boundary(text.len() / 2);
    if count <= most || middle == 0 {
        lines.push(Line {
            text,
            tokens: count,
        });
        return;
    }
    let space = text[..middle].rfind(' ').map(|space| space + 1);
    let space = space.filter(|at| *at > middle / 2);
    let (one, other) = text.split_at(space.unwrap_or(middle));
    halve(one, most, tokens, lines);
    halve(other, most, tokens, lines);
}
