//! What is sent to a collector, by OTLP over HTTP (http/protobuf).
//!
//! Nothing here is waited for by a request. Spans that end go into a queue of bounded length, and are dropped and counted when
//! it is full. One task sends them, another one sends the numbers. A message that the collector cannot take now is sent again.
//!
//! - `client.rs`: sends one message; `spans.rs`: the queue of spans, and the task that sends them.
//! - `metrics.rs`: the task that sends numbers; `message.rs`: numbers as messages.

mod client;
mod message;
mod metrics;
mod spans;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::timeout};

pub use spans::{SpanQueue, spans_layer};

use self::{client::Client, metrics::SendMetrics, spans::SendSpans};
use super::{ExportInstruments, Registry, TelemetrySettings};

/// The tasks that send.
#[derive(Debug)]
pub struct Export {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Export {
    /// Starts to send the numbers of the registry and the spans of the queue, each if there is an endpoint for it. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// If https is wanted where no root certificates are.
    pub fn start(
        settings: &TelemetrySettings,
        registry: &Registry,
        spans: Option<SpanQueue>,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        let collector = &settings.collector;
        let instruments = match &spans {
            Some(queue) => queue.instruments(),
            None => Arc::new(ExportInstruments::default()),
        };
        if let (Some(url), Some(queue)) = (&collector.endpoints.traces, spans) {
            let client = Client::new(url, collector)?;
            let task = SendSpans::new(client, queue, settings.resource.clone());
            tasks.push(tokio::spawn(task.run(stopped.clone())));
        }
        if let Some(url) = &collector.endpoints.metrics {
            let task = SendMetrics {
                client: Client::new(url, collector)?,
                registry: registry.clone(),
                resource: settings.resource.clone(),
                interval: settings.metrics_interval,
                instruments: instruments.clone(),
            };
            tasks.push(tokio::spawn(task.run(stopped)));
        }
        if !tasks.is_empty() {
            registry.add(instruments);
        }
        Ok(Self { stop, tasks })
    }

    /// Sends what waits, and stops: not later than after this time.
    pub async fn stop(self, limit: Duration) {
        let Self { stop, tasks } = self;
        // It fails if no task listens.
        let _ = stop.send(true);
        let cancel: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        let ended = async {
            for task in tasks {
                // A task that has panicked has told so.
                let _ = task.await;
            }
        };
        if timeout(limit, ended).await.is_err() {
            tracing::warn!("the collector did not take the last spans and metrics in time");
            cancel.iter().for_each(tokio::task::AbortHandle::abort);
        }
    }
}
