//! `lockstep telemetry`: every instrument, span and event that the server exports.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use serde_json::{Value, json};

use crate::observed::{
    catalogue::{Attribute, Instrument, Kind, TOPICS, Values, all},
    events::{EVENTS, NamedEvent},
    spans::{NamedSpan, SPANS},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    /// Markdown, for people.
    #[default]
    Table,
    /// For what checks dashboards and alerts.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = match arguments.format {
        Format::Table => table(),
        Format::Json => format!("{:#}\n", catalogue()),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn catalogue() -> Value {
    let instrument = |instrument: &Instrument| {
        let mut shown = json!(instrument);
        shown["prometheus"] = json!(instrument.prometheus_name());
        for attribute in shown["attributes"].as_array_mut().into_iter().flatten() {
            let key = attribute["key"].as_str().unwrap_or_default();
            attribute["label"] = json!(key.replace('.', "_"));
        }
        shown
    };
    let span = |span: &NamedSpan| json!({ "name": span.name, "attributes": span.attributes });
    let event = |event: &NamedEvent| json!({ "name": event.name, "severity": event.severity });
    json!({
        "instruments": all().map(instrument).collect::<Vec<_>>(),
        "spans": SPANS.iter().map(span).collect::<Vec<_>>(),
        "events": EVENTS.iter().map(event).collect::<Vec<_>>(),
    })
}

fn table() -> String {
    let mut text = String::from(
        "# Telemetry: metrics, spans, events\n\n\
         Printed by `lockstep telemetry`; `make telemetry` writes it here. Names follow\n\
         OpenTelemetry, and in Prometheus they are those in the second line, whether it scrapes or\n\
         receives OTLP. No attribute holds a key, a query, a path, a caller or a session id.\n",
    );
    for topic in &TOPICS {
        let _ = write!(text, "\n## {}\n", topic.title);
        topic
            .instruments
            .iter()
            .for_each(|instrument| describe(&mut text, instrument));
    }
    spans(&mut text);
    events(&mut text);
    text
}

fn spans(text: &mut String) {
    text.push_str(
        "\n## Spans\n\nBelow the span of a request (`POST /mcp`, and its method with what it is \
         about, such as `tools/call\nworkflow`), if the request is recorded. What hits opens none.\n",
    );
    for span in &SPANS {
        let keys = span.attributes.iter().map(|key| format!("`{key}`"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        let of = if keys.is_empty() { "" } else { ": " };
        let _ = write!(text, "\n- `{}`{of}{keys}.\n  {}\n", span.name, span.meaning);
    }
}

fn events(text: &mut String) {
    text.push_str(
        "\n## Events\n\nLines of the log with a name: `event` of a line in JSON, the event name of an \
         exported record.\n",
    );
    for event in &EVENTS {
        let _ = write!(
            text,
            "\n- `{}` ({}): {}\n",
            event.name, event.severity, event.meaning
        );
    }
}

fn describe(text: &mut String, instrument: &Instrument) {
    let Instrument {
        name,
        unit,
        description,
        ..
    } = instrument;
    let kind = match instrument.kind {
        Kind::Counter => "counter",
        Kind::UpDownCounter => "up-down counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let unit = match *unit {
        "" => String::new(),
        unit => format!(", `{unit}`"),
    };
    let prometheus = instrument.prometheus_name();
    let _ = write!(
        text,
        "\n### {name}\n\n`{prometheus}`: {kind}{unit}. {description}\n"
    );
    if !instrument.attributes.is_empty() {
        text.push('\n');
    }
    for Attribute { key, values } in instrument.attributes {
        let _ = match values {
            Values::OneOf(values) => writeln!(text, "- `{key}`: {}", values.join(", ")),
            Values::Named { of, most: 1 } => writeln!(text, "- `{key}`: {of}"),
            Values::Named { of, most } => writeln!(text, "- `{key}`: {of} (at most {most} values)"),
        };
    }
    if !instrument.boundaries.is_empty() {
        let boundaries: Vec<_> = instrument.boundaries.iter().map(f64::to_string).collect();
        let _ = write!(text, "\nBuckets: {}\n", boundaries.join(", "));
    }
}
