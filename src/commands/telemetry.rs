//! What operators see of a server: the listener for Prometheus, and what is sent to a collector.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use taskward::{
    server::{self, Limits},
    telemetry::{
        Export, LogInstruments, Observed, ProcessInstruments, Registry, TelemetrySettings,
        prometheus::Scrape,
    },
};
use tokio::task::JoinHandle;

use crate::log::Log;

/// What runs beside the server, until it is stopped.
pub(super) struct Telemetry {
    scrape: Option<JoinHandle<()>>,
    export: Export,
}

impl Telemetry {
    /// Starts what the settings ask for.
    ///
    /// # Errors
    /// If the address for Prometheus is taken, or https is wanted where no root certificates are.
    pub(super) fn start(
        settings: &TelemetrySettings,
        registry: &Registry,
        log: Log,
    ) -> anyhow::Result<Self> {
        let Log { dropped, spans } = log;
        registry.add(Arc::new(ProcessInstruments::default()));
        registry.add(Arc::new(LogInstruments {
            dropped: Observed::new(move || dropped.dropped_lines() as u64),
        }));
        let export = Export::start(settings, registry, spans)
            .context("cannot send to the OpenTelemetry collector")?;
        Ok(Self {
            scrape: scrape(settings, registry)?,
            export,
        })
    }

    /// Sends what waits, and stops: not later than after this time.
    pub(super) async fn stop(self, limit: Duration) {
        self.export.stop(limit).await;
        if let Some(scrape) = self.scrape {
            scrape.abort();
        }
    }
}

/// Connections of Prometheus, of which there are few.
const CONNECTIONS: usize = 32;

fn scrape(
    settings: &TelemetrySettings,
    registry: &Registry,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(address) = settings.metrics_address else {
        return Ok(None);
    };
    let listener = server::listen(address)
        .with_context(|| format!("cannot listen on {address} (METRICS_ADDR)"))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "metrics are at /metrics");
    let endpoint = Scrape::new(registry.clone(), settings.resource.clone());
    let limits = Limits {
        max_connections: CONNECTIONS,
        max_connections_per_address: CONNECTIONS,
        ..Limits::default()
    };
    Ok(Some(tokio::spawn(async move {
        // It is there until the end, so that the stop can be seen.
        let _ = server::serve(listener, endpoint, limits, std::future::pending()).await;
    })))
}
