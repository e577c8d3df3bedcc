//! Work that blocks its thread.

use tokio::runtime::{Handle, RuntimeFlavor};

use super::Error;
use crate::observed;

/// Runs `work`, which blocks, where that harms nobody. It is done even if the caller goes away.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    observed::spawn_blocking(work).await?
}

/// As [`blocking`], but on the caller's thread, whose other work goes on elsewhere meanwhile.
///
/// To another thread and back takes 50 to 100 µs on a machine that was idle: more than the work of
/// a change that is not the disk's. Whatever else the caller's task has begun stands still
/// meanwhile, so what is to be done beside it comes first.
pub(super) async fn blocking_here<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        // There is no other thread that could go on.
        _ => blocking(work).await,
    }
}
