//! What tests share.

mod binary;
mod collector;
mod content;
mod corpus;
mod embedder;
pub mod issuer;
mod metrics;
mod onnx;
mod postgres;
mod server;
mod spans;
mod tiny_model;

pub use binary::{Binary, Output, file_url};
pub(crate) use collector::Collector;
pub use content::Content;
pub use corpus::corpus;
pub use embedder::CountingEmbedder;
pub use issuer::{Issuer, SigningKey};
pub use metrics::{Series, TestMetrics};
pub use postgres::Database;
pub use server::{Client, TestServer, edge_around, tool_call};
pub use spans::{Root, attribute, record, traced};
pub use tiny_model::{tiny_cross_encoder, tiny_model};
