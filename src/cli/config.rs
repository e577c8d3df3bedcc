//! `lockstep config`.

use std::{io::Write as _, process::ExitCode};

use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: super::Settings,
}

/// Prints the settings that `serve` would use, without passwords. Refuses what `serve` refuses.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let settings = &arguments.settings;
    let config = Config::load(settings.config.as_deref(), settings)?;
    write!(std::io::stdout(), "{}", config.shown()?)?;
    Ok(ExitCode::SUCCESS)
}
