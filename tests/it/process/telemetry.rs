//! How operators see the program: what Prometheus scrapes, and what a collector gets.

mod metrics;
mod spans;
mod trouble;

use serde_json::Value;

use super::{Home, Process, eventually};
use crate::support::Collector;

/// Where the metrics are, as the log says.
async fn address(server: &Process) -> String {
    eventually("the log names the address of the metrics", async || {
        let log = server.log();
        let mut lines = log
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.find(|line| line["message"] == "metrics are at /metrics")?;
        Some(line["address"].as_str().unwrap().to_owned())
    })
    .await
}

/// What Prometheus would scrape.
pub(super) async fn scraped(server: &Process) -> String {
    let address = address(server).await;
    let answer = reqwest::get(format!("http://{address}/metrics")).await;
    answer.unwrap().text().await.unwrap()
}

/// The value of a sample, which is named with all its labels; `None` if there is no such sample.
pub(super) async fn sample(server: &Process, name: &str) -> Option<f64> {
    let text = scraped(server).await;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

/// A home whose program sends all traces, and numbers several times a second, to this collector.
async fn sending_to(collector: &Collector, on: crate::support::Backend) -> Home {
    Home::on(on)
        .await
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.base)
        .set("OTEL_METRIC_EXPORT_INTERVAL", "200")
}
