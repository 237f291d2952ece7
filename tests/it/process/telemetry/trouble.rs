//! A collector in trouble is not the trouble of the server's clients.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use taskward::telemetry::Label as _;

use super::{Home, Process, eventually, sample, sending_to};
use crate::support::{Backend, Collector};

const TASKS: &str = "/api/v1/tasks";

/// How many spans had this fate, as the metrics say.
async fn spans(server: &Process, fate: &str) -> f64 {
    let name = format!(r#"taskward_telemetry_spans_total{{taskward_span_fate="{fate}"}}"#);
    sample(server, &name).await.unwrap()
}

/// How many messages with spans or numbers went so, as the metrics say.
async fn exports(server: &Process, signal: &str, outcome: &str) -> f64 {
    let labels = format!(r#"taskward_signal="{signal}",taskward_outcome="{outcome}""#);
    let name = format!("taskward_telemetry_exports_total{{{labels}}}");
    sample(server, &name).await.unwrap()
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
        (spans(&server, "queue_full").await > 0.0).then_some(())
    })
    .await;
    assert_eq!(spans(&server, "exported").await, 0.0);
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
    // What OTLP says is worth another try.
    for status in [429, 502, 503, 504] {
        let collector = Collector::start().await;
        collector.answer(status);
        let home = sending_to(&collector, Backend::Sqlite)
            .await
            .set("METRICS_ADDR", "127.0.0.1:0");
        let server = home.start().await;
        let told = |words: &str| {
            let log = server.log();
            log.iter().filter(|line| line.contains(words)).count()
        };
        server.user("alice").get(TASKS).await.has(200);
        eventually("each is tried", async || {
            let traces = exports(&server, "traces", "failure").await;
            (traces * exports(&server, "metrics", "failure").await > 0.0).then_some(())
        })
        .await;
        assert_eq!(exports(&server, "traces", "success").await, 0.0);
        assert!(told("cannot send spans to the collector") > 0, "{status}");
        collector.answer(200);
        eventually("the span of then", async || {
            let spans = collector.spans();
            spans
                .iter()
                .any(|span| span.name == "GET /api/v1/tasks")
                .then_some(())
        })
        .await;
        eventually("the end of the trouble is told", async || {
            (told("the collector takes spans again") == 1).then_some(())
        })
        .await;
        assert!(exports(&server, "traces", "success").await > 0.0);
        // The next trouble is another one.
        let before = told("cannot send spans to the collector");
        collector.answer(status);
        server.user("alice").get(TASKS).await.has(200);
        eventually("it is told as well", async || {
            (told("cannot send spans to the collector") > before).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_message_takes_no_longer_than_the_operator_allows() {
    let collector = Collector::start().await;
    collector.answer(0);
    let home = sending_to(&collector, Backend::Sqlite)
        .await
        .set("OTEL_EXPORTER_OTLP_TIMEOUT", "200");
    let server = home.start().await;
    eventually("the collector is given up", async || {
        let log = server.log();
        log.iter()
            .any(|line| line.contains("cannot send metrics to the collector"))
            .then_some(())
    })
    .await;
}

/// At the stop there are more spans than one message holds.
#[tokio::test]
async fn all_that_waits_is_sent_at_the_stop() {
    let collector = Collector::start().await;
    collector.answer(503);
    let mut server = sending_to(&collector, Backend::Sqlite).await.start().await;
    let alice = server.user("alice");
    let asks = (0..1_200).map(|_| alice.get("/api/v1/nothing"));
    let mut answers = stream::iter(asks).buffer_unordered(16);
    while let Some(answer) = answers.next().await {
        answer.has(404);
    }
    collector.answer(200);
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(20)).await.success());
    let spans = collector.spans();
    let ours = spans
        .iter()
        .filter(|span| span.name == "GET _OTHER")
        .count();
    assert_eq!(ours, 1_200);
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
        (spans(&server, "refused").await == 1.0).then_some(())
    })
    .await;
    assert_eq!(spans(&server, "exported").await, 0.0);
    collector.answer(400);
    server.anon().get(TASKS).await.has(401);
    eventually("another", async || {
        (spans(&server, "refused").await == 2.0).then_some(())
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
