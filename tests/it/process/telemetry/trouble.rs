//! A collector in trouble is not the trouble of the server's clients.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use taskward::telemetry::Label as _;

use super::{Home, Process, eventually, sending_to};
use crate::support::{Backend, Collector};

const TASKS: &str = "/api/v1/tasks";

/// How many spans had this fate, as the metrics say.
async fn spans(server: &Process, fate: &str) -> u64 {
    let log = server.log();
    let mut lines = log
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines
        .find(|line| line["message"] == "metrics are at /metrics")
        .unwrap();
    let address = line["address"].as_str().unwrap();
    let answer = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    let name = format!(r#"taskward_telemetry_spans_total{{taskward_span_fate="{fate}"}} "#);
    let sample = text.lines().find_map(|line| line.strip_prefix(&name));
    sample.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_collector_that_never_answers_delays_nobody_and_what_it_misses_is_counted() {
    let collector = Collector::start().await;
    collector.answer(0);
    let home = sending_to(&collector, Backend::Sqlite)
        .await
        .set("METRICS_ADDR", "127.0.0.1:0");
    let mut server = home.start().await;
    let alice = server.user("alice");
    // More than the queue holds, and at once no more than a user may have under way.
    let asks = (0..2_600).map(|_| alice.get("/api/v1/me"));
    let mut answers = stream::iter(asks).buffer_unordered(32);
    while let Some(answer) = answers.next().await {
        answer.has(200);
    }
    eventually("spans are dropped", async || {
        (spans(&server, "queue_full").await > 0).then_some(())
    })
    .await;
    assert_eq!(spans(&server, "exported").await, 0);
    let began = Instant::now();
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(40)).await.success());
    assert!(began.elapsed() < Duration::from_secs(30));
    let told = server
        .log()
        .iter()
        .any(|line| line.contains("did not take the last"));
    assert!(told, "{:#?}", server.log());
}

#[tokio::test]
async fn spans_wait_for_a_collector_that_is_away() {
    let collector = Collector::start().await;
    collector.answer(503);
    let server = sending_to(&collector, Backend::Sqlite).await.start().await;
    server.user("alice").get(TASKS).await.has(200);
    eventually("a try", async || (collector.messages() > 0).then_some(())).await;
    collector.answer(200);
    eventually("the span of then", async || {
        let spans = collector.spans();
        spans
            .iter()
            .any(|span| span.name == "GET /api/v1/tasks")
            .then_some(())
    })
    .await;
    let log = server.log();
    let told = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    assert!(told("cannot send") > 0, "{log:#?}");
}

#[tokio::test]
async fn what_a_collector_refuses_is_not_sent_again() {
    let collector = Collector::start().await;
    collector.refuse(1);
    let home = sending_to(&collector, Backend::Sqlite)
        .await
        .set("METRICS_ADDR", "127.0.0.1:0");
    let server = home.start().await;
    server.anon().get(TASKS).await.has(401);
    eventually("a refusal", async || {
        (spans(&server, "refused").await == 1).then_some(())
    })
    .await;
    assert_eq!(spans(&server, "exported").await, 0);
    collector.answer(400);
    server.anon().get(TASKS).await.has(401);
    eventually("another", async || {
        (spans(&server, "refused").await == 2).then_some(())
    })
    .await;
    let names = taskward::telemetry::SpanFate::VALUES;
    assert_eq!(names, ["exported", "queue_full", "refused", "shutdown"]);
}

#[tokio::test]
async fn the_headers_for_the_collector_are_sent_and_shown_to_nobody() {
    let collector = Collector::start().await;
    let home = sending_to(&collector, Backend::Sqlite).await.set(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Authorization=Bearer%20s3cret, x-scope=tasks",
    );
    let mut server = home.set("RUST_LOG", "trace,hyper=debug").start().await;
    server.anon().get(TASKS).await.has(401);
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(20)).await.success());
    let raw = collector.raw();
    let sent = raw
        .iter()
        .filter(|(head, _)| head.contains("Bearer s3cret") && head.contains("x-scope"));
    assert_eq!(sent.count(), raw.len());
    assert!(raw.len() >= 2);
    assert!(server.log().iter().all(|line| !line.contains("s3cret")));
}

#[tokio::test]
async fn settings_that_cannot_be_met_are_refused_at_the_start() {
    for (name, value, told) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "must be `http/protobuf`",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4318",
            "must be an http or https URL",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "jaeger_remote",
            "must be `always_on`",
        ),
        (
            "OTEL_TRACES_SAMPLER_ARG",
            "2",
            "must be a number from 0 to 1",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "s3cret",
            "entry 1 must be name=value",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "=x", "entry 1 has no name"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be `otlp` or `none`"),
        ("METRICS_ADDR", "9464", "must be an IP address and a port"),
    ] {
        let error = Home::sqlite().set(name, value).run(&["serve"]).bad();
        assert!(error.contains(name) && error.contains(told), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn each_signal_can_be_turned_off() {
    let collector = Collector::start().await;
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ] {
        let before = collector.raw().len();
        let mut server = sending_to(&collector, Backend::Sqlite)
            .await
            .set(name, value)
            .start()
            .await;
        server.anon().get(TASKS).await.has(401);
        server.signal("TERM");
        assert!(server.ended(Duration::from_secs(20)).await.success());
        let sent: Vec<String> = collector.raw()[before..]
            .iter()
            .map(|(head, _)| head.clone())
            .collect();
        let has = |path: &str| sent.iter().any(|head| head.starts_with(path));
        assert_eq!(has("/v1/traces"), name == "OTEL_METRICS_EXPORTER", "{name}");
        assert_eq!(has("/v1/metrics"), name == "OTEL_TRACES_EXPORTER", "{name}");
    }
}
