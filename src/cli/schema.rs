//! `lockstep schema`.

use std::{io::Write as _, process::ExitCode};

use crate::workflow;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which format.
    #[arg(value_enum)]
    format: Format,
}

/// A format that authors write.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// `gate-definition.yaml`.
    Gate,
    /// `metadata.json`.
    Metadata,
}

/// Prints the JSON Schema of a format, for editors.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let schema = match arguments.format {
        Format::Gate => workflow::gate_schema(),
        Format::Metadata => workflow::metadata_schema(),
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{schema:#}")?;
    Ok(ExitCode::SUCCESS)
}
