//! The `workflow` tool.
