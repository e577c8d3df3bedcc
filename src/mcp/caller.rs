//! Who makes a call.

use http::request::Parts;
use rmcp::{RoleServer, service::RequestContext};

use crate::workflow::Caller;

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
