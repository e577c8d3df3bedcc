//! An OpenTelemetry collector: OTLP over HTTP and gRPC on one port, kept in memory.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::any_value::Value,
    metrics::v1::{metric::Data, number_data_point::Value as Number},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{Request, Response, Status, service::Routes};

/// What was exported, as `signal name`, such as `span cache.load`; sums with their value, such as
/// `metric lockstep.cache.lookups=7`.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<String>,
}

impl Collector {
    pub(crate) async fn spawn() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let inbox = Inbox(Arc::new(sender));
        let grpc = Routes::new(TraceServiceServer::new(inbox.clone()))
            .add_service(MetricsServiceServer::new(inbox.clone()))
            .add_service(LogsServiceServer::new(inbox.clone()))
            .prepare()
            .into_axum_router();
        let http = Router::new()
            .route("/v1/traces", post(http_traces))
            .route("/v1/metrics", post(http_metrics))
            .route("/v1/logs", post(http_logs))
            .with_state(inbox);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(axum::serve(listener, http.merge(grpc)).into_future());
        Self { address, received }
    }

    /// Returns what has come in so far.
    pub(crate) fn received(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

#[derive(Clone)]
struct Inbox(Arc<mpsc::UnboundedSender<String>>);

impl Inbox {
    fn put(&self, signal: &str, name: impl AsRef<str>) {
        let _ = self.0.send(format!("{signal} {}", name.as_ref()));
    }

    fn traces(&self, request: ExportTraceServiceRequest) {
        for resource in request.resource_spans {
            for attribute in resource.resource.into_iter().flat_map(|r| r.attributes) {
                if let Some(Value::StringValue(value)) = attribute.value.and_then(|v| v.value) {
                    self.put("resource", format!("{}={value}", attribute.key));
                }
            }
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            spans.for_each(|span| self.put("span", span.name));
        }
    }

    fn metrics(&self, request: ExportMetricsServiceRequest) {
        let scopes = request
            .resource_metrics
            .into_iter()
            .flat_map(|r| r.scope_metrics);
        for metric in scopes.flat_map(|scope| scope.metrics) {
            match metric.data {
                Some(Data::Sum(sum)) => {
                    let points = sum.data_points.iter().map(|point| match point.value {
                        Some(Number::AsInt(value)) => value,
                        _ => 0,
                    });
                    let total: i64 = points.sum();
                    self.put("metric", format!("{}={total}", metric.name));
                }
                _ => self.put("metric", metric.name),
            }
        }
    }

    fn logs(&self, request: ExportLogsServiceRequest) {
        let scopes = request.resource_logs.into_iter().flat_map(|r| r.scope_logs);
        for record in scopes.flat_map(|scope| scope.log_records) {
            if let Some(Value::StringValue(body)) = record.body.and_then(|body| body.value) {
                self.put("log", body);
            }
        }
    }
}

async fn http_traces(State(inbox): State<Inbox>, body: Bytes) {
    inbox.traces(ExportTraceServiceRequest::decode(body).expect("OTLP"));
}

async fn http_metrics(State(inbox): State<Inbox>, body: Bytes) {
    inbox.metrics(ExportMetricsServiceRequest::decode(body).expect("OTLP"));
}

async fn http_logs(State(inbox): State<Inbox>, body: Bytes) {
    inbox.logs(ExportLogsServiceRequest::decode(body).expect("OTLP"));
}

#[tonic::async_trait]
impl TraceService for Inbox {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Inbox {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Inbox {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.logs(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
