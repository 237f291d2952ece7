//! Instruments: what is counted, as atomics that are found before a request comes.
//!
//! A recording is one or two additions. It takes no lock, allocates nothing (but the first for a label that is made when it is
//! needed), and hashes nothing: a label is an index.

use std::{
    borrow::Cow,
    marker::PhantomData,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

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

/// A label whose values are known when the program is built.
pub trait Label: Copy + 'static {
    /// Its name.
    const NAME: &'static str;
    /// The names of its values, in their order; an empty one stands for no label.
    const VALUES: &'static [&'static str];

    /// The place of this value among them.
    fn index(self) -> usize;
}

/// An instrument for each value of a label.
#[derive(Debug)]
pub struct By<L, I> {
    instruments: Box<[I]>,
    label: PhantomData<fn() -> L>,
}

impl<L: Label, I: Default> Default for By<L, I> {
    fn default() -> Self {
        Self {
            instruments: L::VALUES.iter().map(|_| I::default()).collect(),
            label: PhantomData,
        }
    }
}

impl<L: Label, I> By<L, I> {
    /// The instrument for a value.
    pub fn of(&self, value: L) -> &I {
        &self.instruments[value.index()]
    }
}

impl<L: Label, I: Instrument> Instrument for By<L, I> {
    const KIND: Kind = I::KIND;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        for (value, instrument) in L::VALUES.iter().zip(&self.instruments) {
            let mut labels = labels.clone();
            // OpenTelemetry leaves out `error.type` where nothing failed.
            if !value.is_empty() {
                labels.push((L::NAME, Cow::Borrowed(value)));
            }
            instrument.read(&labels, points);
        }
    }
}

/// An instrument that is made when it is first used, where most are never used. Before, it has no points.
#[derive(Debug)]
pub struct Lazy<I>(OnceLock<Box<I>>);

impl<I> Default for Lazy<I> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<I: Default> Lazy<I> {
    /// The instrument.
    pub fn get(&self) -> &I {
        self.0.get_or_init(Box::default)
    }
}

impl<I> Lazy<I> {
    /// The instrument, if it was used.
    pub fn made(&self) -> Option<&I> {
        self.0.get().map(|instrument| &**instrument)
    }
}

impl<I: Instrument> Instrument for Lazy<I> {
    const KIND: Kind = I::KIND;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        if let Some(instrument) = self.made() {
            instrument.read(labels, points);
        }
    }
}

/// An instrument for each of some names that are known when the server starts.
#[derive(Debug)]
pub struct Named<I> {
    label: &'static str,
    instruments: Vec<(Cow<'static, str>, I)>,
}

impl<I: Default> Named<I> {
    /// For these names.
    pub fn new<N: Into<Cow<'static, str>>>(
        label: &'static str,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = names.into_iter();
        Self {
            label,
            instruments: names.map(|name| (name.into(), I::default())).collect(),
        }
    }

    /// The instrument for the name in this place, if there is one.
    pub fn at(&self, place: usize) -> Option<&I> {
        self.instruments
            .get(place)
            .map(|(_, instrument)| instrument)
    }
}

impl<I: Instrument> Instrument for Named<I> {
    const KIND: Kind = I::KIND;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        for (name, instrument) in &self.instruments {
            let mut labels = labels.clone();
            labels.push((self.label, name.clone()));
            instrument.read(&labels, points);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    enum Tens {}

    impl Scale for Tens {
        const BOUNDS: &'static [u64] = &[10, 20];

        fn published(value: u64) -> f64 {
            f64::from(u32::try_from(value).unwrap()) / 10.0
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Fault {
        None,
        Late,
    }

    impl Label for Fault {
        const NAME: &'static str = "error.type";
        const VALUES: &'static [&'static str] = &["", "late"];

        fn index(self) -> usize {
            self as usize
        }
    }

    fn points(instrument: &impl Instrument) -> Vec<Point> {
        let mut points = Vec::new();
        instrument.read(&vec![("of", "all".into())], &mut points);
        points
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

    #[test]
    fn each_value_of_a_label_is_counted_by_itself_and_an_empty_one_has_no_label() {
        let by = By::<Fault, Counter>::default();
        by.of(Fault::None).add(3);
        by.of(Fault::Late).increment();
        let shown: Vec<(usize, Value)> = points(&by)
            .into_iter()
            .map(|point| (point.labels.len(), point.value))
            .collect();
        assert_eq!(shown, [(1, Value::Count(3)), (2, Value::Count(1))]);
    }

    #[test]
    fn what_never_happened_has_no_point() {
        let (lazy, age) = (Lazy::<Counter>::default(), Age::default());
        assert_eq!((points(&lazy), points(&age)), (vec![], vec![]));
        lazy.get().increment();
        age.renew();
        assert_eq!((points(&lazy).len(), points(&age).len()), (1, 1));
    }
}
