//! `lockstep call`, for tests of an installed server where there is no other client.

use std::{fs, io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use crate::config;

/// The longest that a server may take to answer: more than any tool takes.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The tool.
    tool: String,
    /// Its arguments, as a JSON object.
    #[arg(default_value = "{}", value_name = "JSON")]
    arguments: String,
    /// Where the server is; http only.
    #[arg(long, default_value = "http://127.0.0.1:8080/mcp")]
    url: Uri,
    /// A file with the token that the server asks for, if it does [default: the variable
    /// `LOCKSTEP_TOKEN`].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Text that the answer must contain; may be given several times.
    #[arg(long = "expect", value_name = "TEXT")]
    expected: Vec<String>,
}

/// Calls the tool and prints its answer. Exits with 1 if the tool refused, or the answer is not
/// the expected one.
pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let given: Value =
        serde_json::from_str(&arguments.arguments).context("the arguments are not JSON")?;
    let body = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": { "name": arguments.tool, "arguments": given },
    });
    let (url, token) = (&arguments.url, arguments.bearer()?);
    let answer = timeout(TIMEOUT, post(url, token, body.to_string()))
        .await
        .with_context(|| format!("{url} did not answer in {TIMEOUT:?}"))??;
    let answer: Value = serde_json::from_slice(&answer)
        .with_context(|| format!("{url} answered {}", String::from_utf8_lossy(&answer)))?;
    let shown = format!("{answer:#}");
    writeln!(std::io::stdout(), "{shown}")?;
    Ok(match fault(&answer, &shown, &arguments.expected) {
        None => ExitCode::SUCCESS,
        Some(fault) => {
            super::failed(&anyhow::anyhow!(fault));
            ExitCode::FAILURE
        }
    })
}

impl Arguments {
    /// Returns the header with the token, if there is one. What it says is not repeated.
    fn bearer(&self) -> anyhow::Result<Option<HeaderValue>> {
        let token = match &self.token_file {
            Some(file) => Some(
                fs::read_to_string(file)
                    .with_context(|| format!("no token in {}", file.display()))?,
            ),
            None => config::token_of_environment(),
        };
        let Some(token) = token else {
            return Ok(None);
        };
        let header = HeaderValue::try_from(format!("Bearer {}", token.trim()));
        let mut header = header
            .ok()
            .context("the token has characters that none has")?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}

/// Returns what is wrong with an answer, if anything is.
fn fault(answer: &Value, shown: &str, expected: &[String]) -> Option<String> {
    if let Some(error) = answer.get("error") {
        return Some(format!("the server answered {error}"));
    }
    let Some(result) = answer.get("result") else {
        return Some("the answer is no result of a tool".to_owned());
    };
    if result["isError"] == true {
        return Some("the tool refused".to_owned());
    }
    let missing = expected.iter().find(|text| !shown.contains(*text))?;
    Some(format!("the answer does not contain {missing:?}"))
}

async fn post(url: &Uri, token: Option<HeaderValue>, body: String) -> anyhow::Result<Bytes> {
    let (host, port) = (url.host(), url.port_u16().unwrap_or(80));
    let host = host.with_context(|| format!("{url} names no host"))?;
    let scheme = url.scheme_str();
    ensure!(scheme == Some("http"), "{url} does not begin with http://");
    // An IPv6 address stands in brackets in an address of the web, and without them elsewhere.
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((bare, port))
        .await
        .with_context(|| format!("nothing answers at {host}:{port}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::post(url.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", format!("{host}:{port}"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Full::new(Bytes::from(body)))?;
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token);
    }
    let answer = sender.send_request(request).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_at_fault_unless_a_tool_gave_it_and_it_says_what_is_expected() {
        let cases = [
            (json!({ "result": { "content": ["42"] } }), None),
            (json!({ "result": { "content": ["41"] } }), Some("\"42\"")),
            (
                json!({ "result": { "isError": true, "content": ["42"] } }),
                Some("refused"),
            ),
            (json!({ "error": { "message": "42" } }), Some("42")),
            (json!({ "content": "42" }), Some("no result")),
        ];
        for (answer, said) in cases {
            let found = fault(&answer, &answer.to_string(), &["42".to_owned()]);
            match (&found, said) {
                (Some(fault), Some(said)) => assert!(fault.contains(said), "{fault}"),
                (found, said) => assert_eq!(found.is_some(), said.is_some(), "{answer}"),
            }
        }
    }
}
