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
    asked: AtomicBool,
    kept: OnceLock<(T, [Arc<str>; 2])>,
}

impl<T: PartialEq> Rendering<T> {
    /// Returns what is kept, if it was rendered for the same, else what `render` makes: that is
    /// kept if something was asked for before and it is not too long.
    ///
    /// # Errors
    ///
    /// Those of `render`.
    pub fn forms<E>(
        &self,
        given: T,
        render: impl FnOnce() -> Result<[Arc<str>; 2], E>,
    ) -> Result<[Arc<str>; 2], E> {
        if let Some((rendered_for, forms)) = self.kept.get()
            && *rendered_for == given
        {
            return Ok(forms.clone());
        }
        let forms = render()?;
        let bytes: usize = forms.iter().map(|form| form.len()).sum();
        if bytes <= MOST_BYTES && self.asked.swap(true, Relaxed) {
            // Of two who come at once, one's are kept.
            let _ = self.kept.set((given, forms.clone()));
        }
        Ok(forms)
    }
}

impl<T> Default for Rendering<T> {
    fn default() -> Self {
        Self {
            asked: AtomicBool::new(false),
            kept: OnceLock::new(),
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

    /// Asks for what `rendering` has for `given`, and says whether it was made anew.
    fn renders<T: PartialEq>(rendering: &Rendering<T>, given: T, bytes: usize) -> bool {
        let mut made = false;
        let render = || {
            made = true;
            Ok::<_, ()>(["x".repeat(bytes).into(), "y".into()])
        };
        let forms = rendering.forms(given, render).unwrap();
        assert_eq!(*forms[1], *"y");
        made
    }

    #[test]
    fn what_is_asked_for_twice_is_kept_unless_it_is_long() {
        let rendering = Rendering::default();

        let asked = ["open", "open", "open", "closed"].map(|given| renders(&rendering, given, 3));
        assert_eq!(asked, [true, true, false, true]);
        assert!(renders(&rendering.clone(), "open", 3), "a copy");

        let rendering = Rendering::default();
        assert_eq!(
            [(); 3].map(|()| renders(&rendering, (), MOST_BYTES)),
            [true; 3]
        );
    }

    #[test]
    fn what_fails_is_not_kept() {
        let rendering = Rendering::default();
        let failed = rendering.forms((), || Err("no JSON"));

        assert_eq!(failed, Err("no JSON"));
        assert!(renders(&rendering, (), 3) && renders(&rendering, (), 3));
    }
}
