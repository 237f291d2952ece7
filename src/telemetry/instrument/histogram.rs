//! How values are distributed.

use std::{
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{Instrument, Kind, Labels, Point, Value};

/// What a histogram measures, and between which bounds.
pub trait Scale {
    /// The upper bounds of the buckets, in rising order, in the unit of recording.
    const BOUNDS: &'static [u64];

    /// A number in the unit of recording, in the unit that is published.
    fn published(value: u64) -> f64;
}

/// How often values fell between two bounds.
#[derive(Debug)]
pub struct Histogram<S> {
    /// One for each bound, and one for what is above all.
    counts: Box<[AtomicU64]>,
    /// In the unit of recording.
    sum: AtomicU64,
    scale: PhantomData<fn() -> S>,
}

impl<S: Scale> Default for Histogram<S> {
    fn default() -> Self {
        Self {
            counts: (0..=S::BOUNDS.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
            scale: PhantomData,
        }
    }
}

impl<S: Scale> Histogram<S> {
    /// Counts a value, in the unit of recording.
    pub fn record(&self, value: u64) {
        let bucket = S::BOUNDS.iter().take_while(|bound| **bound < value).count();
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(value, Relaxed);
    }

    /// Counts a time. For scales that record nanoseconds.
    pub fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// The sum of all values, in the unit of recording.
    pub fn sum(&self) -> u64 {
        self.sum.load(Relaxed)
    }
}

impl<S: Scale> Instrument for Histogram<S> {
    const KIND: Kind = Kind::Histogram;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Distribution {
                bounds: S::BOUNDS.iter().map(|bound| S::published(*bound)).collect(),
                counts: self
                    .counts
                    .iter()
                    .map(|count| count.load(Relaxed))
                    .collect(),
                sum: S::published(self.sum()),
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::points, *};

    enum Tens {}

    impl Scale for Tens {
        const BOUNDS: &'static [u64] = &[10, 20];

        fn published(value: u64) -> f64 {
            f64::from(u32::try_from(value).unwrap()) / 10.0
        }
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let histogram = Histogram::<Tens>::default();
        for value in [0, 10, 11, 20, 21, 1_000] {
            histogram.record(value);
        }
        assert_eq!((histogram.count(), histogram.sum()), (6, 1_062));
        let [point] = &*points(&histogram) else {
            panic!()
        };
        let shown = Value::Distribution {
            bounds: vec![1.0, 2.0],
            counts: vec![2, 2, 2],
            sum: 106.2,
        };
        assert_eq!(point.value, shown);
    }
}
