//! The workflow engine over real files: what it promises, attacked.

mod ages;
mod compatibility;
mod content;
mod corpus;
mod fixture;
mod gates;
mod machine;
mod processes;
mod properties;
mod races;
mod recovery;
mod state;
