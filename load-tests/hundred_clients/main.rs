//! A hundred clients work for a minute: sessions of their own, sessions that they share, and
//! searches. Every answer is checked, and the server's own metrics say whether a load ran twice.
//!
//! `cargo run --release --example hundred_clients -- [CLIENTS] [SECONDS]`. Exit code 1 at any
//! error or double load.
#![expect(clippy::print_stdout, reason = "a load test prints its result")]

#[path = "../../tests/it/harness/collector.rs"]
mod collector;
mod server;
mod work;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use futures::future::join_all;
use tokio::time::Instant;

use collector::Collector;
use server::Server;
use work::{Tally, work};

/// The largest number of clients that one machine's sockets comfortably take.
const MAX_CLIENTS: usize = 1_000;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text
            .parse()
            .with_context(|| format!("{text:?} is not a number")),
        None => Ok(default),
    };
    let (clients, seconds) = (number(100)?.clamp(1, MAX_CLIENTS), number(60)?);
    let mut collector = Collector::spawn().await;
    let server = Server::spawn(collector.address).await?;
    println!("{clients} clients, {seconds} s, {}", server.url());

    let until = Instant::now() + Duration::from_secs(seconds as u64);
    let workers = (0..clients).map(|client| {
        let url = server.url().to_owned();
        tokio::spawn(async move { work(&url, client, until).await })
    });
    let mut tally = Tally::default();
    for worked in join_all(workers).await {
        tally.add(worked?);
    }
    server.stop().await?;

    tally.print(seconds);
    let metrics = collector.received();
    let last = |name: &str| {
        let prefix = format!("metric {name}=");
        let values = metrics
            .iter()
            .rev()
            .find_map(|metric| metric.strip_prefix(&prefix));
        values.and_then(|value| value.parse::<u64>().ok())
    };
    let lookups = last("lockstep.cache.lookups").context("no lookups were exported")?;
    let double_loads =
        last("lockstep.cache.double_loads").context("no double loads were exported")?;
    println!("cache lookups {lookups}, double loads {double_loads}");
    Ok(match tally.errors() + double_loads {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
