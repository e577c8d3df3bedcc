//! What was rendered of an answer, for those who ask again.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// The longest rendering that is kept, in bytes: three times that of five long passages. So the
/// answers' cache is bounded in bytes, too.
const MOST_BYTES: usize = 32 * 1_024;

/// An answer as a face of the service renders it, in the two forms that MCP asks for.
///
/// It is part of no comparison, and a copy of an answer starts without it.
#[derive(Debug, Default)]
pub struct Kept {
    /// A fleet asks many questions once: only what is asked for again is kept.
    offered: AtomicBool,
    forms: OnceLock<[Arc<str>; 2]>,
}

impl Kept {
    /// Returns what is kept.
    pub fn forms(&self) -> Option<[Arc<str>; 2]> {
        self.forms.get().cloned()
    }

    /// Keeps `forms` if they were offered before and are not too long.
    pub fn offer(&self, forms: [Arc<str>; 2]) {
        let bytes: usize = forms.iter().map(|form| form.len()).sum();
        if bytes <= MOST_BYTES && self.offered.swap(true, Relaxed) {
            // Of two who come at once, one's are kept, and they are equal.
            let _ = self.forms.set(forms);
        }
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_twice_is_kept_unless_it_is_long() {
        let forms = |bytes: usize| ["x".repeat(bytes).into(), "y".into()];
        let kept = Kept::default();

        kept.offer(forms(3));
        assert!(kept.forms().is_none(), "asked for once");
        kept.offer(forms(3));
        assert_eq!(kept.forms(), Some(forms(3)));

        let kept = Kept::default();
        kept.offer(forms(MOST_BYTES));
        kept.offer(forms(MOST_BYTES));
        assert!(kept.forms().is_none());
    }
}
