//! How operators see the program: what Prometheus scrapes, and what a collector gets.

mod metrics;
mod spans;
mod trouble;

use super::{Home, Process, eventually};
use crate::support::Collector;

/// A home whose program sends all traces, and numbers several times a second, to this collector.
async fn sending_to(collector: &Collector, on: crate::support::Backend) -> Home {
    Home::on(on)
        .await
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.base)
        .set("OTEL_METRIC_EXPORT_INTERVAL", "200")
}
