//! Each line that is logged for a request has the request id that the client got.

use std::time::Duration;

use futures_util::{
    StreamExt as _,
    future::{join, join_all},
    stream,
};
use reqwest::Method;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Home, Process, Reply, eventually, reply, telemetry::sample};
use crate::support::{Actor, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";
/// Lines that wait for whoever reads the log; further ones are dropped.
const QUEUE: usize = 8_192;

/// Renames the table of tasks while the server runs.
async fn break_the_store(on: Backend, home: &Home) {
    let rename = "ALTER TABLE task RENAME TO gone";
    match on {
        Backend::Postgres => {
            let mut database = PgConnection::connect(home.setting("DATABASE_URL"))
                .await
                .unwrap();
            database.execute(rename).await.unwrap();
        }
        Backend::Sqlite => {
            let file = home.path().join("taskward.db");
            let mut database = SqliteConnection::connect(file.to_str().unwrap())
                .await
                .unwrap();
            database.execute(rename).await.unwrap();
        }
    }
}

fn lines(server: &Process) -> Vec<Value> {
    let log = server.log();
    log.iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The lines of a request.
async fn lines_of(server: &Process, id: &str) -> Vec<Value> {
    eventually("the request is in the log", async || {
        let all = lines(server).into_iter();
        let found: Vec<Value> = all
            .filter(|line| line["span"]["request_id"] == id)
            .collect();
        found
            .iter()
            .any(|line| line["message"] == "answered")
            .then_some(found)
    })
    .await
}

on_both! {
    async fn the_log_has_the_cause_of_a_failure_under_the_clients_request_id(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        alice.create("Buy milk").await;
        break_the_store(on, &home).await;
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "find_tasks", "arguments": {} } });
        for (method, path, body) in [
            (Method::GET, TASKS, Value::Null),
            (Method::POST, TASKS, json!({ "title": "Buy tea" })),
            (Method::GET, "/api/alice/tasks", Value::Null),
            (Method::PATCH, "/api/v1/tasks/1", json!({ "completed": true })),
            (Method::POST, "/mcp", call),
        ] {
            let asked = alice.request(method.clone(), path).json(&body).header("accept", "application/json, text/event-stream");
            let answer = asked.send().await.unwrap();
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            if path != "/mcp" {
                assert!(status >= 500, "{path}: {text}");
                assert!(text.contains(&id), "{text}");
            }
            let lines = lines_of(&server, &id).await;
            let cause = lines.iter().find(|line| line["level"] == "ERROR");
            let cause = cause.unwrap_or_else(|| panic!("{method} {path} {id}: {lines:#?}"));
            assert!(cause["cause"].as_str().unwrap().contains("task"), "{cause}");
        }
    }

    async fn a_request_is_one_line_without_its_content(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice-who");
        let told = async |answer: &Reply, id: &str| {
            let lines = lines_of(&server, id).await;
            let line = lines.into_iter().find(|line| line["message"] == "answered").unwrap();
            assert_eq!(line["status"], answer.status);
            assert!(line["micros"].as_u64().unwrap() > 0);
            line
        };
        let ask = async |actor: &Actor, method: Method, path: &str, id: &str, body: Value| {
            let request = actor.request(method, path).header("x-request-id", id).json(&body);
            let answer = reply(request.header("accept", "application/json, text/event-stream")).await.unwrap();
            told(&answer, id).await
        };
        let made = ask(&alice, Method::POST, TASKS, "one", json!({ "title": "Secret plan" })).await;
        assert_eq!((&made["method"], &made["route"]), (&json!("POST"), &json!("/api/v1/tasks")));
        let user = made["span"]["user"].as_str().unwrap().to_owned();
        assert_eq!(user.len(), 16);
        let wrong = ask(&alice, Method::PATCH, "/api/v1/tasks/99", "two", json!({ "title": "Secret plan" })).await;
        assert_eq!((&wrong["route"], &wrong["code"]), (&json!("/api/v1/tasks/{id}"), &json!("task_not_found")));
        assert_eq!(wrong["span"]["user"], user);
        let query = ask(&alice, Method::PATCH, "/api/v1/tasks/99?x=Secret", "query", json!({ "title": "Secret plan" })).await;
        assert_eq!((&query["route"], &query["code"]), (&json!("/api/v1/tasks/{id}"), &json!("invalid_parameters")));
        let owner = ask(&alice, Method::GET, "/api/alice-who/tasks", "three", Value::Null).await;
        assert_eq!(owner["route"], "/api/{user_id}/tasks");
        let nobody = ask(&server.anon(), Method::GET, TASKS, "four", Value::Null).await;
        assert_eq!((&nobody["code"], &nobody["span"]["user"]), (&json!("token_missing"), &Value::Null));
        assert_ne!(ask(&server.user("bob"), Method::GET, TASKS, "five", Value::Null).await["span"]["user"], user);
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "add_tasks", "arguments": { "tasks": [{ "title": "Secret plan" }] } } });
        let tool = ask(&alice, Method::POST, "/mcp", "six", call).await;
        assert_eq!((&tool["route"], &tool["span"]["tool"]), (&json!("/mcp"), &json!("add_tasks")));
        let long = format!("/{}", "x".repeat(1000));
        let unknown = ask(&alice, Method::GET, &long, "seven", Value::Null).await;
        assert_eq!(unknown["route"].as_str().unwrap().chars().count(), 201);

        let log = server.log().join("\n");
        for secret in ["Secret", "alice-who", &server.token("alice-who")[..20]] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
    }
}

#[tokio::test]
async fn members_that_owner_paths_ignore_are_named_once() {
    let home = Home::sqlite().set("RUST_LOG", "info,taskward::contract=debug");
    let server = home.start().await;
    let alice = server.user("alice");
    let long = "x".repeat(200);
    for _ in 0..2 {
        let body = json!({ "title": "Secret", "subtasks": ["Secret"], "a\nb": 1, &*long: 2 });
        alice.post("/api/me/tasks", body).await.has(201);
    }
    let told = |level: &str, name: &str| {
        let log = lines(&server).into_iter();
        log.filter(|line| line["level"] == level && line["member"] == name)
            .count()
    };
    for name in [
        "\"subtasks\"",
        "\"a\\nb\"",
        &format!("\"{}\"", "x".repeat(60)),
    ] {
        assert_eq!((told("INFO", name), told("DEBUG", name)), (1, 1), "{name}");
    }
    assert!(!server.log().join("\n").contains("Secret"));
}

#[tokio::test]
async fn refusals_without_end_fill_no_log() {
    let home = Home::sqlite();
    let mut server = home.start().await;
    let (nobody, alice) = (server.anon(), server.user("alice"));
    let refusals = (0..40).map(async |_| {
        for _ in 0..16 {
            nobody.get(TASKS).await.fails(401, "token_missing");
        }
    });
    let user = async {
        for _ in 0..20 {
            alice.get(TASKS).await.has(200);
        }
    };
    join(join_all(refusals), user).await;
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(20)).await.success());
    let log = lines(&server);
    let answered = |status| log.iter().filter(|line| line["status"] == status).count();
    let told = log.iter().filter_map(|line| line["requests"].as_u64());
    assert!((500..640).contains(&answered(401)), "{}", answered(401));
    assert_eq!(answered(401) as u64 + told.sum::<u64>(), 640);
    assert_eq!(answered(200), 20);
}

/// Reads the log until the server listens, then holds the pipe and reads no more.
const STOPS_READING: &str = r#"
mkfifo log
(while read -r line; do echo "$line" >&2; case "$line" in *listening*) break;; esac; done; sleep 60) < log &
exec "$@" 2> log
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_no_request() {
    let home = Home::sqlite()
        .set("METRICS_ADDR", "127.0.0.1:0")
        .through(STOPS_READING);
    let mut server = home.start().await;
    let alice = server.user("alice");
    // Far more than a pipe takes, and fewer requests than would have to wait.
    let long = format!("/{}", "x".repeat(5_000));
    for _ in 0..400 {
        let answer = timeout(Duration::from_secs(5), alice.get(&long)).await;
        answer.expect("a request waits for the log").has(404);
    }
    let healthy = timeout(Duration::from_secs(5), alice.get("/healthz")).await;
    healthy.expect("an answer").has(200);
    // More than the queue holds: what is dropped is counted.
    let dropped = async || {
        sample(&server, "taskward_log_dropped_lines_total")
            .await
            .unwrap()
    };
    assert!(dropped().await < 0.5);
    let asks = (0..QUEUE + 2_000).map(|_| alice.get("/api/v1/me"));
    let mut answers = stream::iter(asks).buffer_unordered(16);
    while let Some(answer) = answers.next().await {
        answer.has(200);
    }
    assert!(dropped().await > 0.5);
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).await.success());
}
