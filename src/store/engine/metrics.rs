//! What is counted of the statements of one kind.

use std::{sync::Arc, time::Instant};

use sea_orm::DbErr;
use tracing::Span;

use crate::{
    store::error::statement_fault,
    telemetry::{StatementFault, StatementKind, StoreInstruments, trace},
};

/// The instruments of a database, by OpenTelemetry's name for its kind. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) system: &'static str,
    pub(super) instruments: Arc<StoreInstruments>,
}

impl Metrics {
    pub(super) fn new(system: &'static str) -> Self {
        Self {
            system,
            instruments: Arc::default(),
        }
    }

    /// What is counted of the statements of this kind.
    pub(super) fn of(&self, kind: StatementKind) -> Counters {
        Counters {
            metrics: self.clone(),
            kind,
        }
    }

    /// Counts a connection as long as the value lives.
    pub(super) fn connection(&self) -> OpenConnection {
        self.instruments.connections.increment();
        OpenConnection(self.instruments.clone())
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct OpenConnection(Arc<StoreInstruments>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.decrement();
    }
}

/// What is counted of the statements of one kind.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    metrics: Metrics,
    kind: StatementKind,
}

impl Counters {
    fn instruments(&self) -> &StoreInstruments {
        &self.metrics.instruments
    }

    /// So many elements wait now.
    pub(super) fn set_waiting(&self, count: usize) {
        self.instruments().waiting.of(self.kind).set(count as u64);
    }

    /// Some elements are sent together. `since`: when each began to wait.
    pub(super) fn send(&self, since: impl ExactSizeIterator<Item = Instant>) {
        let now = Instant::now();
        let instruments = self.instruments();
        instruments.groups.of(self.kind).record(since.len() as u64);
        let wait = instruments.wait.of(self.kind);
        since.for_each(|since| wait.record_time(now.duration_since(since)));
    }

    /// A statement is sent for these requests, each given by its span and since when it waits.
    pub(super) fn begin<'a>(
        &self,
        requests: impl ExactSizeIterator<Item = (&'a Span, Instant)>,
    ) -> Running {
        let began = Instant::now();
        let waited = requests.map(|(span, since)| (span, began.duration_since(since)));
        Running {
            spans: trace::Statement::begin(self.metrics.system, self.kind, waited),
            began,
        }
    }

    /// A statement has ended, in this way.
    pub(super) fn ran<T>(&self, running: Running, result: &Result<T, DbErr>) -> StatementFault {
        let Running { spans, began } = running;
        let fault = result.as_ref().err().map(statement_fault);
        let fault = fault.unwrap_or(StatementFault::None);
        let duration = self.instruments().duration.of(self.kind);
        duration.of(fault).record_time(began.elapsed());
        spans.end(fault);
        fault
    }

    /// The time of an element was over before its answer came.
    pub(super) fn too_late(&self) {
        self.instruments().deadlines.of(self.kind).increment();
    }
}

/// A statement that runs.
#[derive(Debug)]
pub(super) struct Running {
    spans: trace::Statement,
    began: Instant,
}
