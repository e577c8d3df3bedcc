//! `lockstep check`.

use std::{io::Write as _, process::ExitCode};

use anyhow::ensure;

use crate::{app, config::Config};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: super::ContentSettings,
}

/// Prints every fault on standard output as `PATH:LINE: PROBLEM`, as compilers do, so that
/// editors and CI can read them.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = &arguments.settings;
    let config = Config::load(settings.config.as_deref(), settings)?;
    let content = &config.content;
    ensure!(
        content.is_dir(),
        "there is no directory {}: give --content",
        content.display()
    );
    let faults = app::check(content);
    let mut stdout = std::io::stdout().lock();
    for fault in &faults {
        writeln!(stdout, "{fault}")?;
    }
    let shown = content.display();
    match faults.len() {
        0 => writeln!(stdout, "{shown}: no faults")?,
        1 => writeln!(stdout, "{shown}: 1 fault")?,
        n => writeln!(stdout, "{shown}: {n} faults")?,
    }
    Ok(ExitCode::from(u8::from(!faults.is_empty())))
}
