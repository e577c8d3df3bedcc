//! Texts: their length, their pattern, and the files that they claim.

use super::Examination;
use crate::workflow::gate::{
    Field, WorkRoot,
    claim::{ClaimedPath, Unfounded},
    excerpt,
    pattern::Pattern,
    problem::Problem,
};

/// The most bytes of texts that are matched against patterns: 2 s at worst, with a pattern that
/// is made for it, and 1 ms as a rule.
pub(super) const MAX_MATCHED_BYTES: usize = 256 * 1024;

/// Steps that a look for a file takes: some 5 µs.
const STEPS_A_FILE: usize = 100;

impl Examination<'_> {
    pub(super) fn text(&mut self, field: &Field, text: &str) {
        if field.min_length.or(field.max_length).is_some() {
            let chars = text.chars().count() as u64;
            self.length(chars, field.min_length, field.max_length, "character");
        }
        self.claim(field, text);
        let Some(pattern) = &field.pattern else {
            return;
        };
        match self.matched(pattern, text) {
            Ok(true) => {}
            Ok(false) => {
                let must = format!("match `{}`", pattern.as_str());
                self.breach(&must, excerpt::of_value(text));
            }
            Err(why) => self.undecided(&format!("its `pattern`: {why}")),
        }
    }

    fn matched(&mut self, pattern: &Pattern, text: &str) -> Result<bool, String> {
        match self.matchable.checked_sub(text.len()) {
            Some(left) => {
                self.matchable = left;
                pattern.matches(text)
            }
            None => Err(format!(
                "more than {MAX_MATCHED_BYTES} bytes of texts are to be matched"
            )),
        }
    }

    /// Examines a text that claims a file.
    fn claim(&mut self, field: &Field, text: &str) {
        if !(field.file_exists || field.matches.is_some()) || !self.may_step(STEPS_A_FILE) {
            return;
        }
        let Some(root) = self.work_root else {
            let path = self.path();
            self.fail(|| Problem::unchecked_file(path));
            return;
        };
        if let Err(Unfounded(must)) = self.founded(root, field, text) {
            self.breach(&must, excerpt::of_value(text));
        }
    }

    fn founded(&mut self, root: &WorkRoot, field: &Field, text: &str) -> Result<(), Unfounded> {
        let claimed = ClaimedPath::parse(text)?;
        let Some(pattern) = &field.matches else {
            return root.find(&claimed).map(drop);
        };
        let content = root.read(&claimed)?;
        let must = format!("name a file that matches `{}`", pattern.as_str());
        match self.matched(pattern, &content) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unfounded(must)),
            Err(why) => Err(Unfounded(format!("{must}, which cannot be told: {why}"))),
        }
    }
}
