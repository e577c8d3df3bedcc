//! Patterns: regular expressions that cannot run away.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// The longest pattern in bytes: nobody reads a longer one.
const MAX_PATTERN_BYTES: usize = 1_000;

/// The largest compiled pattern in bytes. It holds what authors write, such as the parts of an
/// address in all letters of Unicode; at worst a byte of the text takes 8 µs to match then.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// The longest text in bytes that is matched: half a second at worst, and 0.1 ms as a rule.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A regular expression. It is compiled when it is first used, so that who only reads a gate does
/// not pay for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Result<Regex, String>>,
}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }
}

impl Pattern {
    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Says whether `text` matches somewhere.
    ///
    /// # Errors
    ///
    /// Says why it cannot be told: the pattern is broken or too large, or the text is too long.
    pub fn matches(&self, text: &str) -> Result<bool, String> {
        Ok(self.for_text(text)?.is_match(text))
    }

    /// Says whether a match begins where `text` begins.
    ///
    /// # Errors
    ///
    /// As [`Pattern::matches`].
    pub(super) fn matches_start(&self, text: &str) -> Result<bool, String> {
        let found = self.for_text(text)?.find(text);
        Ok(found.is_some_and(|found| found.start() == 0))
    }

    fn for_text(&self, text: &str) -> Result<&Regex, String> {
        if text.len() > MAX_TEXT_BYTES {
            let len = text.len();
            return Err(format!(
                "a text of {len} bytes is not matched, the most is {MAX_TEXT_BYTES}"
            ));
        }
        self.compiled()
    }

    /// Compiles it.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, in one line.
    pub(in crate::workflow) fn compiled(&self) -> Result<&Regex, String> {
        let compiled = self.compiled.get_or_init(|| compile(&self.source));
        compiled.as_ref().map_err(Clone::clone)
    }
}

fn compile(source: &str) -> Result<Regex, String> {
    if source.len() > MAX_PATTERN_BYTES {
        let len = source.len();
        return Err(format!(
            "the pattern has {len} bytes, the most is {MAX_PATTERN_BYTES}"
        ));
    }
    let built = RegexBuilder::new(source)
        .size_limit(MAX_COMPILED_BYTES)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern is too large: write fewer or smaller repetitions".to_owned()
        }
        // The last line of a message that draws the pattern.
        error => {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}
