//! The baseline of `load-tests/tools_call` and `load-tests/compare`: rmcp alone, with a tool that
//! adds two numbers, and one that every server of the comparison has.
//!
//! Served as Lockstep serves: no protocol sessions, JSON answers, `TCP_NODELAY`.

use std::{io::Write as _, sync::Arc};

use axum::{Router, serve::ListenerExt as _};
use rmcp::{
    Json, ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
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

#[derive(Clone)]
struct Adder {
    tool_router: Arc<ToolRouter<Self>>,
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
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Adder {}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let adder = Adder {
        tool_router: Arc::new(Adder::tool_router()),
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
