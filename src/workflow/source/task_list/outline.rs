//! A Markdown text as lines that know where in headings and lists they stand.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A line of a heading, a paragraph or a list item. Code blocks, quotes, tables and HTML hold
/// nothing that a plan is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Line {
    /// Its words, without emphasis; code keeps its backticks.
    pub(super) text: String,
    /// The byte where it starts.
    pub(super) at: usize,
    /// What it is of.
    pub(super) kind: Kind,
    /// How many list items it stands in.
    pub(super) depth: usize,
    /// Which list it stands in, the outermost one; 0 for none.
    pub(super) list: usize,
    /// Whether the line before is of the same paragraph.
    pub(super) continues: bool,
}

/// What a line is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A heading of that level, 1 to 6.
    Heading(u8),
    /// A paragraph, outside a list or further down in an item.
    Paragraph,
    /// The first line of a list item.
    Item,
}

/// Reads `text` into lines.
pub(super) fn outline(text: &str) -> Vec<Line> {
    let mut reader = Reader {
        source: text,
        lines: Vec::new(),
        kind: Kind::Paragraph,
        depth: 0,
        lists: 0,
        lists_open: 0,
        hidden: 0,
        item_opens: false,
        in_block: false,
        continues: false,
        markers: Vec::new(),
    };
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    for (event, range) in events {
        reader.take(&event, &range);
    }
    reader.lines.retain(|line| !line.text.trim().is_empty());
    reader.lines
}

struct Reader<'a> {
    source: &'a str,
    lines: Vec<Line>,
    kind: Kind,
    depth: usize,
    lists: usize,
    lists_open: usize,
    /// How many blocks are open that hold no lines.
    hidden: usize,
    /// An item began, and its first line is still to come.
    item_opens: bool,
    /// A line of the block is there, so that text belongs to it.
    in_block: bool,
    /// The next line is of the same paragraph as the one before.
    continues: bool,
    /// The emphasis that is open: what of it is text.
    markers: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, event: &Event<'_>, range: &Range<usize>) {
        match event {
            Event::Start(tag) => self.open(tag, range),
            Event::End(tag) => self.close(tag),
            Event::Text(words) => self.push(words, range),
            Event::Code(_) => self.push(&self.source[range.clone()], range),
            // A heading over two lines is one line.
            Event::SoftBreak | Event::HardBreak if matches!(self.kind, Kind::Heading(_)) => {
                self.append(" ");
            }
            Event::SoftBreak | Event::HardBreak => {
                self.in_block = false;
                self.continues = true;
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.block(Kind::Heading(number(*level))),
            Tag::Paragraph => self.block(Kind::Paragraph),
            Tag::List(_) => {
                self.lists += usize::from(self.lists_open == 0);
                self.lists_open += 1;
                self.block(Kind::Paragraph);
            }
            Tag::Item => {
                self.depth += 1;
                self.item_opens = true;
                self.block(Kind::Paragraph);
            }
            Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::Table(_) | Tag::HtmlBlock => {
                self.hidden += 1;
            }
            Tag::Emphasis | Tag::Strong => {
                let width = if matches!(tag, Tag::Strong) { 2 } else { 1 };
                let marker = self.literal_marker(range, width);
                self.push(marker, range);
                self.markers.push(marker);
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: &TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Paragraph => self.block(Kind::Paragraph),
            TagEnd::List(_) => {
                self.lists_open -= 1;
                self.block(Kind::Paragraph);
            }
            TagEnd::Item => {
                self.depth -= 1;
                self.item_opens = false;
                self.block(Kind::Paragraph);
            }
            TagEnd::CodeBlock | TagEnd::BlockQuote(_) | TagEnd::Table | TagEnd::HtmlBlock => {
                self.hidden -= 1;
                self.block(Kind::Paragraph);
            }
            TagEnd::Emphasis | TagEnd::Strong => {
                let marker = self.markers.pop().unwrap_or_default();
                self.append(marker);
            }
            _ => {}
        }
    }

    /// Begins another block: the next text is a line of its own.
    fn block(&mut self, kind: Kind) {
        self.kind = kind;
        self.in_block = false;
        self.continues = false;
    }

    fn push(&mut self, words: &str, range: &Range<usize>) {
        if self.hidden > 0 {
            return;
        }
        if !self.in_block {
            let opens = std::mem::take(&mut self.item_opens);
            self.lines.push(Line {
                text: String::new(),
                at: range.start,
                kind: if opens { Kind::Item } else { self.kind },
                depth: self.depth,
                list: if self.depth > 0 { self.lists } else { 0 },
                continues: self.continues,
            });
            self.in_block = true;
        }
        self.append(words);
    }

    fn append(&mut self, words: &str) {
        if let Some(line) = self.lines.last_mut().filter(|_| self.hidden == 0) {
            line.text.push_str(words);
        }
    }

    /// Returns the underscores of an emphasis that are part of a word, such as those of
    /// `models/__init__.py`, which Markdown takes for emphasis.
    fn literal_marker(&self, range: &Range<usize>, width: usize) -> &'a str {
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '\\');
        let before = self.source[..range.start].chars().next_back();
        let mut after = self.source[range.end..].chars();
        let (next, second) = (after.next(), after.next());
        let in_word = before.is_some_and(inner)
            || next.is_some_and(|c| matches!(c, '.' | '/' | '-'))
                && second.is_some_and(char::is_alphanumeric);
        let marker = self.source.get(range.start..range.start + width);
        marker
            .filter(|marker| in_word && marker.starts_with('_'))
            .unwrap_or_default()
    }
}

fn number(level: HeadingLevel) -> u8 {
    level as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_stand() {
        let text = "# A **b**\n\ntwo\nlines\n\n- one\n  more\n  - deeper\n\n  below\n- two\n\n\
                    ```\n# no\n```\n\n> quoted\n\nC\n===\n";

        let lines: Vec<_> = outline(text)
            .into_iter()
            .map(|line| (line.text, line.kind, line.depth, line.list, line.continues))
            .collect();

        let line = |text: &str, kind, depth, list, continues| {
            (text.to_owned(), kind, depth, list, continues)
        };
        let expected = [
            line("A b", Kind::Heading(1), 0, 0, false),
            line("two", Kind::Paragraph, 0, 0, false),
            line("lines", Kind::Paragraph, 0, 0, true),
            line("one", Kind::Item, 1, 1, false),
            line("more", Kind::Paragraph, 1, 1, true),
            line("deeper", Kind::Item, 2, 1, false),
            line("below", Kind::Paragraph, 1, 1, false),
            line("two", Kind::Item, 1, 1, false),
            line("C", Kind::Heading(1), 0, 0, false),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn emphasis_goes_and_what_only_looks_like_it_stays() {
        let cases = [
            ("**Task 1.1**: *a*", "Task 1.1: a"),
            ("__Task 1.1__: _a_", "Task 1.1: a"),
            ("`a_b` and `**c**`", "`a_b` and `**c**`"),
            ("models/__init__.py exists", "models/__init__.py exists"),
            ("__main__.py exists", "__main__.py exists"),
            ("[ ] open and [x] done", "[ ] open and [x] done"),
            ("a &amp; b \\* c", "a & b * c"),
            ("takes <b>long</b>", "takes long"),
            ("see [the file](a.md)", "see the file"),
        ];
        for (text, expected) in cases {
            let lines = outline(text);
            assert_eq!(lines[0].text, expected, "{text}");
        }
    }

    #[test]
    fn lists_nested_beyond_reason_are_read_without_a_stack() {
        let deep = "- ".repeat(100_000) + "end";

        assert!(outline(&deep).len() <= 1);
    }
}
