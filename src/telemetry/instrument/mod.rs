//! Instruments: what is counted, as atomics that are found before a request comes.
//!
//! A recording is one or two additions. It takes no lock, allocates nothing (but the first for a label that is made when it is
//! needed), and hashes nothing: a label is an index.
//!
//! - `number.rs`: single numbers; `histogram.rs`: distributions; `labelled.rs`: an instrument for each value of a label.

mod histogram;
mod labelled;
mod number;

use std::borrow::Cow;

pub use histogram::{Histogram, Scale};
pub use labelled::{By, Label, Lazy, Named};
pub use number::{Age, Counter, Gauge, Observed, UpDownCounter};

/// The labels of a point: OpenTelemetry's attributes.
pub type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// What kind of number an instrument has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It grows and shrinks by what is counted.
    UpDownCounter,
    /// It is what it is at the moment.
    Gauge,
    /// How often values fell between two bounds.
    Histogram,
}

/// One number of an instrument, with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What it is about.
    pub labels: Labels,
    /// The number.
    pub value: Value,
}

/// The number of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a counter of fractions, such as seconds.
    Sum(f64),
    /// Of an up-down counter or a gauge.
    Level(i64),
    /// Of a gauge of fractions.
    Amount(f64),
    /// Of a histogram.
    Distribution {
        /// The upper bounds, each of which belongs to its bucket.
        bounds: Vec<f64>,
        /// How often a value fell into each bucket, and last, how often above all bounds.
        counts: Vec<u64>,
        /// The sum of all values.
        sum: f64,
    },
}

/// Something that is counted.
pub trait Instrument {
    /// What kind of number it has.
    const KIND: Kind;

    /// Adds its points, each with these labels before its own.
    fn read(&self, labels: &Labels, points: &mut Vec<Point>);
}

#[cfg(test)]
fn points(instrument: &impl Instrument) -> Vec<Point> {
    let mut points = Vec::new();
    instrument.read(&vec![("of", "all".into())], &mut points);
    points
}
