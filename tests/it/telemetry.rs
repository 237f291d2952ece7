//! What the server counts: each operation by its route, what is done by its kind, and never who did it.
//!
//! How the numbers reach an operator is in `process/telemetry`, since it is the program that sends them.

mod counts;
mod documented;
mod routes;

use taskward::telemetry::{Registry, Value};

/// The number of the points of a metric that have these labels, summed. A histogram counts its values.
#[track_caller]
pub fn number(registry: &Registry, name: &str, labels: &[(&str, &str)]) -> u64 {
    let families = registry.read();
    let family = families.iter().find(|family| family.name == name);
    let points = family.into_iter().flat_map(|family| &family.points);
    let has = |own: &taskward::telemetry::Labels| {
        labels
            .iter()
            .all(|(name, value)| own.iter().any(|(other, its)| other == name && its == value))
    };
    let fitting = points.filter(|point| has(&point.labels));
    fitting
        .map(|point| match &point.value {
            Value::Count(count) => *count,
            Value::Level(level) => u64::try_from(*level).unwrap(),
            Value::Distribution { counts, .. } => counts.iter().sum(),
            other => panic!("{name}: {other:?}"),
        })
        .sum()
}
