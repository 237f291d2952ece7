//! How instruments and labels are declared: each once, with its name, unit and meaning.

use std::sync::Arc;

use super::instrument::{Kind, Labels, Point};

/// All numbers of one name.
#[derive(Debug, Clone)]
pub struct Family {
    /// OpenTelemetry's name.
    pub name: &'static str,
    /// The unit, by UCUM: `s`, `By`, `1`, or in braces what is counted.
    pub unit: &'static str,
    /// What it means.
    pub about: &'static str,
    /// The kind of its numbers.
    pub kind: Kind,
    /// The numbers.
    pub points: Vec<Point>,
}

/// An instrument as it is declared.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// OpenTelemetry's name.
    pub name: &'static str,
    /// The unit.
    pub unit: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// Some instruments that belong together.
pub trait Source: Send + Sync {
    /// Adds what they show at the moment, with these labels before their own.
    fn read(&self, labels: &Labels, families: &mut Vec<Family>);
}

/// Those of all parts of the process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<std::sync::Mutex<Vec<Labelled>>>);

/// A source, and the labels of all its points.
type Labelled = (Labels, Arc<dyn Source>);

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// Adds some instruments.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.add_labelled(Labels::new(), source);
    }

    /// Adds some instruments, of which there are others with other labels.
    pub fn add_labelled(&self, labels: Labels, source: Arc<dyn Source>) {
        let mut sources = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        sources.push((labels, source));
    }

    /// What all of them show at the moment, in the order of their names.
    pub fn read(&self) -> Vec<Family> {
        let mut read = Vec::new();
        let sources = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for (labels, source) in &*sources {
            source.read(labels, &mut read);
        }
        drop(sources);
        read.sort_by_key(|family| family.name);
        let mut families: Vec<Family> = Vec::with_capacity(read.len());
        for family in read {
            match families.last_mut() {
                Some(last) if last.name == family.name => last.points.extend(family.points),
                _ => families.push(family),
            }
        }
        families.retain(|family| !family.points.is_empty());
        families
    }
}

/// Declares instruments: the field of each, its type, its name, its unit, and by its documentation what it means.
macro_rules! instruments {
    ($(
        $(#[doc = $about_all:literal])+
        $(#[derive($derived:ident)])? $group:ident {
            $($(#[doc = $about:literal])+ $field:ident: $type:ty = $name:literal, $unit:literal;)+
        }
    )+) => {$(
        $(#[doc = $about_all])+
        #[derive(Debug $(, $derived)?)]
        pub struct $group {
            $($(#[doc = $about])+ pub $field: $type,)+
        }

        impl $crate::telemetry::Source for $group {
            fn read(&self, labels: &$crate::telemetry::Labels, families: &mut Vec<$crate::telemetry::Family>) {
                use $crate::telemetry::instrument::Instrument;
                $({
                    let mut points = Vec::new();
                    self.$field.read(labels, &mut points);
                    families.push($crate::telemetry::Family {
                        name: $name,
                        unit: $unit,
                        about: concat!($($about),+).trim_ascii(),
                        kind: <$type as Instrument>::KIND,
                        points,
                    });
                })+
            }
        }
    )+

        /// All instruments, in the order of their declaration.
        pub const DECLARED: &[$crate::telemetry::Declared] = &[$($(
            $crate::telemetry::Declared {
                name: $name,
                unit: $unit,
                about: concat!($($about),+).trim_ascii(),
            },
        )+)+];
    };
}
pub(super) use instruments;

/// Declares a label: its name, and its values.
macro_rules! labels {
    ($(
        $(#[doc = $about:literal])+
        $label:ident = $name:literal {
            $($(#[doc = $about_value:literal])+ $value:ident = $text:literal,)+
        }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $label {
            $($(#[doc = $about_value])+ $value,)+
        }

        impl $crate::telemetry::instrument::Label for $label {
            const NAME: &'static str = $name;
            const VALUES: &'static [&'static str] = &[$($text),+];

            fn index(self) -> usize {
                self as usize
            }
        }
    )+};
}
pub(super) use labels;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::telemetry::{DECLARED, KeySetInstruments};

    #[test]
    fn instruments_of_one_kind_are_one_family_with_their_own_labels() {
        let registry = Registry::default();
        for rule in ["one", "other"] {
            let instruments = KeySetInstruments::default();
            instruments.keys.set(rule.len() as u64);
            let labels = vec![("taskward.auth.rule", rule.into())];
            registry.add_labelled(labels, Arc::new(instruments));
        }
        let read = registry.read();
        let keys: Vec<_> = read
            .iter()
            .filter(|family| family.name == "taskward.key_set.keys")
            .collect();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].points.len(), 2);
        // What was never fetched has no age.
        assert!(
            read.iter()
                .all(|family| family.name != "taskward.key_set.age")
        );
    }

    #[test]
    fn a_name_is_declared_once_and_what_it_means_is_a_sentence() {
        let names: BTreeSet<&str> = DECLARED.iter().map(|declared| declared.name).collect();
        assert_eq!(names.len(), DECLARED.len());
        for Declared { name, unit, about } in DECLARED {
            assert!(
                about.ends_with('.') && about.starts_with(char::is_uppercase),
                "{name}"
            );
            assert!(
                ["s", "By"].contains(unit) || unit.starts_with('{') && unit.ends_with('}'),
                "{name}"
            );
        }
    }
}
