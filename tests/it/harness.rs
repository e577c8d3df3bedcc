//! What tests share.

mod metrics;
mod spans;

pub use metrics::TestMetrics;
pub use spans::traced;
