//! Which requests are recorded, and which spans below a request's there are.

use opentelemetry::{Context, trace::TraceContextExt as _};
use opentelemetry_sdk::trace::{ParentBasedSampler, Sampler, SdkTracer};
use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    filter::{DynFilterFn, LevelFilter},
    registry::LookupSpan,
};

use crate::config::Telemetry;

/// Returns the layer that makes our spans OpenTelemetry's.
///
/// Below a request's span there are spans only if it is recorded: making one costs nearly as much
/// when nobody will see it (0.5 µs; the question whether it is recorded costs some nanoseconds).
/// Work that belongs to no request, such as indexing, is left to the sampler.
pub fn layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let wanted = DynFilterFn::new(|about: &Metadata<'_>, _: &_| is_ours(about) && is_recorded())
        .with_callsite_filter(|about| match is_ours(about) {
            true => Interest::sometimes(),
            false => Interest::never(),
        })
        .with_max_level_hint(LevelFilter::INFO);
    // Location and thread names cost more than the span itself and tell nobody anything.
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_error_events_to_status(false)
        .with_filter(wanted)
}

fn is_ours(about: &Metadata<'_>) -> bool {
    let ours = about.target().starts_with(env!("CARGO_PKG_NAME"));
    ours && about.is_span() && *about.level() <= LevelFilter::INFO
}

fn is_recorded() -> bool {
    Context::map_current(|now| !now.has_active_span() || now.span().is_recording())
}

/// Decides which requests are recorded: whatever an earlier span of ours decided; what the caller
/// decided, if it is trusted; else the ratio.
pub(super) fn sampler(settings: &Telemetry) -> ParentBasedSampler {
    let ratio = || Sampler::TraceIdRatioBased(settings.sample_ratio);
    let sampler = Sampler::parent_based(ratio());
    match settings.trust_remote_sampling {
        true => sampler,
        false => sampler.with_remote_parent_sampled(ratio()),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::trace::{SamplingDecision, ShouldSample as _};

    use super::*;

    #[test]
    fn what_a_caller_says_that_it_records_is_recorded_only_if_callers_are_trusted() {
        let trace = TraceId::from(u128::MAX);
        let (span, state) = (SpanId::from(1), TraceState::default());
        let caller = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, state);
        let caller = Context::new().with_remote_span_context(caller);
        for trusted in [false, true] {
            let settings = Telemetry {
                sample_ratio: 0.0,
                trust_remote_sampling: trusted,
                ..Telemetry::default()
            };

            let (sampler, kind) = (sampler(&settings), SpanKind::Server);
            let sampled = sampler.should_sample(Some(&caller), trace, "a", &kind, &[], &[]);

            let recorded = sampled.decision == SamplingDecision::RecordAndSample;
            assert_eq!(recorded, trusted);
        }
    }
}
