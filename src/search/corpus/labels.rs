//! The tags and the phase that a passage's words give it, as in the Python server.

/// A tag, and the words that give it.
const WORDS: [(&str, &[&str]); 10] = [
    ("ast", &["ast"]),
    ("coverage", &["coverage"]),
    (
        "documentation",
        &["documentation", "docs", "docstring", "docstrings"],
    ),
    ("git", &["git"]),
    ("logging", &["logging", "log", "logs", "logger"]),
    ("mcp", &["mcp"]),
    ("mocking", &["mock", "mocks", "mocked", "mocking"]),
    ("rag", &["rag"]),
    ("testing", &["test", "tests", "tested", "testing"]),
    ("workflow", &["workflow", "workflows"]),
];

/// The tag of a passage with a code block.
const CODE: &str = "code_example";

/// Returns the tags of `text` and `given`, sorted, each once.
pub(super) fn tags(given: &[String], text: &str, has_code: bool) -> Vec<String> {
    let mut tags = given.to_vec();
    for word in words(text) {
        let word = word.to_ascii_lowercase();
        let tagged = WORDS.iter().filter(|(_, of)| of.contains(&word.as_str()));
        tags.extend(tagged.map(|(tag, _)| (*tag).to_owned()));
        if tags.len() > 64 {
            tags.sort_unstable();
            tags.dedup();
        }
    }
    tags.extend(has_code.then(|| CODE.to_owned()));
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Returns the number of the first "phase N" in `text`.
pub(super) fn phase(text: &str) -> Option<u32> {
    let mut words = words(text).peekable();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("phase")
            && let Some(number) = words.peek().and_then(|next| next.parse().ok())
        {
            return Some(number);
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_give_tags() {
        let cases = [
            ("Mocks and the AST", vec!["ast", "mocking"]),
            ("the latest, fast digit", vec![]),
            (
                "Test_coverage of MCP-workflows",
                vec!["coverage", "mcp", "testing", "workflow"],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(tags(&[], text, false), expected, "{text}");
        }
        let given = ["api".to_owned(), "git".to_owned()];
        assert_eq!(tags(&given, "git", true), ["api", "code_example", "git"]);
    }

    #[test]
    fn the_first_phase_with_a_number_counts() {
        let cases = [
            ("each phase, then Phase 2: Build, Phase 3", Some(2)),
            ("**PHASE 0**", Some(0)),
            ("phases 1", None),
            ("phase 99999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(phase(text), expected, "{text}");
        }
    }
}
