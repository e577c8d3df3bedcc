//! Who makes a call.

use http::request::Parts;
use rmcp::{ErrorData, RoleServer, service::RequestContext};
use tracing::error;

use crate::{principal::Principal, workflow::Caller};

/// Whether callers are told apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Callers {
    /// All are one, and share every session.
    #[default]
    One,
    /// Each has its own sessions.
    ToldApart,
}

impl Callers {
    /// Returns whom a request acts for; none where all callers are one.
    ///
    /// # Errors
    ///
    /// If callers are told apart and nobody has told who this is.
    pub(super) fn principal(
        self,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<Principal>, ErrorData> {
        match (self, context.extensions.get::<Parts>()) {
            (Self::One, _) => Ok(None),
            // Whoever holds the other end of standard input has started us.
            (Self::ToldApart, None) => Ok(Some(Principal::local())),
            (Self::ToldApart, Some(http)) => match http.extensions.get::<Principal>() {
                Some(principal) => Ok(Some(principal.clone())),
                None => {
                    error!(name: "lockstep.auth.bypassed", "a request came past authentication");
                    Err(ErrorData::internal_error(
                        "internal error: who calls?",
                        None,
                    ))
                }
            },
        }
    }
}

/// Names the client as it names itself, and the transport that the call came by.
pub(super) fn of(context: &RequestContext<RoleServer>) -> Caller {
    let named = context.client_info();
    let named = named.map(|client| format!("{} {}", client.name, client.version));
    // Only HTTP has a request of its own for each call.
    let transport = match context.extensions.get::<Parts>() {
        Some(_) => "http",
        None => "stdio",
    };
    Caller::new(named.as_deref(), transport)
}
