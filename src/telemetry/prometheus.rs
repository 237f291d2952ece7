//! The numbers as text for Prometheus (OpenMetrics 1.0), and the endpoint that it scrapes.

use std::fmt;

use poem::{
    Endpoint, IntoResponse as _, Request, Response, Result,
    http::{Method, StatusCode, header},
};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, LabelSetEncoder, MetricEncoder,
        NoLabelSet, text,
    },
    metrics::MetricType,
    registry::{Registry as TextRegistry, Unit},
};

use super::{
    Family, Registry, Resource,
    instrument::{Kind, Point, Value},
};

/// The media type of OpenMetrics.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text that Prometheus scrapes. `resource`: what describes this process.
///
/// # Errors
/// None that is known: it is written to memory.
pub fn text(registry: &Registry, resource: &Resource) -> Result<String, fmt::Error> {
    let mut families = TextRegistry::default();
    families.register_collector(Box::new(Snapshot {
        families: registry.read(),
        resource: resource.clone(),
    }));
    let mut written = String::new();
    text::encode(&mut written, &families)?;
    Ok(written)
}

#[derive(Debug)]
struct Snapshot {
    families: Vec<Family>,
    resource: Resource,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in &self.families {
            let (unit, kind) = (unit(family.unit), metric_type(family.kind));
            let name = name(family.name);
            let mut metric = encoder.encode_descriptor(&name, family.about, unit.as_ref(), kind)?;
            for Point { labels, value } in &family.points {
                encode(value, metric.encode_family(&LabelSet(labels))?)?;
            }
        }
        // What OpenTelemetry calls the resource.
        let about = "What describes this process.";
        let mut metric = encoder.encode_descriptor("target", about, None, MetricType::Info)?;
        metric.encode_info(&LabelSet(&self.resource.0))
    }
}

fn encode(value: &Value, mut encoder: MetricEncoder<'_>) -> fmt::Result {
    match value {
        Value::Count(count) => encoder.encode_counter::<NoLabelSet, _, u64>(count, None),
        Value::Sum(sum) => encoder.encode_counter::<NoLabelSet, _, u64>(sum, None),
        Value::Level(level) => encoder.encode_gauge(level),
        Value::Amount(amount) => encoder.encode_gauge(amount),
        Value::Distribution {
            bounds,
            counts,
            sum,
        } => {
            let bounds = bounds.iter().copied().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
            encoder.encode_histogram::<NoLabelSet>(*sum, counts.iter().sum(), &buckets, None)
        }
    }
}

/// The name without dots; the encoder adds the unit, and `_total` for counters.
fn name(name: &str) -> String {
    name.replace('.', "_")
}

/// UCUM's units by the words that Prometheus uses. What is counted has none.
fn unit(unit: &str) -> Option<Unit> {
    match unit {
        "s" => Some(Unit::Seconds),
        "By" => Some(Unit::Bytes),
        _ => None,
    }
}

fn metric_type(kind: Kind) -> MetricType {
    match kind {
        Kind::Counter => MetricType::Counter,
        Kind::UpDownCounter | Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    }
}

/// Labels with the names that Prometheus allows. Of two that become one, the first counts.
#[derive(Debug)]
struct LabelSet<'a, N, V>(&'a [(N, V)]);

impl<N: AsRef<str>, V: AsRef<str>> EncodeLabelSet for LabelSet<'_, N, V> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut written: Vec<String> = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            let mut name = name.as_ref().replace(|c| !is_allowed(c), "_");
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                name.insert(0, '_');
            }
            if !written.contains(&name) {
                (name.as_str(), value.as_ref()).encode(encoder.encode_label())?;
                written.push(name);
            }
        }
        Ok(())
    }
}

/// Answers `GET /metrics`, on a listener of its own.
#[derive(Debug)]
pub struct Scrape {
    registry: Registry,
    resource: Resource,
}

impl Scrape {
    /// Shows these numbers of this process.
    pub fn new(registry: Registry, resource: Resource) -> Self {
        Self { registry, resource }
    }
}

impl Endpoint for Scrape {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let plain = |status: StatusCode, text: &'static str| {
            Response::builder()
                .status(status)
                .content_type("text/plain")
                .body(text)
        };
        if request.uri().path() != "/metrics" {
            return Ok(plain(
                StatusCode::NOT_FOUND,
                "The metrics are at /metrics.\n",
            ));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let answer = plain(StatusCode::METHOD_NOT_ALLOWED, "Use GET.\n");
            return Ok(answer
                .with_header(header::ALLOW, "GET, HEAD")
                .into_response());
        }
        match text(&self.registry, &self.resource) {
            Ok(text) => Ok(Response::builder().content_type(CONTENT_TYPE).body(text)),
            Err(error) => {
                tracing::error!(%error, "the metrics could not be written");
                Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, "See the log.\n"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two samples of one name, or a name that is not allowed, would make Prometheus refuse the whole page.
    #[test]
    fn labels_have_names_that_prometheus_takes_and_each_once() {
        let given = [
            ("team.name", "first"),
            ("team_name", "second"),
            ("1st zone", "x"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = text(&Registry::default(), &Resource(given.to_vec())).unwrap();
        let target = text.lines().find(|line| line.starts_with("target_info{"));
        assert_eq!(
            target,
            Some(r#"target_info{team_name="first",_1st_zone="x"} 1"#)
        );
    }
}
