//! Traces: the spans of requests, statements and tools, by OpenTelemetry's conventions.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Home, Process, eventually, sending_to};
use crate::support::{
    Backend, Collector,
    collector::{attribute, attributes},
    on_both,
};

const TASKS: &str = "/api/v1/tasks";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for a span of this name.
async fn span(collector: &Collector, name: &str) -> Span {
    eventually(name, async || {
        collector.spans().into_iter().find(|span| span.name == name)
    })
    .await
}

/// Waits for a span of this name in a trace.
async fn span_in(collector: &Collector, trace: &[u8], name: &str) -> Span {
    eventually(name, async || {
        let spans = collector.spans().into_iter();
        spans
            .filter(|span| span.trace_id == trace)
            .find(|span| span.name == name)
    })
    .await
}

/// The line that is logged of the only request so far.
async fn answered(server: &Process) -> Value {
    eventually("the request is in the log", async || {
        let log = server.log();
        let mut lines = log
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["message"] == "answered")
    })
    .await
}

on_both! {
    async fn a_request_belongs_to_the_trace_of_its_client_and_its_statement_to_the_request(on: Backend) {
        let collector = Collector::start().await;
        let home = sending_to(&collector, on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        let request = alice.request(Method::POST, TASKS).json(&json!({ "title": "Buy milk" }));
        let request = request.header("traceparent", TRACEPARENT).header("tracestate", "vendor=1");
        let answer = request.send().await.unwrap();
        let told = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
        let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();

        let request = span(&collector, "POST /api/v1/tasks").await;
        assert_eq!(hex(&request.trace_id), TRACE);
        assert_eq!(hex(&request.parent_span_id), PARENT);
        assert_eq!(request.trace_state, "vendor=1");
        assert_eq!(request.kind(), SpanKind::Server);
        assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&request.span_id)));
        let mut said = attributes(&request.attributes);
        said.sort();
        let said: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(said, [
            ("http.request.method", "POST"),
            ("http.response.status_code", "201"),
            ("http.route", TASKS),
            ("taskward.request.id", &*request_id),
            ("url.scheme", "http"),
        ]);
        assert!(request.events.is_empty(), "{request:?}");

        let statement = span(&collector, "writes").await;
        assert_eq!(statement.trace_id, request.trace_id);
        assert_eq!(statement.parent_span_id, request.span_id);
        assert_eq!(statement.kind(), SpanKind::Client);
        let system = match on {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        };
        assert_eq!(attribute(&statement.attributes, "db.system.name"), system);
        assert_eq!(attribute(&statement.attributes, "db.query.summary"), "writes");
        let waited: f64 = attribute(&statement.attributes, "taskward.store.waited").parse().unwrap();
        assert!((0.0..60.0).contains(&waited), "{waited} s");
        assert!(statement.start_time_unix_nano >= request.start_time_unix_nano);
        assert!(statement.end_time_unix_nano <= request.end_time_unix_nano);

        // The log leads to the trace, and the trace to the log.
        let line = answered(&server).await;
        assert_eq!(line["span"]["trace_id"], TRACE);
        assert_eq!(line["span"]["span_id"], hex(&request.span_id));
        assert_eq!(line["span"]["request_id"], request_id);
        assert!(!line.to_string().contains("otel"), "{line}");
        let resource = collector.resource();
        for (name, value) in [("service.name", "taskward"), ("service.version", env!("CARGO_PKG_VERSION"))] {
            assert!(resource.contains(&(name.to_owned(), value.to_owned())), "{resource:?}");
        }
    }

    async fn a_call_of_a_tool_is_a_span_between_its_request_and_its_statements(on: Backend) {
        let collector = Collector::start().await;
        let home = sending_to(&collector, on).await;
        let server = home.start().await;
        let agent = server.user("alice").agent();
        agent.call("add_tasks", json!({ "tasks": [{ "title": "Buy milk" }] })).await.done();
        let tool = span(&collector, "tools/call add_tasks").await;
        let request = span_in(&collector, &tool.trace_id, "POST /mcp").await;
        assert_eq!(tool.parent_span_id, request.span_id);
        assert_eq!(tool.kind(), SpanKind::Server);
        assert_eq!(attribute(&tool.attributes, "gen_ai.tool.name"), "add_tasks");
        assert_eq!(attribute(&tool.attributes, "mcp.method.name"), "tools/call");
        let statement = span_in(&collector, &tool.trace_id, "writes").await;
        assert_eq!(statement.parent_span_id, tool.span_id);

        // A message may belong to a trace of its own; then the two are linked.
        let params = json!({ "name": "get_task", "arguments": { "id": 77 }, "_meta": { "traceparent": TRACEPARENT } });
        agent.ask("tools/call", params).await.has(200);
        let tool = span(&collector, "tools/call get_task").await;
        assert_eq!(hex(&tool.trace_id), TRACE);
        assert_eq!(hex(&tool.parent_span_id), PARENT);
        assert_eq!(tool.status.clone().unwrap().code(), StatusCode::Error);
        assert_eq!(attribute(&tool.attributes, "error.type"), "tool_error");
        let linked = &tool.links[0].trace_id;
        assert_ne!(*linked, tool.trace_id);
        let request = span_in(&collector, linked, "POST /mcp").await;
        assert_eq!(tool.links[0].span_id, request.span_id);
        let statement = span_in(&collector, &tool.trace_id, "tasks").await;
        assert_eq!(statement.parent_span_id, tool.span_id);
    }

    async fn nothing_personal_is_sent(on: Backend) {
        let collector = Collector::start().await;
        let home = sending_to(&collector, on).await;
        let mut server = home.start().await;
        let name = "alice-who-is-nobody-elses-business";
        let alice = server.user(name);
        let token = server.token(name);
        let title = "Call-the-clinic";
        let created = alice.create_with(json!({ "title": title, "tags": ["secret-tag"] })).await;
        alice.get(&format!("{TASKS}?q=clinic-search")).await.has(200);
        alice.get(&format!("/api/{name}/tasks?secret=1")).await;
        alice.get(&format!("/nowhere/{title}")).await.has(404);
        alice.patch(&created.location, json!({ "title": 7 })).await.has(422);
        alice.agent().call("find_tasks", json!({ "q": "clinic-search" })).await.done();
        alice.agent().try_call("no-such-tool", json!({})).await;
        let weird = Method::from_bytes(b"CLINIC").unwrap();
        alice.request(weird, TASKS).send().await.unwrap();
        server.signal("TERM");
        assert!(server.ended(Duration::from_secs(20)).await.success());
        assert!(collector.spans().len() > 10);
        for (head, body) in collector.raw() {
            let text = String::from_utf8_lossy(&body);
            for secret in [name, title, "clinic", "CLINIC", "secret-tag", "no-such-tool", "nowhere", "SELECT", "INSERT"] {
                assert!(!text.contains(secret) && !head.contains(secret), "{secret} is in {text}");
            }
            for part in token.split('.') {
                assert!(!text.contains(part), "{text}");
            }
            // The name of the user in the log leads to nobody, and is not sent either.
            assert!(!text.contains("\u{4}user"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_went_together_are_in_each_trace_and_linked() {
    if crate::support::postgres::postgres().is_err() {
        return;
    }
    let collector = Collector::start().await;
    let home = sending_to(&collector, Backend::Postgres).await;
    let home = home.set("DATABASE_MAX_CONNECTIONS", "1");
    let server = home.start().await;
    let people: Vec<_> = (0..20).map(|n| server.user(&format!("user{n}"))).collect();
    for person in &people {
        person.create("Buy milk").await;
    }
    // Until some have gone together, which is a matter of luck.
    let grouped = eventually("a group", async || {
        let asked = people.iter().map(|person| person.get("/api/v1/tasks/1"));
        futures_util::future::join_all(asked).await;
        let spans = collector.spans();
        let size = |span: &Span| attribute(&span.attributes, "db.operation.batch.size");
        let second = spans
            .iter()
            .find(|span| span.name == "tasks" && !span.links.is_empty())?;
        let link = &second.links[0];
        let first = spans.iter().find(|span| span.span_id == link.span_id)?;
        let request = |of: &Span| {
            spans
                .iter()
                .find(|span| span.span_id == of.parent_span_id)
                .cloned()
        };
        Some((
            first.clone(),
            second.clone(),
            request(first)?,
            request(second)?,
            size(first),
            size(second),
        ))
    })
    .await;
    let (first, second, request, other_request, size, same_size) = grouped;
    assert_eq!(first.name, "tasks");
    assert!(first.links.is_empty());
    assert_ne!(first.trace_id, second.trace_id);
    assert_eq!(
        [&request.name, &other_request.name],
        ["GET /api/v1/tasks/{id}"; 2]
    );
    assert_eq!(request.trace_id, first.trace_id);
    assert_eq!(other_request.trace_id, second.trace_id);
    assert!(size.parse::<u32>().unwrap() > 1);
    assert_eq!(size, same_size);
}

#[tokio::test]
async fn the_decision_of_the_client_counts_unless_the_operator_says_otherwise() {
    let of_trace = |half: &str| {
        TRACEPARENT
            .replace("dd8448eb211c80319c", half)
            .replace("0af7651916cd43", "0af7651916cd43dd")
    };
    let not_sampled = TRACEPARENT.replace("-01", "-00");
    for (sampler, argument, of_client, sent) in [
        ("parentbased_always_on", "", TRACEPARENT, true),
        ("parentbased_always_on", "", &not_sampled, false),
        ("parentbased_always_off", "", TRACEPARENT, true),
        ("parentbased_traceidratio", "0", "", false),
        ("always_off", "", TRACEPARENT, false),
        ("always_on", "", &not_sampled, true),
        ("traceidratio", "1", &not_sampled, true),
        ("traceidratio", "0", TRACEPARENT, false),
        // The id of the trace decides, so that all processes decide alike: a quarter are those whose last half is low.
        ("traceidratio", "0.25", &of_trace("1000000000000000"), true),
        ("traceidratio", "0.25", &of_trace("6000000000000000"), false),
        (
            "parentbased_traceidratio",
            "0.25",
            &of_trace("6000000000000000"),
            true,
        ),
    ] {
        let collector = Collector::start().await;
        let home = sending_to(&collector, Backend::Sqlite).await;
        let home = home
            .set("OTEL_TRACES_SAMPLER", sampler)
            .set("OTEL_TRACES_SAMPLER_ARG", argument);
        let mut server = home.start().await;
        let mut request = server.user("alice").request(Method::GET, TASKS);
        if !of_client.is_empty() {
            request = request.header("traceparent", of_client);
        }
        let answer = request.send().await.unwrap();
        // Whoever goes on with the trace is told what was decided.
        let flags = &answer.headers()["traceresponse"].to_str().unwrap()[53..];
        assert_eq!(flags, if sent { "01" } else { "00" }, "{sampler}");
        server.signal("TERM");
        assert!(server.ended(Duration::from_secs(20)).await.success());
        assert_eq!(
            !collector.spans().is_empty(),
            sent,
            "{sampler} {argument} {of_client}"
        );
    }
}

#[tokio::test]
async fn without_a_collector_the_log_has_the_trace_of_the_client_and_nothing_is_sent() {
    let server = Home::sqlite().start().await;
    let alice = server.user("alice");
    let request = alice
        .request(Method::GET, TASKS)
        .header("traceparent", TRACEPARENT);
    let answer = request.send().await.unwrap();
    assert!(!answer.headers().contains_key("traceresponse"));
    let line = answered(&server).await;
    assert_eq!(line["span"]["trace_id"], TRACE);
    assert_eq!(line["span"]["span_id"], PARENT);
}

#[tokio::test]
async fn without_a_collector_the_log_has_the_trace_of_a_message_of_mcp() {
    let server = Home::sqlite().start().await;
    let params =
        json!({ "name": "find_tasks", "arguments": {}, "_meta": { "traceparent": TRACEPARENT } });
    server
        .user("alice")
        .agent()
        .ask("tools/call", params)
        .await
        .has(200);
    let line = answered(&server).await;
    assert_eq!(line["span"]["trace_id"], TRACE);
    assert_eq!(line["span"]["tool"], "find_tasks");
}
