//! What is done is counted by its kind, and nobody is named.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::sqlx::{Connection as _, Executor as _, SqliteConnection};
use serde_json::json;
use taskward::{
    access::RateLimit,
    clock::Clock,
    telemetry::{Resource, Value, prometheus},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::number;
use crate::support::{Backend, TestApp, on_both};

const TASKS: &str = "/api/v1/tasks";
const WRITTEN: &str = "taskward.tasks.written";

/// How many tasks were created, changed, deleted and restored.
fn written(app: &TestApp) -> [u64; 4] {
    ["create", "update", "delete", "restore"].map(|operation| {
        number(
            &app.registry,
            WRITTEN,
            &[("taskward.task.operation", operation)],
        )
    })
}

/// Waits until a number is this.
async fn becomes(app: &TestApp, name: &str, labels: &[(&str, &str)], expected: u64) {
    for _ in 0..500 {
        if number(&app.registry, name, labels) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = number(&app.registry, name, labels);
    assert_eq!(seen, expected, "{name} {labels:?}");
}

on_both! {
    async fn tasks_are_counted_when_they_are_written_and_not_otherwise(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let again = json!({ "title": "Buy tea", "uid": "0190f5fe-7c00-7a00-8000-000000000001" });
        for _ in 0..2 {
            alice.post(TASKS, again.clone()).await.has(201);
        }
        assert_eq!(written(&app), [2, 0, 0, 0]);
        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);
        alice.patch("/api/v1/tasks/1", json!({})).await.has(200);
        alice.patch("/api/v1/tasks/9", json!({ "completed": true })).await.has(404);
        alice.delete("/api/v1/tasks/1").await.has(204);
        alice.post_nothing("/api/v1/tasks/1/restore").await.has(200);
        alice.post_nothing("/api/v1/tasks/1/restore").await.has(200);
        assert_eq!(written(&app), [2, 1, 1, 1]);
        // Each operation of a batch by itself.
        let operations = json!({ "operations": [
            { "op": "create", "task": { "title": "Buy bread" } },
            { "op": "create", "task": again },
            { "op": "update", "id": 1, "patch": { "title": "Buy oat milk" } },
            { "op": "delete", "id": 2 },
            { "op": "delete", "id": 77 },
        ] });
        alice.post("/api/v1/tasks/batch", operations).await.has(200);
        assert_eq!(written(&app), [3, 2, 2, 1]);
    }

    async fn statements_are_counted_by_their_kind(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        alice.get("/api/v1/tasks/1").await.has(200);
        alice.get(TASKS).await.has(200);
        alice.get(TASKS).await.has(200);
        let system = match on {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        };
        let of = |name: &str, kind: &str| {
            number(&app.registry, name, &[("db.query.summary", kind), ("db.system.name", system)])
        };
        assert_eq!(of("db.client.operation.duration", "writes"), 1);
        assert_eq!(of("db.client.operation.duration", "tasks"), 1);
        assert_eq!(of("taskward.store.group.size", "writes"), 1);
        assert_eq!(of("taskward.store.wait.duration", "writes"), 1);
        assert_eq!(of("taskward.store.waiting", "writes"), 0);
        assert!(number(&app.registry, "taskward.store.connections", &[]) > 0);
        assert_eq!(number(&app.registry, "taskward.pages.served", &[("taskward.page.origin", "database")]), 1);
        assert_eq!(number(&app.registry, "taskward.pages.served", &[("taskward.page.origin", "memory")]), 1);
        assert!(number(&app.registry, "taskward.pages.memory", &[]) > 0);
        assert_eq!(number(&app.registry, "db.client.operation.duration", &[("error.type", "unavailable")]), 0);
    }

    async fn streams_are_counted_while_they_are_open_and_by_how_they_end(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let mut stream = alice.events(0).await;
        stream.soon().await;
        assert_eq!(number(&app.registry, "taskward.streams.active", &[]), 1);
        alice.create("Buy tea").await;
        stream.soon().await;
        assert_eq!(number(&app.registry, "taskward.streams.events", &[]), 2);
        drop(stream);
        becomes(&app, "taskward.streams.active", &[], 0).await;
        becomes(&app, "taskward.streams.ended", &[("taskward.stream.end", "hung_up")], 1).await;
    }
}

#[tokio::test]
async fn tools_are_counted_by_their_results() {
    let app = Backend::Sqlite.app().await;
    let agent = app.user("alice").agent();
    let add = json!({ "tasks": [{ "title": "Buy milk" }] });
    agent.call("add_tasks", add).await.done();
    agent.call("get_task", json!({ "id": 77 })).await.refused();
    let of =
        |labels: &[(&str, &str)]| number(&app.registry, "mcp.server.operation.duration", labels);
    assert_eq!(of(&[("gen_ai.tool.name", "add_tasks")]), 1);
    assert_eq!(
        of(&[
            ("gen_ai.tool.name", "add_tasks"),
            ("error.type", "tool_error")
        ]),
        0
    );
    assert_eq!(
        of(&[
            ("gen_ai.tool.name", "get_task"),
            ("error.type", "tool_error")
        ]),
        1
    );
    assert_eq!(of(&[("mcp.method.name", "tools/call")]), 2);
}

#[tokio::test]
async fn refusals_are_counted_by_the_budget_and_problems_by_their_code() {
    let few = RateLimit {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::new(3).unwrap(),
    };
    let app = Backend::Sqlite
        .app_with(|settings| {
            settings.rate_limit = Some(few);
            settings.failures = Some(few);
        })
        .await;
    let (alice, mallory) = (app.user("alice"), app.with_token("not.a.token"));
    while alice.get("/api/v1/me").await.status == 200 {}
    while mallory.get("/api/v1/me").await.status == 401 {}
    let refused = |budget: &str| {
        number(
            &app.registry,
            "taskward.budget.refusals",
            &[("taskward.budget", budget)],
        )
    };
    assert_eq!(
        ["user_rate", "address_rate", "in_flight", "streams"].map(refused),
        [1, 1, 0, 0]
    );
    let problems = |code: &str| {
        number(
            &app.registry,
            "taskward.problems",
            &[("taskward.problem.code", code)],
        )
    };
    assert_eq!(problems("rate_limited"), 2);
    assert!(problems("token_malformed") >= 3);
    assert_eq!(problems("task_not_found"), 0);
}

#[tokio::test]
async fn streams_beyond_the_limit_are_counted_as_refused() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    let mut streams = Vec::new();
    for _ in 0..16 {
        streams.push(alice.events(0).await);
    }
    alice
        .get("/api/v1/events")
        .await
        .fails(429, "too_many_streams");
    let labels = [("taskward.budget", "streams")];
    assert_eq!(
        number(&app.registry, "taskward.budget.refusals", &labels),
        1
    );
    assert_eq!(number(&app.registry, "taskward.streams.active", &[]), 16);
}

on_both! {
    async fn no_number_names_a_user_a_token_or_a_text(on: Backend) {
        let app = on.app_with(|settings| settings.failures = None).await;
        let name = "alice-who-is-nobody-elses-business";
        let alice = app.user(name);
        let title = "Call-the-clinic";
        let created = alice.create_with(json!({ "title": title, "tags": ["secret-tag"], "description": "a-private-text" })).await;
        for path in [
            TASKS.to_owned(),
            created.location.clone(),
            format!("{TASKS}?q=clinic-search"),
            format!("{TASKS}?tag=secret-tag"),
            format!("/api/{name}/tasks"),
            "/api/somebody-else/tasks".to_owned(),
            format!("/nowhere/{title}"),
        ] {
            alice.get(&path).await;
        }
        alice.patch(&created.location, json!({ "title": 7 })).await.has(422);
        let agent = alice.agent();
        agent.call("find_tasks", json!({ "q": title })).await;
        agent.try_call("no-such-tool", json!({})).await;
        let token = app.token(name);
        app.with_token(&token[..token.len() - 2]).get(TASKS).await.has(401);
        drop(alice.events(0).await);
        let shown = prometheus::text(&app.registry, &Resource(Vec::new())).unwrap();
        assert!(shown.ends_with("# EOF\n"), "{shown}");
        for secret in [name, "somebody-else", title, "clinic", "secret-tag", "a-private-text", "no-such-tool", "nowhere"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        for part in token.split('.') {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

/// The sum of a histogram in seconds, over all its labels.
fn seconds(app: &TestApp, name: &str) -> f64 {
    let families = app.registry.read();
    let family = families.iter().find(|family| family.name == name).unwrap();
    let sums = family.points.iter().map(|point| match &point.value {
        Value::Distribution { sum, .. } => *sum,
        other => panic!("{other:?}"),
    });
    sums.sum()
}

#[tokio::test]
async fn times_are_in_seconds() {
    let app = Backend::Sqlite.app().await;
    let began = Instant::now();
    app.user("alice").create("Buy milk").await;
    app.user("alice")
        .agent()
        .call("get_task", json!({ "id": 1 }))
        .await
        .done();
    let took = began.elapsed().as_secs_f64();
    for name in [
        "http.server.request.duration",
        "db.client.operation.duration",
        "mcp.server.operation.duration",
    ] {
        let sum = seconds(&app, name);
        // A microsecond is less than any of them takes.
        assert!(sum > 1e-6 && sum < took, "{name}: {sum} s of {took} s");
    }
}

#[tokio::test]
async fn a_request_is_under_way_until_its_answer_begins_or_its_client_goes() {
    const ACTIVE: &str = "http.server.active_requests";
    const ABANDONED: &str = "taskward.requests.abandoned";
    let app = Backend::Sqlite.app().await;
    app.user("alice").create("Buy milk").await;
    app.anon().get("/nowhere").await.has(404);
    assert_eq!(number(&app.registry, ACTIVE, &[]), 0);
    // Another program has the database locked, and a write waits for it.
    let mut locker = SqliteConnection::connect(&app.database_url).await.unwrap();
    locker.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut client = TcpStream::connect(app.base.trim_start_matches("http://"))
        .await
        .unwrap();
    let request = format!(
        "POST {TASKS} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{{\"title\": \"tea\"}}",
        app.token("alice")
    );
    client.write_all(request.as_bytes()).await.unwrap();
    becomes(&app, ACTIVE, &[("http.request.method", "POST")], 1).await;
    assert_eq!(number(&app.registry, ABANDONED, &[]), 0);
    drop(client);
    becomes(&app, ABANDONED, &[], 1).await;
    becomes(&app, ACTIVE, &[], 0).await;
}

#[tokio::test]
async fn refusals_that_are_held_back_are_counted() {
    let app = Backend::Sqlite
        .app_with(|settings| settings.failures = None)
        .await;
    let mallory = app.with_token("not.a.token");
    let ask = || async { number(&app.registry, "taskward.requests.delayed", &[]) };
    assert_eq!(ask().await, 0);
    for _ in 0..20 {
        join_all((0..50).map(|_| mallory.get("/api/v1/me"))).await;
        if ask().await > 0 {
            return;
        }
    }
    panic!("none was held back");
}

on_both! {
    async fn streams_are_counted_by_why_they_ended(on: Backend) {
        let app = on.app().await;
        let ended = |reason: &'static str| [("taskward.stream.end", reason)];
        let short = app.issuer.mint("bob", None, Duration::from_secs(2)).unwrap();
        let (mut of_alice, mut of_bob, mut of_carol) = (app.user("alice").events(0).await, app.with_token(&short).events(0).await, app.user("carol").events(0).await);
        app.user("alice").create("Buy milk").await;
        app.user("alice").delete("/api/v1/me").await.has(204);
        app.operator(Clock::System).await.for_operator().revoke_tokens("carol").await.unwrap();
        for stream in [&mut of_alice, &mut of_bob, &mut of_carol] {
            while stream.soon().await.reason().is_none() {}
        }
        for reason in ["resync_required", "token_expired", "token_revoked"] {
            becomes(&app, "taskward.streams.ended", &ended(reason), 1).await;
        }
        assert_eq!(number(&app.registry, "taskward.streams.ended", &[]), 3);
    }
}
