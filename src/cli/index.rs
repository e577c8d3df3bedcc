//! `lockstep index`: makes the vectors ahead, for images and init containers.

use std::{io::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use opentelemetry::metrics::Meter;
use serde_json::json;
use tokio::time::Instant;

use super::{ContentSettings, progress::wait_until_ready};
use crate::{app, config::Config};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) settings: ContentSettings,
}

/// Fills the cache of vectors. Exits with 1 if the model failed on a passage.
pub(super) async fn run(
    config: Config,
    meter: Meter,
    arguments: Arguments,
) -> anyhow::Result<ExitCode> {
    let cache = config.search.cache.dir();
    let cache = cache
        .context("search.cache is off: there is no directory for the vectors")?
        .to_owned();
    let content = config.content.clone();
    if !content.is_dir() {
        bail!(
            "there is no directory {}: give --content",
            content.display()
        );
    }
    let started = Instant::now();
    let engine = app::search_engine(&config, &meter).await?;
    wait_until_ready(&engine).await;
    let (status, took) = (engine.status(), started.elapsed());
    if let Some(failure) = &status.cache_failure {
        bail!("vectors cannot be kept: {failure}");
    }
    let mut stdout = std::io::stdout();
    let (content, cache) = (content.display(), cache.display());
    let (passages, embedded) = (status.chunks, status.inferred);
    if arguments.json {
        let done = json!({
            "content": content.to_string(),
            "cache": cache.to_string(),
            "files": status.files,
            "passages": passages,
            "embedded": embedded,
            "left_out": status.left_out,
            "faults": status.faults,
            "elapsed_ms": took.as_millis() as u64,
        });
        writeln!(stdout, "{done:#}")?;
    } else if embedded == 0 {
        writeln!(
            stdout,
            "{content}: nothing to do, the vectors of all {passages} passages are in {cache}"
        )?;
    } else {
        let seconds = took.as_secs_f64();
        writeln!(
            stdout,
            "{content}: {passages} passages, {embedded} embedded in {seconds:.1} s, kept in {cache}"
        )?;
        if status.left_out > 0 {
            writeln!(stdout, "the model failed on {} passages", status.left_out)?;
        }
    }
    Ok(ExitCode::from(u8::from(status.left_out > 0)))
}
