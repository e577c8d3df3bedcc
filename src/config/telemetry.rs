//! What telemetry tells. Where it goes, the standard `OTEL_*` variables say.

use serde::{Deserialize, Serialize};

/// Settings of telemetry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Let Prometheus scrape `/metrics` of the admin listener. Names are those that it gives to
    /// what it receives over OTLP, so let it have only one of the two: sums would be doubled.
    pub prometheus: bool,
    /// How much a recorded trace tells about cache hits. Loads and waits are spans in any case.
    pub cache_detail: CacheDetail,
    /// Share of the requests that are recorded, if their caller does not decide. 0 to 1.
    /// `OTEL_TRACES_SAMPLER` wins over it.
    pub sample_ratio: f64,
    /// Record whatever a caller says that it records. If not, its requests are recorded at
    /// `sample_ratio`, too: whoever may call could make the server record everything.
    pub trust_remote_sampling: bool,
}

/// Settings of the watchdog.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watchdog {
    /// Seconds after which a lock that is held, or a load that runs, is reported. 0 to 3,600; 0
    /// reports nothing. The slowest that either should be is a second; most clients give up after
    /// thirty, and by then somebody should know why.
    pub limit_secs: u64,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { limit_secs: 10 }
    }
}

/// How much a recorded trace tells about cache hits.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheDetail {
    /// Their number, on the request's span.
    Summary,
    /// The first 16 as events, too.
    #[default]
    Events,
    /// The first 16 as spans, too.
    Spans,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            prometheus: false,
            cache_detail: CacheDetail::default(),
            sample_ratio: 1.0,
            trust_remote_sampling: false,
        }
    }
}
