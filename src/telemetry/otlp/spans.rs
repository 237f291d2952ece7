//! The queue of spans that have ended, and the task that sends them.

use std::{sync::Arc, time::Duration};

use opentelemetry::{Context, trace::TracerProvider as _};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::InstrumentationScope,
    trace::v1::{ResourceSpans, ScopeSpans},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use tokio::{
    select,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer,
    layer::{Context as LayerContext, Filter},
    registry::LookupSpan,
};

use super::{
    client::{Client, Unsent},
    message,
};
use crate::telemetry::{ExportInstruments, Outcome, Resource, Sampling, Signal, SpanFate, trace};

/// Spans that wait to be sent. When the collector is that far behind, further ones are dropped.
const QUEUE: usize = 2_048;
/// The most spans in one message.
const MAX_BATCH: usize = 512;
/// How long the first span of a message waits for others.
const GATHER: Duration = Duration::from_secs(1);

/// The spans that have ended and wait to be sent.
#[derive(Debug)]
pub struct SpanQueue {
    spans: mpsc::Receiver<SpanData>,
    instruments: Arc<ExportInstruments>,
}

impl SpanQueue {
    pub(super) fn instruments(&self) -> Arc<ExportInstruments> {
        self.instruments.clone()
    }
}

/// Puts spans into the queue.
#[derive(Debug)]
struct Enqueue {
    spans: mpsc::Sender<SpanData>,
    instruments: Arc<ExportInstruments>,
}

impl SpanProcessor for Enqueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        span.attributes.retain(trace::is_sent);
        if self.spans.try_send(span).is_err() {
            self.instruments.spans.of(SpanFate::QueueFull).increment();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The layer of the log that makes spans of OpenTelemetry, and the queue into which they go. From now on, spans are made.
pub fn spans_layer<S>(sampling: Sampling) -> (impl Layer<S> + Send + Sync, SpanQueue)
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let (sender, spans) = mpsc::channel(QUEUE);
    let instruments = Arc::new(ExportInstruments::default());
    let enqueue = Enqueue {
        spans: sender,
        instruments: instruments.clone(),
    };
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampler(sampling))
        // It is added when a message is written.
        .with_resource(opentelemetry_sdk::Resource::builder_empty().build())
        .with_span_processor(enqueue)
        .build();
    let tracer: SdkTracer = provider.tracer("taskward");
    trace::turn_on();
    let layer = OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Spans are found by those of tracing, which the tasks carry along.
        .with_context_activation(false)
        .with_filter(Ours);
    (layer, SpanQueue { spans, instruments })
}

/// Lets through the spans of this program.
struct Ours;

impl<S> Filter<S> for Ours {
    fn enabled(&self, metadata: &Metadata<'_>, _: &LayerContext<'_, S>) -> bool {
        trace::is_ours(metadata)
    }

    /// Asked for each span: a span that is not asked for takes over the answer to the last `tracing::enabled!`.
    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match trace::is_ours(metadata) {
            true => Interest::sometimes(),
            false => Interest::never(),
        }
    }
}

fn sampler(
    Sampling {
        parent_based,
        ratio,
    }: Sampling,
) -> Sampler {
    let root = match ratio {
        ratio if ratio >= 1.0 => Sampler::AlwaysOn,
        ratio if ratio <= 0.0 => Sampler::AlwaysOff,
        ratio => Sampler::TraceIdRatioBased(ratio),
    };
    match parent_based {
        true => Sampler::ParentBased(Box::new(root)),
        false => root,
    }
}

/// Sends the spans of the queue.
pub(super) struct SendSpans {
    client: Client,
    queue: SpanQueue,
    resource: Resource,
    /// What is being sent.
    batch: Vec<SpanData>,
}

/// Those that are not sent when it is stopped are counted.
impl Drop for SendSpans {
    fn drop(&mut self) {
        let mut left = self.batch.len();
        while self.queue.spans.try_recv().is_ok() {
            left += 1;
        }
        self.count(SpanFate::Shutdown, left);
    }
}

impl SendSpans {
    pub(super) fn new(client: Client, queue: SpanQueue, resource: Resource) -> Self {
        Self {
            client,
            queue,
            resource,
            batch: Vec::new(),
        }
    }

    /// Sends until it is stopped, and then what is left.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => break,
                () = self.gather() => {}
            }
            if self.send().await.is_err() {
                let pause = self.client.pause();
                select! {
                    _ = stopped.wait_for(|stopped| *stopped) => break,
                    () = sleep(pause) => {}
                }
            }
        }
        // Nobody waits for more spans now.
        loop {
            while self.batch.len() < MAX_BATCH
                && let Ok(span) = self.queue.spans.try_recv()
            {
                self.batch.push(span);
            }
            if self.batch.is_empty() {
                return;
            }
            if self.send().await.is_err() {
                sleep(self.client.pause()).await;
            }
        }
    }

    /// Takes spans from the queue until there are enough, or the first has waited long enough. May be dropped before.
    async fn gather(&mut self) {
        let Self { queue, batch, .. } = self;
        if batch.is_empty() {
            queue.spans.recv_many(batch, MAX_BATCH).await;
        }
        let more = async {
            while batch.len() < MAX_BATCH {
                let room = MAX_BATCH - batch.len();
                if queue.spans.recv_many(batch, room).await == 0 {
                    return;
                }
            }
        };
        let _ = timeout(GATHER, more).await;
    }

    /// Sends the batch. On an error it stays, to be sent again.
    async fn send(&mut self) -> Result<(), Unsent> {
        let sending = self.batch.len();
        let message = self.message();
        let sent = self.client.send("spans", &message).await;
        let outcome = sent.as_ref().map_or(Outcome::Failure, |_| Outcome::Success);
        let exports = &self.queue.instruments.exports;
        exports.of(Signal::Traces).of(outcome).increment();
        match sent {
            Ok(ExportTraceServiceResponse { partial_success }) => {
                let refused = partial_success.map_or(0, |partial| partial.rejected_spans);
                let refused = usize::try_from(refused).unwrap_or(0).min(sending);
                self.count(SpanFate::Refused, refused);
                self.count(SpanFate::Exported, sending - refused);
                self.batch.clear();
                Ok(())
            }
            Err(Unsent::Refused(_)) => {
                self.count(SpanFate::Refused, sending);
                self.batch.clear();
                Ok(())
            }
            Err(again) => Err(again),
        }
    }

    fn message(&self) -> ExportTraceServiceRequest {
        let scope = InstrumentationScope {
            name: "taskward".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(message::resource(&self.resource)),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans: self.batch.iter().cloned().map(Into::into).collect(),
                    schema_url: String::new(),
                }],
                schema_url: message::SCHEMA.to_owned(),
            }],
        }
    }

    fn count(&self, fate: SpanFate, spans: usize) {
        self.queue.instruments.spans.of(fate).add(spans as u64);
    }
}
