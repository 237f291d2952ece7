//! `docs/observability.md` has each metric, as it is declared.

use std::collections::{BTreeMap, BTreeSet};

use taskward::telemetry::{DECLARED, Resource, prometheus};

use crate::support::Backend;

const PAGE: &str = include_str!("../../../docs/observability.md");

/// The rows of the tables of metrics: name, name for Prometheus, unit, labels.
fn rows() -> BTreeMap<&'static str, [&'static str; 3]> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| `"));
    let cells = lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let metrics = cells.filter(|cells| cells.len() == 7 && cells[2].starts_with('`'));
    metrics
        .map(|cells| {
            (
                cells[1].trim_matches('`'),
                [cells[2].trim_matches('`'), cells[3], cells[4]],
            )
        })
        .collect()
}

#[test]
fn each_metric_is_in_the_page_with_its_unit() {
    let documented: BTreeMap<&str, &str> = rows()
        .iter()
        .map(|(name, [_, unit, _])| (*name, *unit))
        .collect();
    let declared: BTreeMap<&str, &str> = DECLARED.iter().map(|it| (it.name, it.unit)).collect();
    assert_eq!(documented, declared);
}

#[tokio::test]
async fn prometheus_sees_the_names_and_labels_of_the_page() {
    let app = Backend::Sqlite.app().await;
    app.user("alice").create("Buy milk").await;
    let text = prometheus::text(&app.registry, &Resource(Vec::new())).unwrap();
    let rows = rows();
    let mut seen = BTreeSet::new();
    for family in app.registry.read() {
        let [shown, _, labels] = rows[family.name];
        let samples = [
            format!("\n{shown}{{"),
            format!("\n{shown} "),
            format!("\n{shown}_bucket{{"),
        ];
        assert!(
            samples.iter().any(|sample| text.contains(sample)),
            "{shown} is not in {text}"
        );
        for (label, _) in family.points.iter().flat_map(|point| &point.labels) {
            assert!(
                labels.contains(&format!("`{label}`")),
                "{label} of {} is not in the page",
                family.name
            );
        }
        seen.insert(family.name);
    }
    assert!(seen.len() >= 20, "{seen:?}");
    // Each starts with the name that is declared, in the form that Prometheus has.
    for (name, [shown, unit, _]) in rows {
        assert!(shown.starts_with(&name.replace('.', "_")), "{shown}");
        assert_eq!(
            shown.ends_with("_seconds") || shown.ends_with("_seconds_total"),
            unit == "s",
            "{shown}"
        );
    }
}
