//! The MCP face of the service: tools in, domain calls out.
