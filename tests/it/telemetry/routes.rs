//! Requests are counted by route, method and status.

use reqwest::Method;
use taskward::telemetry::{Label as _, Method as MethodLabel, prometheus};

use super::number;
use crate::support::{Backend, contract::operations, on_both, raw};

const DURATION: &str = "http.server.request.duration";

on_both! {
    async fn each_operation_is_counted_under_its_route(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for operation in operations() {
            let path = operation.path_with("alice", "1");
            let labels = [("http.route", operation.path), ("http.request.method", operation.method.as_str())];
            let before = number(&app.registry, DURATION, &labels);
            let answer = alice.request(operation.method.clone(), &path).send().await.unwrap();
            let status = answer.status().as_str().to_owned();
            // The answer of a stream has no end.
            drop(answer);
            assert_eq!(number(&app.registry, DURATION, &labels), before + 1, "{}", operation.id);
            let [route, method] = labels;
            let with_status = [route, method, ("http.response.status_code", &*status), ("url.scheme", "http")];
            assert!(number(&app.registry, DURATION, &with_status) >= 1, "{}: {status}", operation.id);
        }
    }
}

#[tokio::test]
async fn what_is_no_operation_has_a_route_of_its_own() {
    let app = Backend::Sqlite.app().await;
    let anon = app.anon();
    for (path, route) in [
        ("/openapi.json", "/openapi.json"),
        ("/mcp", "/mcp"),
        ("/docs/", "/docs"),
        ("/docs/init.js", "/docs/{file}"),
        ("/", "/"),
        ("/health/", "/health"),
        ("/api/v1/nothing", "_OTHER"),
        ("/api/v1/tasks/1/2/3", "_OTHER"),
    ] {
        let labels = [("http.route", route)];
        let before = number(&app.registry, DURATION, &labels);
        anon.get(path).await;
        assert_eq!(
            number(&app.registry, DURATION, &labels),
            before + 1,
            "{path}"
        );
    }
}

#[tokio::test]
async fn hostile_paths_and_methods_make_no_labels() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    alice.get("/api/v1/tasks").await.has(200);
    let lines = || prometheus_text(&app).lines().count();
    let ask = async |number: usize| {
        let method = Method::from_bytes(format!("METHOD{number}").as_bytes()).unwrap();
        for path in ["/api/v1/tasks", "/nowhere", "/api/alice/tasks"] {
            let _ = alice.request(method.clone(), path).send().await.unwrap();
        }
        for path in [
            format!("/{number}"),
            format!("/api/{number}/tasks"),
            format!("/api/v1/tasks/{number}"),
            format!("/api/v1/tasks/{number}/{number}"),
            format!("/api/v1/tasks?q={number}"),
            format!("/docs/{number}"),
        ] {
            alice.get(&path).await;
        }
        let agent = alice.agent();
        let call = serde_json::json!({ "name": format!("tool{number}"), "arguments": {} });
        let _ = agent.message("tools/call", call).send().await.unwrap();
        let _ = agent
            .message(&format!("method{number}"), serde_json::json!({}))
            .send()
            .await;
        raw(&app, &format!("{number} nonsense\r\n\r\n")).await;
    };
    ask(1).await;
    let before = lines();
    for number in 2..=30 {
        ask(number).await;
    }
    assert_eq!(lines(), before, "{}", prometheus_text(&app));
    let other = [
        ("http.request.method", "_OTHER"),
        ("http.route", "/api/v1/tasks"),
    ];
    assert_eq!(number(&app.registry, DURATION, &other), 30);
    assert!(MethodLabel::VALUES.contains(&"_OTHER"));
}

fn prometheus_text(app: &crate::support::TestApp) -> String {
    let resource = taskward::telemetry::Resource(Vec::new());
    prometheus::text(&app.registry, &resource).unwrap()
}
