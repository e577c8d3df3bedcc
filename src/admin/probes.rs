//! `/healthz`, `/startupz` and `/readyz`: what a kubelet asks.

use axum::{
    Json, Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};

use super::{Subjects, readiness::Readiness};

/// Adds the probes. `/healthz` is answered as long as the process can answer, `/startupz` with 200
/// once questions about the standards have been answered, `/readyz` with 200 while they are and
/// the server has not been told to stop.
pub(super) fn routes(subjects: &Subjects) -> Router {
    let (starting, running) = (subjects.clone(), subjects.clone());
    let started = async move || {
        let readiness = Readiness::of(&starting.search.status(), false);
        answer(&readiness)
    };
    let ready = async move || {
        let stopping = running.stopping.is_cancelled();
        answer(&Readiness::of(&running.search.status(), stopping))
    };
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/startupz", get(started))
        .route("/readyz", get(ready))
}

fn answer(readiness: &Readiness) -> Response {
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness)).into_response()
}
