//! The baseline of `load-tests/tools_call` and `load-tests/compare`: rmcp alone, with a tool that
//! adds two numbers, one that every server of the comparison has, and one that recites what it has
//! read at its start: a file with a JSON object, by its keys.
//!
//! Served as Lockstep serves: no protocol sessions, JSON answers, `TCP_NODELAY`.

use std::{io::Write as _, sync::Arc};

use axum::{Router, serve::ListenerExt as _};
use rmcp::{
    Json, ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    model::{CallToolResult, JsonObject},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use tokio::net::TcpListener;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Terms {
    a: i64,
    b: i64,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Sum {
    sum: i64,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct DateView {
    iso_date: String,
    iso_datetime: String,
    day_of_week: String,
    month: String,
    year: i16,
    unix_timestamp: i64,
    formatted: Formatted,
    usage_note: &'static str,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Formatted {
    spec_directory: String,
    header: String,
    readable: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Piece {
    key: String,
}

#[derive(Clone)]
struct Adder {
    tool_router: Arc<ToolRouter<Self>>,
    pieces: Arc<JsonObject>,
}

#[tool_router]
impl Adder {
    #[tool(description = "Add two integers")]
    async fn add(&self, Parameters(Terms { a, b }): Parameters<Terms>) -> Json<Sum> {
        Json(Sum { sum: a + b })
    }

    #[tool(description = "The date and time of this machine")]
    async fn current_date(&self) -> Json<DateView> {
        let now = jiff::ZonedDateTime::now();
        let date = now.strftime("%Y-%m-%d").to_string();
        Json(DateView {
            iso_datetime: now.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
            day_of_week: now.strftime("%A").to_string(),
            month: now.strftime("%B").to_string(),
            year: now.year(),
            unix_timestamp: now.timestamp().as_second(),
            formatted: Formatted {
                spec_directory: format!("{date}-"),
                header: format!("**Date**: {date}"),
                readable: now.strftime("%B %-d, %Y").to_string(),
            },
            iso_date: date,
            usage_note: "use iso_date wherever a document needs a date",
        })
    }

    /// As rmcp has it for an answer with structure: the value, and its text.
    #[tool(description = "Recite what is known by a key")]
    async fn recite(&self, Parameters(Piece { key }): Parameters<Piece>) -> CallToolResult {
        CallToolResult::structured(self.pieces[&key].clone())
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Adder {}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let pieces = match std::env::args().nth(1) {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => JsonObject::new(),
    };
    let adder = Adder {
        tool_router: Arc::new(Adder::tool_router()),
        pieces: Arc::new(pieces),
    };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(adder.clone()), sessions, config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "http://{}/mcp", listener.local_addr()?)?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route_service("/mcp", service)).await
}
