//! An HTTP request, from its head to the head of its response.

use std::sync::{Arc, OnceLock};

use opentelemetry::{
    Context, KeyValue,
    metrics::{BoundHistogram, BoundUpDownCounter},
    trace::TraceContextExt as _,
};
use tokio::time::Instant;

use super::{Instruments, Outcome, Requests, end_span};

impl Requests {
    /// Begins to measure an HTTP request whose span is in `surrounding`.
    pub fn http(
        &self,
        method: &'static str,
        route: Option<&'static str>,
        surrounding: Context,
    ) -> HttpRequest {
        let instruments = &self.0;
        let active = instruments.http_begun.of(method, || {
            instruments.http_active.bind(&HttpRequest::labels(method))
        });
        active.add(1);
        HttpRequest {
            requests: self.clone(),
            active,
            method,
            route,
            surrounding,
            started: Instant::now(),
            answer: None,
        }
    }
}

/// An HTTP request that is being answered. Dropped before [`Self::end`], its caller went away.
#[derive(Debug)]
pub struct HttpRequest {
    requests: Requests,
    active: Arc<BoundUpDownCounter<i64>>,
    method: &'static str,
    route: Option<&'static str>,
    surrounding: Context,
    started: Instant,
    answer: Option<HttpAnswer>,
}

/// What is known of a response at its headers.
#[derive(Clone, Copy, Debug)]
pub struct HttpAnswer {
    /// `http.response.status_code`.
    pub status: u16,
    /// Bytes of the request's body, if that is known.
    pub request_bytes: Option<u64>,
    /// Bytes of the response's body, if that is known.
    pub response_bytes: Option<u64>,
}

impl HttpRequest {
    /// Ends the measurement at the response's headers. Lengths that are not known are not
    /// recorded.
    pub fn end(mut self, answer: HttpAnswer) {
        self.answer = Some(answer);
    }

    fn labels(method: &'static str) -> [KeyValue; 2] {
        [
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", "http"),
        ]
    }
}

impl Kind {
    fn labels(self) -> Vec<KeyValue> {
        let mut labels = Vec::from(HttpRequest::labels(self.method));
        labels.extend(self.route.map(|route| KeyValue::new("http.route", route)));
        let code = self.status.map(i64::from);
        labels.extend(code.map(|code| KeyValue::new("http.response.status_code", code)));
        labels.extend(match self.status {
            None => Some(KeyValue::new("error.type", Outcome::Cancelled.as_str())),
            Some(status) if status >= 500 => Some(KeyValue::new("error.type", status.to_string())),
            Some(_) => None,
        });
        labels
    }

    fn bind(self, instruments: &Instruments) -> Recorded {
        let labels = self.labels();
        Recorded {
            seconds: instruments.http_seconds.bind(&labels),
            request_bytes: OnceLock::new(),
            response_bytes: OnceLock::new(),
            labels,
        }
    }
}

impl Recorded {
    fn lengths(&self, answer: HttpAnswer, instruments: &Instruments) {
        if let Some(bytes) = answer.request_bytes {
            let bind = || instruments.request_bytes.bind(&self.labels);
            self.request_bytes.get_or_init(bind).record(bytes as f64);
        }
        if let Some(bytes) = answer.response_bytes {
            let bind = || instruments.response_bytes.bind(&self.labels);
            self.response_bytes.get_or_init(bind).record(bytes as f64);
        }
    }
}

impl Drop for HttpRequest {
    fn drop(&mut self) {
        let instruments = &self.requests.0;
        self.active.add(-1);
        let kind = Kind {
            method: self.method,
            route: self.route,
            status: self.answer.map(|answer| answer.status),
        };
        let series = instruments.http_ended.of(kind, || kind.bind(instruments));
        series.seconds.record(self.started.elapsed().as_secs_f64());
        if let Some(answer) = self.answer {
            series.lengths(answer, instruments);
        }
        end_span(&self.surrounding.span(), &series.labels);
    }
}

/// What the measurements of an HTTP request are told apart by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Kind {
    method: &'static str,
    route: Option<&'static str>,
    status: Option<u16>,
}

/// Where HTTP requests of one kind are recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    labels: Vec<KeyValue>,
    seconds: BoundHistogram<f64>,
    /// Made with the first length that is known: a series without a measurement is none.
    request_bytes: OnceLock<BoundHistogram<f64>>,
    response_bytes: OnceLock<BoundHistogram<f64>>,
}
