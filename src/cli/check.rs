//! `lockstep check`.

mod json;
mod sarif;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::ensure;

use crate::{
    app,
    config::Config,
    workflow::{Finding, Severity},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How faults are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 1 for warnings too.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    settings: super::ContentSettings,
}

/// How faults are printed.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    /// A line each, as compilers do: `PATH:LINE: SEVERITY: PROBLEM [RULE]`.
    #[default]
    Text,
    /// One JSON object, with what to do about each fault.
    Json,
    /// SARIF 2.1.0, which code hosts show beside the lines.
    Sarif,
}

/// Prints every fault on standard output.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = &arguments.settings;
    let config = Config::load(settings.config.as_deref(), settings)?;
    let content = &config.content;
    ensure!(
        content.is_dir(),
        "there is no directory {}: give --content",
        content.display()
    );
    let findings = app::check(content);
    let mut stdout = io::stdout().lock();
    match arguments.format {
        Format::Text => text(&mut stdout, content, &findings)?,
        Format::Json => pretty(&mut stdout, &json::report(&findings))?,
        Format::Sarif => pretty(&mut stdout, &sarif::log(&findings))?,
    }
    let least = match arguments.strict {
        true => Severity::Warning,
        false => Severity::Error,
    };
    let failed = findings.iter().any(|f| f.rule.severity <= least);
    Ok(ExitCode::from(u8::from(failed)))
}

fn text(out: &mut impl Write, content: &Path, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    let shown = content.display();
    if findings.is_empty() {
        return writeln!(out, "{shown}: no faults");
    }
    let counts = SEVERITIES.map(|severity| match count(findings, severity) {
        1 => format!("1 {severity}"),
        n => format!("{n} {severity}s"),
    });
    writeln!(out, "{shown}: {}", counts.join(", "))
}

const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

fn count(findings: &[Finding], severity: Severity) -> usize {
    let all = findings.iter();
    all.filter(|f| f.rule.severity == severity).count()
}

fn pretty(out: &mut impl Write, value: &serde_json::Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}
