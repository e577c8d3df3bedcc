//! The workflow engine over real files: what it promises, attacked.

mod content;
mod corpus;
mod fixture;
mod gates;
mod live_edits;
mod metadata;
mod processes;
mod races;
mod state;
