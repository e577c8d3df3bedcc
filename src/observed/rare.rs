//! Keeps a log readable when what it warns of happens a thousand times a second.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The least time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// Something that is logged once a second at most.
#[derive(Debug, Default)]
pub struct Rare(Mutex<(Option<Instant>, u64)>);

impl Rare {
    /// Counts an occurrence. Returns how many were not logged since the last that was, if this one
    /// should be; none if it should not.
    pub fn occurs(&self) -> Option<u64> {
        let (logged, suppressed) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if logged.is_some_and(|logged| now - logged < PAUSE) {
            *suppressed += 1;
            return None;
        }
        *logged = Some(now);
        Some(std::mem::take(suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_a_second_says_how_many_it_stands_for() {
        let rare = Rare::default();

        assert_eq!(
            [rare.occurs(), rare.occurs(), rare.occurs()],
            [Some(0), None, None]
        );
        tokio::time::sleep(PAUSE).await; // The clock is paused: this takes no time.
        assert_eq!([rare.occurs(), rare.occurs()], [Some(2), None]);
    }
}
