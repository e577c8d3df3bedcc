//! The list of tools.
