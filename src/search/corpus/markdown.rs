//! The blocks of a Markdown file, under their headings.

use std::ops::Range;

use pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, OffsetIter, Options, Parser, Tag, TagEnd,
};

use super::Fault;

/// The characters of a heading that are shown; more is no heading but a slip.
const MAX_TITLE: usize = 200;

/// A heading and the blocks up to the next one.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Of its heading; none before the first one.
    pub(super) level: Option<HeadingLevel>,
    /// The headings that it stands under and its own, outermost first.
    pub(super) path: Vec<String>,
    /// Its blocks, the heading first.
    pub(super) blocks: Vec<Block>,
}

/// A block that stands under no other block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Its bytes in the file.
    pub(super) range: Range<usize>,
    /// It holds a code block, which is never split.
    pub(super) has_code: bool,
}

/// Parses the part of `text` from `body` on.
pub(super) fn sections(text: &str, body: usize) -> Vec<Section> {
    let mut outline = Outline {
        sections: vec![Section::default()],
        ..Outline::default()
    };
    for (event, range) in parse(&text[body..]) {
        outline.take(event, &(range.start + body..range.end + body));
    }
    outline.sections
}

#[derive(Default)]
struct Outline {
    sections: Vec<Section>,
    /// The headings in force.
    headings: Vec<(HeadingLevel, String)>,
    /// The heading that is being read.
    title: Option<String>,
    depth: usize,
    has_code: bool,
}

impl Outline {
    fn take(&mut self, event: Event<'_>, range: &Range<usize>) {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(tag) => self.close(tag, range),
            Event::Text(words) | Event::Code(words) => {
                if let Some(title) = &mut self.title {
                    title.push_str(&words);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if self.depth == 0 {
            self.has_code = false;
            if let Tag::Heading { .. } = tag {
                self.title = Some(String::new());
            }
        }
        self.has_code |= matches!(tag, Tag::CodeBlock(_));
        self.depth += 1;
    }

    fn close(&mut self, tag: TagEnd, range: &Range<usize>) {
        self.depth -= 1;
        if self.depth > 0 {
            return;
        }
        if let (TagEnd::Heading(level), Some(title)) = (tag, self.title.take()) {
            self.headings.retain(|(above, _)| *above < level);
            let title = title.trim().chars().take(MAX_TITLE).collect();
            self.headings.push((level, title));
            let path = self.headings.iter().map(|(_, title)| title.clone());
            self.sections.push(Section {
                level: Some(level),
                path: path.filter(|title| !title.is_empty()).collect(),
                blocks: Vec::new(),
            });
        }
        let section = self.sections.last_mut().expect("there is always one");
        section.blocks.push(Block {
            range: range.clone(),
            has_code: self.has_code,
        });
    }
}

/// Finds a fenced code block that runs to the end of `text`: what follows it was meant as text.
pub(super) fn unclosed_fence(file: &str, text: &str, body: usize) -> Option<Fault> {
    let open = parse(&text[body..]).find_map(|(event, range)| {
        let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) = event else {
            return None;
        };
        let range = range.start + body..range.end + body;
        (!is_closed(&text[range.clone()])).then_some(range.start)
    })?;
    let problem = "the code block that starts here is never closed";
    Some(Fault::new(file, problem).at(line_at(text, open)))
}

fn is_closed(block: &str) -> bool {
    let mut lines = block.trim_end().lines();
    let fence = |line: &str| {
        let line = line.trim_start_matches([' ', '\t', '>']);
        let mark = line
            .chars()
            .next()
            .filter(|mark| matches!(mark, '`' | '~'))?;
        let length = line.chars().take_while(|letter| *letter == mark).count();
        Some((mark, length, line[length..].trim().is_empty()))
    };
    let Some((mark, length, _)) = lines.next().and_then(fence) else {
        return true; // Not a fence as we know it: nothing to complain about.
    };
    let last = lines.next_back().and_then(fence);
    last.is_some_and(|(of, long, bare)| of == mark && long >= length && bare)
}

/// Returns the line of byte `at`, counted from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

fn parse(markdown: &str) -> OffsetIter<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(markdown, options).into_offset_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_know_the_headings_above_them() {
        let text = "intro\n\n# A `b`\n\ntext\n\n### C\n\n---\n\n## D\n\n> # quoted\n";

        let sections = sections(text, 0);

        let paths: Vec<_> = sections
            .iter()
            .map(|section| section.path.join(" > "))
            .collect();
        assert_eq!(paths, ["", "A b", "A b > C", "A b > D"]);
        let blocks: Vec<_> = sections
            .iter()
            .map(|section| section.blocks.len())
            .collect();
        assert_eq!(
            blocks,
            [1, 2, 1, 2],
            "a rule is no block, a quoted heading no section"
        );
    }

    #[test]
    fn a_code_block_that_is_never_closed_is_found_with_its_line() {
        let cases = [
            ("a\n\n```rust\nx\n```\n\n~~~\ny\n~~~\n", None),
            ("a\n\n```\nx\n# not a heading\n", Some(3)),
            ("a\n\n```", Some(3)),
            ("````\n```\n", Some(1)),
            ("- a\n  ```\n  x\n  ```\n", None),
            ("> ```\n> x\n\nb", Some(1)),
        ];
        for (text, line) in cases {
            let found = unclosed_fence("a.md", text, 0);
            assert_eq!(found.and_then(|fault| fault.line), line, "{text:?}");
        }
    }
}
