//! `lockstep search`.

use std::{io::Write, process::ExitCode, time::Duration};

use opentelemetry::metrics::Meter;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{ContentSettings, progress::wait_until_ready};
use crate::{
    app,
    config::Config,
    search::{Answer, Passage, Query},
};

/// The widest line of a passage's text: what a terminal of 100 columns shows indented.
const SHOWN_CHARS: usize = 96;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What you want to know, best as a full sentence.
    question: String,
    /// Passages to show, 1 to 50.
    #[arg(short, long, value_name = "COUNT")]
    n_results: Option<u64>,
    /// Only passages of this phase.
    #[arg(long, value_name = "NUMBER")]
    phase: Option<u64>,
    /// Only passages with this tag; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only passages of files that match this glob, such as `**/api-*.md`.
    #[arg(long, value_name = "GLOB")]
    file: Option<String>,
    /// Only passages of files in this directory below `standards/`.
    #[arg(long, value_name = "DIR")]
    category: Option<String>,
    /// How passages are found: hybrid, vector or keyword.
    #[arg(long, default_value = "hybrid")]
    mode: String,
    /// Passages of one file at most, as long as others are left.
    #[arg(long, value_name = "COUNT")]
    max_per_file: Option<u64>,
    /// Tokens of all passages together at most.
    #[arg(long, value_name = "COUNT")]
    max_tokens: Option<u64>,
    /// Print the answer as JSON, as agents get it.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) settings: ContentSettings,
}

impl Arguments {
    fn query(&self) -> anyhow::Result<Query> {
        let mut query = Query::new(&self.question)?.with_mode(&self.mode)?;
        if let Some(n_results) = self.n_results {
            query = query.with_n_results(n_results)?;
        }
        if let Some(phase) = self.phase {
            query = query.with_phase(phase)?;
        }
        if let Some(glob) = &self.file {
            query = query.with_file(glob)?;
        }
        if let Some(category) = &self.category {
            query = query.with_category(category)?;
        }
        if let Some(most) = self.max_per_file {
            query = query.with_max_per_file(most)?;
        }
        if let Some(most) = self.max_tokens {
            query = query.with_max_tokens(most)?;
        }
        Ok(query.with_tags(&self.tags)?)
    }
}

/// Answers one question from the content directory, without a server.
pub(super) async fn run(
    config: Config,
    meter: Meter,
    arguments: Arguments,
) -> anyhow::Result<ExitCode> {
    let query = arguments.query()?;
    let engine = app::search_engine(&config, &meter).await?;
    wait_until_ready(&engine).await;
    let started = Instant::now();
    let answer = engine.search(query).await.map_err(anyhow::Error::from)?;
    let took = started.elapsed();
    let mut stdout = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut stdout, &as_json(&answer, took))?;
        writeln!(stdout)?;
    } else {
        print(&mut stdout, &answer, took)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, answer: &Answer, took: Duration) -> std::io::Result<()> {
    for (place, passage) in answer.passages.iter().enumerate() {
        let (first, _) = passage.lines();
        let (file, section) = (passage.file(), passage.section());
        writeln!(
            out,
            "{}. {file}:{first}  {section}  {:.2}",
            place + 1,
            passage.relevance_score
        )?;
        for line in passage
            .content()
            .lines()
            .filter(|line| !line.trim().is_empty())
        {
            let shown: String = line.chars().take(SHOWN_CHARS).collect();
            writeln!(out, "   {shown}")?;
        }
        writeln!(out)?;
    }
    let (passages, tokens) = (answer.passages.len(), answer.total_tokens);
    let took_ms = took.as_secs_f64() * 1e3;
    match passages {
        0 => writeln!(out, "nothing found ({took_ms:.1} ms)"),
        _ => writeln!(out, "{passages} passages, {tokens} tokens, {took_ms:.1} ms"),
    }
}

/// Renders the answer as `search_standards` does.
fn as_json(answer: &Answer, took: Duration) -> Value {
    let passage = |passage: &Passage| {
        json!({
            "content": passage.content(),
            "file": passage.file(),
            "section": passage.section(),
            "relevance_score": passage.relevance_score,
            "tokens": passage.tokens(),
        })
    };
    json!({
        "results": answer.passages.iter().map(passage).collect::<Vec<_>>(),
        "total_tokens": answer.total_tokens,
        "retrieval_method": answer.retrieval_method(),
        "query_time_ms": took.as_secs_f64() * 1e3,
    })
}
