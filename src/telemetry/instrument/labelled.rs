//! An instrument for each value of a label.

use std::{borrow::Cow, marker::PhantomData, sync::OnceLock};

use super::{Instrument, Kind, Labels, Point};

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

#[cfg(test)]
mod tests {
    use super::{
        super::{Age, Counter, Value, points},
        *,
    };

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
