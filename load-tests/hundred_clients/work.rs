//! What one client does, and what all have done.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, ensure};
use rmcp::{
    RoleClient, ServiceExt as _, model::CallToolRequestParams, service::RunningService,
    transport::StreamableHttpClientTransport,
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Clients that work on one session together.
const CLIENTS_A_SESSION: usize = 5;

const TOPICS: [&str; 6] = [
    "reviews",
    "load tests",
    "releases",
    "incidents",
    "names",
    "errors",
];

type Client = RunningService<RoleClient, ()>;

/// Calls that were answered, how long each took, and what went wrong.
#[derive(Default)]
pub(crate) struct Tally {
    calls: BTreeMap<&'static str, Vec<Duration>>,
    errors: Vec<String>,
}

impl Tally {
    /// Adds what another client has done.
    pub(crate) fn add(&mut self, other: Self) {
        for (call, times) in other.calls {
            self.calls.entry(call).or_default().extend(times);
        }
        self.errors.extend(other.errors);
    }

    /// Returns the number of errors.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.len() as u64
    }

    /// Prints rates and percentiles.
    pub(crate) fn print(&mut self, seconds: usize) {
        let all: usize = self.calls.values().map(Vec::len).sum();
        for (call, times) in &mut self.calls {
            times.sort_unstable();
            let at = |percent: usize| times[(times.len() - 1) * percent / 100];
            let (count, half, most) = (times.len(), at(50), at(99));
            println!("{call:32} {count:8} calls   p50 {half:10.2?}   p99 {most:10.2?}");
        }
        println!(
            "{all} calls, {} a second, {} errors",
            all / seconds.max(1),
            self.errors.len()
        );
        for error in self.errors.iter().take(10) {
            println!("error: {error}");
        }
    }

    async fn call(
        &mut self,
        client: &Client,
        name: &'static str,
        tool: &'static str,
        arguments: Value,
    ) -> anyhow::Result<Value> {
        let arguments = arguments
            .as_object()
            .context("arguments are an object")?
            .clone();
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let started = Instant::now();
        let result = client
            .call_tool(params)
            .await
            .with_context(|| name.to_owned())?;
        self.calls.entry(name).or_default().push(started.elapsed());
        result
            .structured_content
            .with_context(|| format!("{name}: no structured answer"))
    }
}

/// Works until the time is over. An error ends the client, and is counted.
pub(crate) async fn work(url: &str, client: usize, until: Instant) -> Tally {
    let mut tally = Tally::default();
    if let Err(error) = rounds(&mut tally, url, client, until).await {
        tally.errors.push(format!("client {client}: {error:#}"));
    }
    tally
}

async fn rounds(tally: &mut Tally, url: &str, number: usize, until: Instant) -> anyhow::Result<()> {
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = ().serve(transport).await?;
    let mut round = 0;
    while Instant::now() < until {
        own_session(tally, &client, number, round).await?;
        shared_session(tally, &client, number, round).await?;
        for topic in TOPICS {
            // Cold for the first client of a round, then coalesced or cached for the others.
            search(tally, &client, topic, round).await?;
        }
        round += 1;
    }
    client.cancel().await?;
    Ok(())
}

/// Runs a session that nobody else knows from start to end.
async fn own_session(
    tally: &mut Tally,
    client: &Client,
    number: usize,
    round: usize,
) -> anyhow::Result<()> {
    let target = format!("own/{number}-{round}.rs");
    let start = json!({ "action": "start", "workflow_type": "load_v1", "target_file": target });
    let started = tally.call(client, "start", "workflow", start).await?;
    let id = &started["session_id"];
    for phase in 0..3 {
        let get = json!({ "action": "get_phase", "session_id": id });
        let open = tally.call(client, "get_phase", "workflow", get).await?;
        ensure!(open["current_phase"] == phase, "own session: {open}");
        let complete = json!({ "action": "complete_phase", "session_id": id, "phase": phase,
            "evidence": { "by": format!("client {number}") } });
        let completed = tally
            .call(client, "complete_phase", "workflow", complete)
            .await?;
        ensure!(
            completed["checkpoint_passed"] == true,
            "own session: {completed}"
        );
    }
    let state = json!({ "action": "get_state", "session_id": id });
    let state = tally.call(client, "get_state", "workflow", state).await?;
    let state = &state["workflow_state"];
    ensure!(state["is_complete"] == true, "own session: {state}");
    ensure!(
        state["target_file"] == json!(target),
        "own session: {state}"
    );
    Ok(())
}

/// Starts or joins the session of this client's group and tries to complete its open phase, as
/// the others of the group do.
async fn shared_session(
    tally: &mut Tally,
    client: &Client,
    number: usize,
    round: usize,
) -> anyhow::Result<()> {
    let target = format!("shared/{}-{}.rs", number / CLIENTS_A_SESSION, round / 4);
    let start = json!({ "action": "start", "workflow_type": "load_v1", "target_file": target });
    let joined = tally
        .call(client, "start, shared", "workflow", start)
        .await?;
    ensure!(joined["status"] == "success", "shared session: {joined}");
    let complete = json!({ "action": "complete_phase", "session_id": joined["session_id"],
        "phase": joined["current_phase"], "evidence": { "by": format!("client {number}") } });
    let completed = tally
        .call(client, "complete_phase, shared", "workflow", complete)
        .await?;
    // Another of the group may have been faster, which the answer then says.
    let lost = completed["error"]
        .as_str()
        .is_some_and(|error| error.contains("phase"));
    let won = completed["checkpoint_passed"] == true;
    let finished = completed["error"]
        .as_str()
        .is_some_and(|error| error.contains("complete"));
    ensure!(won || lost || finished, "shared session: {completed}");
    Ok(())
}

async fn search(
    tally: &mut Tally,
    client: &Client,
    topic: &str,
    round: usize,
) -> anyhow::Result<()> {
    let query = format!("what has the team agreed on {topic}? ({round})");
    let arguments = json!({ "query": query, "n_results": 1 });
    let answer = tally
        .call(client, "search_standards", "search_standards", arguments)
        .await?;
    ensure!(answer["results"][0]["file"].is_string(), "search: {answer}");
    Ok(())
}
