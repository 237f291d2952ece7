//! A collector that the tests run themselves: it takes real OTLP over HTTP on a loopback port, and keeps it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering::Relaxed},
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::ExportMetricsServiceRequest,
        trace::v1::{
            ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        },
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data},
    trace::v1::Span,
};
use poem::{Endpoint, Request, Response, Result, http::StatusCode};
use prost::Message as _;
use taskward::server::{self, Limits};
use tokio::{net::TcpListener, sync::oneshot};

/// A collector at `base`.
pub struct Collector {
    pub base: String,
    seen: Arc<Seen>,
    _stop: oneshot::Sender<()>,
}

/// What it has got.
#[derive(Default)]
struct Seen {
    /// What it answers; 0: nothing, ever.
    status: AtomicU16,
    /// Spans that it says it refuses, of each message.
    refused: AtomicU16,
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    /// The bodies as they came, and the headers.
    raw: Mutex<Vec<(String, Vec<u8>)>>,
}

struct Take(Arc<Seen>);

impl Endpoint for Take {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let seen = &self.0;
        let status = seen.status.load(Relaxed);
        if status == 0 {
            std::future::pending::<()>().await;
        }
        let path = request.uri().path().to_owned();
        let head = format!("{path} {:?}", request.headers());
        let body = request.take_body().into_vec().await.unwrap();
        assert_eq!(request.content_type(), Some("application/x-protobuf"));
        let status = StatusCode::from_u16(status).unwrap();
        seen.raw.lock().unwrap().push((head, body.clone()));
        if !status.is_success() {
            return Ok(status.into());
        }
        let body = &*body;
        let mut answer = Vec::new();
        match path.as_str() {
            "/v1/traces" => {
                let message = ExportTraceServiceRequest::decode(body).unwrap();
                seen.traces.lock().unwrap().push(message);
                let rejected_spans = seen.refused.load(Relaxed).into();
                let partial_success = (rejected_spans > 0).then(|| ExportTracePartialSuccess {
                    rejected_spans,
                    error_message: "too old".to_owned(),
                });
                answer = ExportTraceServiceResponse { partial_success }.encode_to_vec();
            }
            "/v1/metrics" => {
                let message = ExportMetricsServiceRequest::decode(body).unwrap();
                seen.metrics.lock().unwrap().push(message);
            }
            other => panic!("{other}"),
        }
        let answered = Response::builder().content_type("application/x-protobuf");
        Ok(answered.body(answer))
    }
}

impl Collector {
    pub async fn start() -> Self {
        let seen = Arc::new(Seen::default());
        seen.status.store(200, Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits {
            drain: std::time::Duration::ZERO,
            ..Limits::default()
        };
        tokio::spawn(server::serve(
            listener,
            Take(seen.clone()),
            limits,
            async move {
                let _ = stopped.await;
            },
        ));
        Self {
            base,
            seen,
            _stop: stop,
        }
    }

    /// From now on it answers so; 0: it takes requests and never answers.
    pub fn answer(&self, status: u16) {
        self.seen.status.store(status, Relaxed);
    }

    /// From now on it says of each message that it refused so many of its spans.
    pub fn refuse(&self, spans: u16) {
        self.seen.refused.store(spans, Relaxed);
    }

    /// All that came, as it was sent: the headers of each message, and its body.
    pub fn raw(&self) -> Vec<(String, Vec<u8>)> {
        self.seen.raw.lock().unwrap().clone()
    }

    /// The spans that came.
    pub fn spans(&self) -> Vec<Span> {
        let messages = self.seen.traces.lock().unwrap();
        let resources = messages.iter().flat_map(|message| &message.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The attributes of the resource in the first message with spans.
    pub fn resource(&self) -> Vec<(String, String)> {
        let messages = self.seen.traces.lock().unwrap();
        let resource = messages[0].resource_spans[0].resource.as_ref().unwrap();
        attributes(&resource.attributes)
    }

    /// The numbers of the last message.
    pub fn metrics(&self) -> Vec<Metric> {
        let messages = self.seen.metrics.lock().unwrap();
        let resources = messages
            .last()
            .into_iter()
            .flat_map(|message| &message.resource_metrics);
        let scopes = resources.flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| scope.metrics.clone()).collect()
    }
}

/// Names and values.
pub fn attributes(of: &[KeyValue]) -> Vec<(String, String)> {
    let shown = |value: &KeyValue| match value.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("{other:?}"),
    };
    of.iter().map(|it| (it.key.clone(), shown(it))).collect()
}

/// The value of an attribute; empty if there is none.
pub fn attribute(of: &[KeyValue], name: &str) -> String {
    let found = attributes(of).into_iter().find(|(other, _)| other == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// How many data points a metric has.
pub fn points(metric: &Metric) -> usize {
    match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => gauge.data_points.len(),
        Data::Sum(sum) => sum.data_points.len(),
        Data::Histogram(histogram) => histogram.data_points.len(),
        other => panic!("{other:?}"),
    }
}
