//! Boundaries of histograms. Each set is sorted; values above the last one are in the last bucket.

/// Protocol operations in seconds: OpenTelemetry's for MCP, and four below, because most calls
/// take less than a hundredth.
pub(super) const OPERATION: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
    120.0, 300.0,
];
/// HTTP requests in seconds: OpenTelemetry's.
pub(super) const HTTP: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Bodies in bytes, up to the largest that is allowed by default.
pub(super) const BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
];
/// Loads and reads in seconds: from a file read to a slow model.
pub(super) const LOAD: &[f64] = &[
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0, 10.0,
];
/// Waits in seconds: from a hand-over between two tasks to a stuck holder.
pub(super) const WAIT: &[f64] = &[
    1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0,
];
/// Work of agents in seconds: from a moment to a day.
pub(super) const LONG: &[f64] = &[1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
/// Rebuilds in seconds: from a changed word to a new model.
pub(super) const REBUILD: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];
/// Passages of an answer.
pub(super) const RESULTS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];
