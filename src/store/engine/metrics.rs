//! What the ways to the database have done since the start, as numbers that only grow.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What one way to the database has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneMetrics {
    /// What goes this way.
    pub name: &'static str,
    /// How many elements wait to be sent now. On SQLite, reads never wait here.
    pub waiting: usize,
    /// How many statements were sent, or transactions of SQLite's writer committed.
    pub sent: u64,
    /// How many elements were in them. Divided by `sent`: the mean size of a group.
    pub elements: u64,
    /// How long all these elements waited before they were sent.
    pub waited: Duration,
}

/// The counters of one way to the database.
#[derive(Debug)]
pub(super) struct Counters {
    name: &'static str,
    waiting: AtomicUsize,
    sent: AtomicU64,
    elements: AtomicU64,
    waited_micros: AtomicU64,
}

impl Counters {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            waiting: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            elements: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
        }
    }

    /// So many elements wait now.
    pub(super) fn set_waiting(&self, count: usize) {
        self.waiting.store(count, Relaxed);
    }

    /// Some elements are sent together. `since`: when each began to wait.
    pub(super) fn send(&self, since: impl ExactSizeIterator<Item = Instant>) {
        let now = Instant::now();
        let count = since.len();
        let waited: Duration = since.map(|since| now.duration_since(since)).sum();
        self.sent.fetch_add(1, Relaxed);
        self.elements.fetch_add(count as u64, Relaxed);
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Relaxed);
    }

    pub(super) fn read(&self) -> LaneMetrics {
        LaneMetrics {
            name: self.name,
            waiting: self.waiting.load(Relaxed),
            sent: self.sent.load(Relaxed),
            elements: self.elements.load(Relaxed),
            waited: Duration::from_micros(self.waited_micros.load(Relaxed)),
        }
    }
}

/// The counters of all ways to the database.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<Vec<Arc<Counters>>>);

impl Metrics {
    /// Counters for a new way.
    pub(super) fn counters(&self, name: &'static str) -> Arc<Counters> {
        let counters = Arc::new(Counters::new(name));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(counters.clone());
        counters
    }

    pub(super) fn read(&self) -> Vec<LaneMetrics> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|counters| counters.read()).collect()
    }
}
