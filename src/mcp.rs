//! The MCP face of the service: tools in, domain calls out.
//!
//! A tool parses its arguments, calls its engine once and renders the answer. What agents send
//! and receive is defined here; the domain's types are not bent to fit the wire.

mod about;
mod caller;
mod date;
mod error;
mod rendered;
mod schema;
mod search;
mod server;
mod tools;
mod trace;
mod workflow;

pub use about::About;
pub use server::McpServer;
