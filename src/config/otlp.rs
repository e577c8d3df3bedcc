//! The standard `OTEL_*` variables that decide whether and how telemetry is exported. Endpoints,
//! headers, timeouts and intervals are read by the OpenTelemetry SDK itself.

use super::variable;

/// The wire protocol of the exporter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP with protobuf bodies: OpenTelemetry's default.
    HttpProtobuf,
    /// None: to standard error, as text.
    Console,
}

/// Whether and how each signal is exported; `None` is not at all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Otlp {
    /// `OTEL_SERVICE_NAME`, which by the specification wins over a name among the resource's
    /// attributes; the SDK has it the other way round.
    pub service_name: Option<String>,
    /// `OTEL_TRACES_SAMPLER` says which requests are recorded.
    pub samples: bool,
    /// Spans.
    pub traces: Option<Protocol>,
    /// Metrics.
    pub metrics: Option<Protocol>,
    /// Log records.
    pub logs: Option<Protocol>,
}

impl Otlp {
    /// Reads the environment. A signal is exported if an endpoint is set for it or for all.
    ///
    /// # Errors
    ///
    /// If `OTEL_EXPORTER_OTLP_PROTOCOL`, or a signal's own, names a protocol that we do not speak.
    pub fn from_environment() -> anyhow::Result<Self> {
        Self::from_variables(&variable)
    }

    fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let disabled = variable("OTEL_SDK_DISABLED");
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self::default());
        }
        Ok(Self {
            service_name: variable("OTEL_SERVICE_NAME"),
            samples: variable("OTEL_TRACES_SAMPLER").is_some(),
            traces: signal(variable, "TRACES")?,
            metrics: signal(variable, "METRICS")?,
            logs: signal(variable, "LOGS")?,
        })
    }
}

fn signal(
    variable: &dyn Fn(&str) -> Option<String>,
    signal: &str,
) -> anyhow::Result<Option<Protocol>> {
    let own_or_common = |suffix: &str| {
        variable(&format!("OTEL_EXPORTER_OTLP_{signal}_{suffix}"))
            .or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{suffix}")))
    };
    let exporter = variable(&format!("OTEL_{signal}_EXPORTER"));
    match exporter.as_deref() {
        None | Some("otlp") if own_or_common("ENDPOINT").is_none() => return Ok(None),
        None | Some("otlp") => {}
        Some("none") => return Ok(None),
        Some("console") => return Ok(Some(Protocol::Console)),
        Some(other) => {
            anyhow::bail!("OTEL_{signal}_EXPORTER is {other:?}, use `otlp`, `console` or `none`")
        }
    }
    match own_or_common("PROTOCOL").as_deref() {
        None | Some("http/protobuf") => Ok(Some(Protocol::HttpProtobuf)),
        Some("grpc") => Ok(Some(Protocol::Grpc)),
        Some(other) => {
            anyhow::bail!("OTEL_EXPORTER_OTLP_PROTOCOL is {other:?}, use `http/protobuf` or `grpc`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_exported_where_an_endpoint_is_set() {
        use Protocol::{Grpc, HttpProtobuf};
        type Case<'a> = (&'a [(&'a str, &'a str)], [Option<Protocol>; 3]);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let cases: [Case<'_>; 7] = [
            (
                &[
                    ("OTEL_TRACES_EXPORTER", "console"),
                    ("OTEL_METRICS_EXPORTER", "otlp"),
                ],
                [Some(Protocol::Console), None, None],
            ),
            (&[], [None; 3]),
            (&[endpoint], [Some(HttpProtobuf); 3]),
            (&[endpoint, ("OTEL_SDK_DISABLED", "true")], [None; 3]),
            (
                &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
                [Some(Grpc); 3],
            ),
            (
                &[
                    endpoint,
                    ("OTEL_LOGS_EXPORTER", "none"),
                    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
                ],
                [Some(Grpc), Some(HttpProtobuf), None],
            ),
            (
                &[(
                    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
                    "http://prometheus:9090",
                )],
                [None, Some(HttpProtobuf), None],
            ),
        ];
        for (variables, [traces, metrics, logs]) in cases {
            let read = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let otlp = Otlp::from_variables(&read).unwrap();
            assert_eq!(
                otlp,
                Otlp {
                    service_name: None,
                    samples: false,
                    traces,
                    metrics,
                    logs
                },
                "{variables:?}"
            );
        }
        let odd = |name: &str| {
            Some(
                match name {
                    name if name.ends_with("PROTOCOL") => "http/json",
                    name if name.ends_with("_EXPORTER") => "otlp",
                    _ => "x",
                }
                .to_owned(),
            )
        };
        let error = Otlp::from_variables(&odd).unwrap_err().to_string();
        assert!(error.contains("http/json"), "{error}");
    }
}
