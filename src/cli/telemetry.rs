//! `lockstep telemetry`: every instrument that the server exports.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use serde_json::{Value, json};

use crate::observed::catalogue::{Attribute, Instrument, Kind, TOPICS, Values, all};

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
    json!({ "instruments": all().map(instrument).collect::<Vec<_>>() })
}

fn table() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
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
    text
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
