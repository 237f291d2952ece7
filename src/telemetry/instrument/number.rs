//! Instruments of one number.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{Instrument, Kind, Labels, Point, Value};

/// Counts what happens.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Instrument for Counter {
    const KIND: Kind = Kind::Counter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Count(self.get()),
        });
    }
}

/// Counts what is there at the moment.
#[derive(Debug, Default)]
pub struct UpDownCounter(AtomicI64);

impl UpDownCounter {
    /// One more is there.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less is there.
    pub fn decrement(&self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Instrument for UpDownCounter {
    const KIND: Kind = Kind::UpDownCounter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Level(self.0.load(Relaxed)),
        });
    }
}

/// A number that is set.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// It is this now.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// What it is.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Instrument for Gauge {
    const KIND: Kind = Kind::Gauge;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Level(i64::try_from(self.get()).unwrap_or(i64::MAX)),
        });
    }
}

/// How long ago something last happened, in seconds. There is no number before the first time.
#[derive(Debug, Default)]
pub struct Age(Mutex<Option<Instant>>);

impl Age {
    /// It happens now.
    pub fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Instrument for Age {
    const KIND: Kind = Kind::Gauge;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        points.extend(last.map(|last| Point {
            labels: labels.clone(),
            value: Value::Amount(last.elapsed().as_secs_f64()),
        }));
    }
}

/// A number that somebody else counts, asked for when it is read.
pub struct Observed(Box<dyn Fn() -> u64 + Send + Sync>);

impl Observed {
    /// Asks this.
    pub fn new(ask: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Box::new(ask))
    }
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Observed").finish()
    }
}

impl Instrument for Observed {
    const KIND: Kind = Kind::Counter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Count((self.0)()),
        });
    }
}
