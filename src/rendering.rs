//! What was rendered of a value, for those who ask again.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// The longest rendering that is kept, in bytes: three times that of five long passages. So the
/// caches of answers and sessions are bounded in bytes, too.
const MOST_BYTES: usize = 32 * 1_024;

/// A value as a face of the service renders it, in the two forms that MCP asks for.
///
/// It belongs to a value that does not change: it is part of no comparison, and a copy of the value
/// starts without it. `T` is what the rendering depends on besides.
#[derive(Debug)]
pub struct Rendering<T = ()> {
    /// A fleet asks many questions once: only what is asked for again is kept.
    offered: AtomicBool,
    forms: OnceLock<(T, [Arc<str>; 2])>,
}

impl<T: PartialEq> Rendering<T> {
    /// Returns what is kept, if it was rendered for the same.
    pub fn forms(&self, given: &T) -> Option<[Arc<str>; 2]> {
        let (rendered_for, forms) = self.forms.get()?;
        (rendered_for == given).then(|| forms.clone())
    }

    /// Keeps `forms` if some were offered before and they are not too long.
    pub fn offer(&self, given: T, forms: [Arc<str>; 2]) {
        let bytes: usize = forms.iter().map(|form| form.len()).sum();
        if bytes <= MOST_BYTES && self.offered.swap(true, Relaxed) {
            // Of two who come at once, one's are kept.
            let _ = self.forms.set((given, forms));
        }
    }
}

impl<T> Default for Rendering<T> {
    fn default() -> Self {
        Self {
            offered: AtomicBool::new(false),
            forms: OnceLock::new(),
        }
    }
}

impl<T> Clone for Rendering<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Rendering<T> {
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
        let kept = Rendering::default();

        kept.offer("open", forms(3));
        assert!(kept.forms(&"open").is_none(), "asked for once");
        kept.offer("open", forms(3));
        assert_eq!(kept.forms(&"open"), Some(forms(3)));
        assert_eq!(kept.forms(&"closed"), None);
        assert_eq!(kept.clone().forms(&"open"), None);

        let kept = Rendering::default();
        kept.offer((), forms(MOST_BYTES));
        kept.offer((), forms(MOST_BYTES));
        assert!(kept.forms(&()).is_none());
    }
}
