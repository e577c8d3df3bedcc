//! The MCP face of the service: tools and resources in, domain calls out.
//!
//! A tool parses its arguments, calls its engine once and renders the answer. What agents send
//! and receive is defined here; the domain's types are not bent to fit the wire.

mod about;
mod caller;
mod date;
mod error;
mod rendered;
mod resources;
mod schema;
mod search;
mod server;
mod tools;
mod trace;
mod workflow;

pub use about::{About, CacheLine, LockLine, Lookups, Measured, Meters};
pub use server::McpServer;
