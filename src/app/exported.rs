//! What the exporter asks for by itself: the process, the runtime, the build, readiness.

use std::sync::Arc;

use opentelemetry::metrics::Meter;
use tokio::runtime::Handle;

use crate::{
    observed::metrics::{export_build, export_process, export_ready, export_runtime},
    search,
};

pub(super) fn export(meter: &Meter, search: &Arc<search::Engine>) {
    export_process(meter);
    export_runtime(meter, &Handle::current());
    export_build(meter);
    let search = Arc::downgrade(search);
    export_ready(meter, move || {
        let status = search.upgrade().map(|search| search.status());
        let is = |ready: fn(&search::Status) -> bool| status.as_ref().is_some_and(ready);
        [
            ("search", is(|status| status.ready)),
            ("vectors", is(|status| status.vectors)),
            // A server whose store cannot be opened does not start.
            ("store", true),
        ]
    });
}
