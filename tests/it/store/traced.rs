//! What a store does for a request is in its trace.

use std::sync::Arc;

use lockstep::workflow::{Engine, SessionId, SessionQuery};
use opentelemetry::trace::SpanKind;
use serde_json::json;

use super::place::Place;
use crate::{
    harness::{Root, attribute, record},
    workflow_engine::fixture::{complete, started},
};

#[tokio::test]
async fn each_operation_of_a_store_is_a_span_below_the_engines_and_names_its_database() {
    record();
    for place in Place::all().await {
        let root = Root::new();
        let (engine, later) = (place.engine().await, place.engine().await);

        let id = root.run(started(&engine, "plain", "src/a.rs")).await;
        root.run(walk(&engine, &later, id)).await;

        let spans = root.spans();
        let tree = spans.tree();
        for edge in [
            "workflow.start > store.create",
            "workflow.complete_phase > store.save",
            "workflow.sessions > store.list",
            "workflow.delete > store.delete",
        ] {
            assert!(tree.contains(&edge.to_owned()), "{edge}: {tree:?}");
        }
        assert!(
            tree.contains(&"cache.load > store.load".to_owned()),
            "{tree:?}"
        );
        let save = spans.one("store.save");
        let told = ["store.name", "store.operation", "store.outcome"];
        let database = ["db.system.name", "db.operation.name", "db.collection.name"];
        let told = told.map(|key| attribute(save, key));
        let database = database.map(|key| attribute(save, key));
        match place.database {
            None => {
                assert_eq!(told, ["files", "save", "ok"]);
                assert_eq!(
                    (database, &save.span_kind),
                    (Default::default(), &SpanKind::Internal)
                );
            }
            Some(_) => {
                assert_eq!(told, ["postgres", "save", "ok"]);
                assert_eq!(database, ["postgresql", "UPDATE", "lockstep_sessions"]);
                assert_eq!(save.span_kind, SpanKind::Client);
            }
        }
    }
}

/// Completes a phase, and reads, lists and deletes the session in another server.
async fn walk(engine: &Arc<Engine>, later: &Arc<Engine>, id: SessionId) {
    complete(engine, id, 0, json!({})).await.unwrap();
    later.session(id).await.unwrap();
    later.sessions(SessionQuery::default()).await.unwrap();
    later.delete(id).await.unwrap();
}
