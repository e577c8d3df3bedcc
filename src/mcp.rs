//! The MCP face of the service: tools, resources, prompts and completion in, domain calls out.
//!
//! A tool parses its arguments, calls its engine once and renders the answer. What agents send
//! and receive is defined here; the domain's types are not bent to fit the wire.

mod about;
mod aside;
mod authoring;
mod caller;
mod completion;
mod date;
mod error;
mod observed_server;
mod operation;
mod prompts;
mod rendered;
mod resources;
mod schema;
mod search;
mod server;
mod shown;
mod tools;
mod workflow;

pub use about::{About, CacheLine, LockLine, Lookups, Measured, Meters};
pub use aside::{Aside, Mark};
pub use caller::Callers;
pub use observed_server::ObservedServer;
pub use operation::panicked;
pub use server::McpServer;
pub use tools::Offered;
