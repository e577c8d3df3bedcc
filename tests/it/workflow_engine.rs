//! The workflow engine over real files: what it promises, attacked.

mod ages;
mod cardinality;
mod compatibility;
mod content;
mod corpus;
pub mod fixture;
mod gates;
mod live_edits;
mod machine;
mod metadata;
mod processes;
mod properties;
mod races;
mod recovery;
mod state;
