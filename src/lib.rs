#![doc = include_str!("ARCHITECTURE.md")]

// The command line and the composition root.
pub mod app;
pub mod cli;

// The edge.
pub mod admin;
pub mod http;
pub mod mcp;
pub mod stdio;

// The domain.
pub mod search;
pub mod workflow;

// What every part stands on.
pub mod auth;
pub mod config;
pub mod faults;
pub mod observed;
pub mod principal;
pub mod rendering;
mod stamp;
pub mod telemetry;
mod tls;
