//! Why a caller is not let in.

use std::sync::Arc;

/// Why a caller is not let in. What it sent is never repeated.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Denied {
    /// It sent no token.
    #[error("the request has no token")]
    Missing,

    /// It sent one that does not count.
    #[error("the token is not accepted: {0}")]
    Invalid(&'static str),

    /// It sent one that counted once.
    #[error("the token is expired")]
    Expired,

    /// It sent one that does not reach so far.
    #[error("the token has not the scope {0}")]
    Scope(Arc<str>),

    /// Nobody can tell.
    #[error("tokens cannot be checked now: {0}")]
    Unavailable(Arc<str>),
}
