//! The workflow engine over real files: what it promises, attacked.

mod content;
mod corpus;
mod fixture;
mod gates;
mod machine;
mod processes;
mod races;
mod recovery;
mod state;
