//! YAML between two lines of `---` at the start of a file.

use serde::Deserialize;

use super::Fault;

/// What a file says about itself. Other keys are left alone.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    #[serde(default)]
    tags: Tags,
    pub(super) phase: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Tags {
    List(Vec<String>),
    Text(String),
    None(()),
}

impl Default for Tags {
    fn default() -> Self {
        Self::None(())
    }
}

impl FrontMatter {
    /// Returns the tags, a list or words parted by commas, in lower case.
    pub(super) fn tags(&self) -> Vec<String> {
        let tags: Vec<&str> = match &self.tags {
            Tags::List(tags) => tags.iter().map(String::as_str).collect(),
            Tags::Text(tags) => tags.split(',').collect(),
            Tags::None(()) => Vec::new(),
        };
        let tags = tags.into_iter().map(|tag| tag.trim().to_lowercase());
        tags.filter(|tag| !tag.is_empty()).collect()
    }
}

/// Parses the front matter of `text`, if it has any, and returns where the body begins.
pub(super) fn split(file: &str, text: &str) -> Result<(FrontMatter, usize), Fault> {
    let marked = text.trim_start_matches('\u{feff}');
    let mark = text.len() - marked.len();
    let mut lines = marked.split_inclusive('\n');
    let opens = lines.next().is_some_and(|line| line.trim_end() == "---");
    // A rule at the top of a document is followed by an empty line.
    let blank = lines
        .clone()
        .next()
        .is_none_or(|line| line.trim().is_empty());
    if !opens || blank {
        return Ok((FrontMatter::default(), mark));
    }
    let start = mark + marked.find('\n').map_or(marked.len(), |at| at + 1);
    let mut end = start;
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            let front_matter = parse(file, &text[start..end])?;
            return Ok((front_matter, end + line.len()));
        }
        end += line.len();
    }
    Err(Fault::new(file, "the front matter is never closed with `---`").at(1))
}

fn parse(file: &str, yaml: &str) -> Result<FrontMatter, Fault> {
    let parsed = serde_saphyr::from_str::<Option<FrontMatter>>(yaml);
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        // The first line of the file is `---`.
        let line = error.location().map_or(0, |location| location.line());
        let line = usize::try_from(line).unwrap_or_default() + 1;
        let error = error.to_string();
        let reason = error.lines().next().unwrap_or_default();
        Fault::new(file, format!("the front matter is not valid: {reason}")).at(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_title_tags_and_phase() {
        let cases = [
            ("---\ntitle: T\ntags: [Git, mcp]\nphase: 2\n---\nbody", 2),
            (
                "---\r\ntitle: T\r\ntags: Git, mcp,\r\nphase: 2\r\nowner: {a: b}\r\n---\r\nbody",
                2,
            ),
        ];
        for (text, phase) in cases {
            let (front_matter, body) = split("a.md", text).unwrap();

            assert_eq!(front_matter.title.as_deref(), Some("T"), "{text:?}");
            assert_eq!(front_matter.tags(), ["git", "mcp"], "{text:?}");
            assert_eq!(front_matter.phase, Some(phase), "{text:?}");
            assert_eq!(&text[body..], "body");
        }
    }

    #[test]
    fn a_text_without_front_matter_is_all_body() {
        for text in ["# A", "", "---", "---\n\n# A\n\n---\n", "text\n---\n"] {
            assert_eq!(split("a.md", text).unwrap().1, 0, "{text:?}");
        }
    }

    #[test]
    fn broken_front_matter_is_named_with_file_and_line() {
        let cases = [
            ("---\ntitle: A\nphase: two\n---\n", "a.md:3: "),
            ("---\ntitle: A\ntags: [a\n---\n", "a.md:"),
            (
                "---\ntitle: A\n# body\n",
                "a.md:1: the front matter is never closed",
            ),
        ];
        for (text, place) in cases {
            let fault = split("a.md", text).unwrap_err().to_string();
            assert!(fault.starts_with(place), "{text:?}: {fault}");
        }
    }
}
