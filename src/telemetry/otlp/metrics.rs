//! The task that sends numbers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::{client::Client, message};
use crate::telemetry::{ExportInstruments, Outcome, Registry, Resource, Signal};

/// Sends the numbers of the registry.
pub(super) struct SendMetrics {
    pub(super) client: Client,
    pub(super) registry: Registry,
    pub(super) resource: Resource,
    pub(super) interval: Duration,
    pub(super) instruments: Arc<ExportInstruments>,
}

impl SendMetrics {
    /// Sends them at each interval, and once more when it is stopped. They are sums since the start: when a message is lost, the
    /// next one has all that was in it.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let since = SystemTime::now();
        let mut ticks = interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once.
        ticks.tick().await;
        let mut stopping = false;
        while !stopping {
            select! {
                _ = stopped.wait_for(|stopped| *stopped) => stopping = true,
                _ = ticks.tick() => {}
            }
            let families = self.registry.read();
            let message = message::metrics(&families, &self.resource, since);
            let sent: Result<ExportMetricsServiceResponse, _> =
                self.client.send("metrics", &message).await;
            let outcome = sent.map_or(Outcome::Failure, |_| Outcome::Success);
            let exports = &self.instruments.exports;
            exports.of(Signal::Metrics).of(outcome).increment();
        }
    }
}
