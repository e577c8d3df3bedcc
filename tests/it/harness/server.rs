//! A real server on a port of its own, and clients of it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use jsonschema::Validator;
use lockstep::{
    app::{App, Listeners},
    config::{Config, Transport},
    http::{self, Ending, Endpoint, Settings},
    mcp::ObservedServer,
    observed::{CacheDetail, Requests},
    search::Embedder,
};
use rmcp::{
    RoleClient, ServerHandler, ServiceExt as _,
    model::{CallToolRequestParams, CallToolResult, Tool},
    service::{RunningService, ServiceError},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Content, CountingEmbedder, TestMetrics, file_url};

/// A client of either transport.
pub type Client = RunningService<RoleClient, ()>;

/// A server with small content, an empty state directory, and a model that counts; stopped when
/// dropped.
pub struct TestServer {
    pub address: SocketAddr,
    /// Where operators ask.
    pub admin: SocketAddr,
    pub content: Content,
    pub state: TempDir,
    pub metrics: TestMetrics,
    pub embedder: CountingEmbedder,
    handler: ObservedServer,
    client: Client,
    schemas: HashMap<String, Validator>,
    serving: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
    _stopped: DropGuard,
}

impl TestServer {
    pub async fn spawn() -> Self {
        Self::spawn_with(|_| {}).await
    }

    /// Starts a server whose configuration `change` has changed.
    pub async fn spawn_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::spawn_for(None, change).await
    }

    /// As [`Self::spawn_with`]; the server's own client shows `token`.
    pub async fn spawn_for(token: Option<&str>, change: impl FnOnce(&mut Config)) -> Self {
        super::record();
        let embedder = CountingEmbedder::default();
        let workers: Vec<Box<dyn Embedder>> = vec![Box::new(embedder.clone())];
        let metrics = TestMetrics::new();
        let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
        let mut config = Config {
            transport: Transport::Http,
            content: content.path().to_owned(),
            state: file_url(state.path()).parse().unwrap(),
            ..Config::default()
        };
        change(&mut config);
        let (public, address) = listener().await;
        let (operators, admin) = listener().await;
        let listeners = Listeners {
            public: Some(public),
            admin: Some(operators),
        };
        let meter = metrics.meter();
        let app = App::with_embedders(config, workers, &meter).await.unwrap();
        let app = app.readable_in(metrics.registry.clone());
        app.ready().await;
        let handler = app.handler();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(app.serve(listeners, stop.clone()));
        let client = connect(address, token).await;
        let schemas = declared_schemas(&client).await;
        Self {
            address,
            admin,
            content,
            state,
            metrics,
            embedder,
            handler,
            client,
            schemas,
            serving,
            _stopped: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Returns another client over HTTP.
    pub async fn client(&self) -> Client {
        connect(self.address, None).await
    }

    /// Returns another client over HTTP that shows `token`.
    pub async fn client_of(&self, token: &str) -> Client {
        connect(self.address, Some(token)).await
    }

    /// Returns a client at the other end of a pipe, as a process's standard input and output are.
    pub async fn stdio_client(&self) -> Client {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let handler = self.handler.clone();
        tokio::spawn(async move { handler.serve(ours).await.unwrap().waiting().await });
        ().serve(theirs).await.unwrap()
    }

    /// Calls a tool over HTTP and returns its result, good or not, which keeps to the schema that
    /// the tool declares.
    pub async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        let result = tool_call(&self.client, tool, arguments).await.unwrap();
        let answer = result.structured_content.as_ref().unwrap();
        let faults: Vec<_> = self.schemas[tool]
            .iter_errors(answer)
            .map(|fault| fault.to_string())
            .collect();
        assert!(faults.is_empty(), "{tool}: {faults:?} in {answer}");
        let text = &result.content[0].as_text().unwrap().text;
        assert_eq!(*text, answer.to_string(), "{tool}: for who reads only text");
        result
    }

    /// Calls a tool that must succeed, and returns its structured answer.
    pub async fn ok(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        let answer = result.structured_content.unwrap();
        assert_ne!(result.is_error, Some(true), "{tool}: {answer}");
        answer
    }

    /// Calls a tool that must be refused, and returns the body that tells the agent why.
    pub async fn refused(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments.clone()).await;
        let answer = result.structured_content.unwrap();
        assert_eq!(result.is_error, Some(true), "{tool} {arguments}: {answer}");
        answer
    }

    /// Calls an action of the workflow tool that must succeed.
    pub async fn workflow(&self, action: &str, arguments: Value) -> Value {
        self.ok("workflow", with_action(action, arguments)).await
    }

    /// Starts a session of `two_phases_v1` on a target of its own and returns its id.
    pub async fn started(&self) -> String {
        static TARGETS: AtomicUsize = AtomicUsize::new(0);
        let target = format!("src/{}.rs", TARGETS.fetch_add(1, SeqCst));
        let arguments = json!({ "workflow_type": "two_phases_v1", "target_file": target });
        let started = self.workflow("start", arguments).await;
        started["session_id"].as_str().unwrap().to_owned()
    }

    /// Posts raw bytes to the endpoint, as a client of the current protocol would.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        reqwest::Client::new()
            .post(self.url())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    }

    /// Gets a path of the admin listener, as a kubelet does.
    pub async fn ask(&self, path: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(format!("http://{}{path}", self.admin));
        request.header("host", "10.0.0.7").send().await.unwrap()
    }

    /// Posts a request as a client before 2026-07-28 would, with more headers, and returns the
    /// JSON-RPC response.
    pub async fn request(&self, method: &str, params: Value, headers: &[(&str, &str)]) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let mut request = self.post(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Tells the server to stop, as SIGTERM would.
    pub fn drain(self) -> Self {
        self.stop.cancel();
        self
    }

    /// Returns the same server as it would be if nothing stood before it that asks who calls.
    pub fn unguarded(&self) -> Endpoint {
        edge_around(self.handler.clone())
    }

    /// Stops the server as SIGTERM would and waits for its end.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        drop(self.client);
        self.serving.await.unwrap()
    }
}

/// Puts the HTTP edge around a handler.
pub fn edge_around(handler: impl ServerHandler + Clone) -> Endpoint {
    let settings = Settings {
        allowed_hosts: Vec::new(),
        allowed_origins: Vec::new(),
        max_body_bytes: 4_096,
        legacy_sessions: false,
        authenticator: None,
    };
    let requests = Requests::new(&TestMetrics::new().meter(), CacheDetail::Summary);
    http::endpoint(handler, &settings, requests, &Ending::default())
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Returns the output schema of each tool.
async fn declared_schemas(client: &Client) -> HashMap<String, Validator> {
    let tools = client.list_all_tools().await.unwrap();
    let schema = |tool: Tool| {
        let declared = Value::Object((*tool.output_schema.unwrap()).clone());
        (
            tool.name.into_owned(),
            jsonschema::validator_for(&declared).unwrap(),
        )
    };
    tools.into_iter().map(schema).collect()
}

async fn connect(address: SocketAddr, token: Option<&str>) -> Client {
    let uri = format!("http://{address}/mcp");
    let mut config = StreamableHttpClientTransportConfig::with_uri(uri);
    if let Some(token) = token {
        config = config.auth_header(token);
    }
    let transport = StreamableHttpClientTransport::from_config(config);
    ().serve(transport).await.unwrap()
}

/// Calls `tool`, whichever transport the client has.
pub async fn tool_call(
    client: &Client,
    tool: &str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object");
    };
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(params).await
}

fn with_action(action: &str, mut arguments: Value) -> Value {
    arguments["action"] = json!(action);
    arguments
}
