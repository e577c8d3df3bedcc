//! The handler that rmcp calls.

/// The server.
#[derive(Clone, Debug)]
pub struct McpServer;
