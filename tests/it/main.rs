//! Integration tests: one binary, so that one link serves them all.
//!
//! A test is named after a promise. It makes its race happen with a barrier, a channel or a
//! paused clock, and never waits for a while. Servers are real, on port 0; clients are real;
//! exporters are in memory. Only the harness binds ports and makes directories.
#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod auth;
mod authoring;
mod catalogue;
mod check;
mod completion;
mod cost;
mod crash;
mod details;
mod dynamic;
mod edge;
mod events;
#[cfg(feature = "faults")]
mod faults;
mod gates;
mod harness;
mod index_command;
mod layering;
mod observed;
mod operators;
mod process;
mod prompts;
mod protocol;
mod races;
mod real_workflows;
mod resources;
mod schema;
mod search_engine;
mod search_tool;
mod sessions;
mod store;
mod telemetry;
mod tools;
mod traces;
mod waits;
mod watchdog;
mod workflow_engine;
