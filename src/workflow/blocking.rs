//! Work that blocks its thread.

use super::Error;
use crate::observed;

/// Runs `work`, which blocks, where that harms nobody. It is done even if the caller goes away.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    observed::spawn_blocking(work).await?
}

/// As [`blocking`], but on the caller's thread: [`observed::blocking_here`].
pub(super) async fn blocking_here<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    observed::blocking_here(work).await?
}
