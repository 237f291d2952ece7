//! `streamEvents`: what changes, as it happens.

mod ends;
mod faults;
mod limits;
mod others;
mod resume;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    list_changes::{TaskCopy, purge, state},
    support::{Actor, Backend, events::Event, on_both},
};

const TASKS: &str = "/api/v1/tasks";
const EVENTS: &str = "/api/v1/events";

/// What an event says: its id, and each task or deletion with its version.
fn told(event: &Event) -> String {
    assert_eq!(event.name, "changes", "{event:?}");
    let all = |name: &str, sign: &str| {
        let items = event.data[name].as_array().unwrap();
        let each = |item: &Value| format!(" {sign}{}v{}", item["id"], item["version"]);
        items.iter().map(each).collect::<String>()
    };
    let more = if event.data["cursor"].is_null() {
        ""
    } else {
        "+"
    };
    format!(
        "{}{more}:{}{}",
        event.id.unwrap(),
        all("tasks", ""),
        all("deleted", "-")
    )
}

on_both! {
    async fn a_change_is_told_as_it_happens(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let mut stream = alice.events(0).await;
        let headers = stream.response.headers();
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store, no-transform"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert_eq!(told(&stream.soon().await), "1: 1v1");
        assert!(stream.is_silent_for(Duration::from_millis(300)).await);

        let began = Instant::now();
        let task = alice.create("Buy bread").await.task;
        let event = stream.soon().await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!(told(&event), "2: 2v2");
        assert_eq!(event.data, json!({ "tasks": [task], "deleted": [], "cursor": null, "next": 2 }));
        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);
        assert_eq!(told(&stream.soon().await), "3: 1v3");
        alice.delete("/api/v1/tasks/2").await.has(204);
        assert_eq!(told(&stream.soon().await), "4: -2v4");
        let both = json!([{ "op": "create", "task": { "title": "a" } }, { "op": "create", "task": { "title": "b" } }]);
        alice.post("/api/v1/tasks/batch", json!({ "operations": both })).await.has(200);
        // One commit, one event.
        assert_eq!(told(&stream.soon().await), "6: 3v5 4v6");
        // How soon a client is to connect again that knows no better.
        let retry = stream.text.lines().find_map(|line| line.strip_prefix("retry: ")).unwrap();
        assert!((1_000..3_000).contains(&retry.parse::<u32>().unwrap()));
    }

    async fn whoever_is_up_to_date_is_told_so(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        assert_eq!(told(&alice.events(0).await.soon().await), "0:");
        alice.create("Buy milk").await;
        let mut stream = alice.events(1).await;
        assert_eq!(told(&stream.soon().await), "1:");
        alice.create("Buy bread").await;
        assert_eq!(told(&stream.soon().await), "2: 2v2");
    }

    async fn what_another_process_commits_is_told_soon(on: Backend) {
        let app = on.app().await;
        let other = app.another(|_| {}).await;
        let (here, there) = (app.user("alice"), other.user("alice"));
        let mut stream = here.events(0).await;
        assert_eq!(told(&stream.soon().await), "0:");
        let mut slowest = Duration::ZERO;
        for n in 1..=10 {
            there.create(&format!("{n}")).await;
            let began = Instant::now();
            assert_eq!(told(&stream.soon().await), format!("{n}: {n}v{n}"));
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    }

    /// A backlog comes in parts, and each part can be resumed from.
    async fn a_long_backlog_comes_in_parts(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=60 {
            alice.create(&format!("{n}")).await;
        }
        let mut stream = alice.events(0).await;
        let mut copy = TaskCopy::default();
        let mut ids = Vec::new();
        while copy.tasks.len() < 60 {
            let event = stream.soon().await;
            copy.apply(&event.data);
            ids.push((event.id.unwrap(), event.data["next"].as_i64().unwrap(), event.data["cursor"].is_null()));
        }
        assert_eq!(ids, [(25, 60, false), (50, 60, false), (60, 60, true)]);
        assert_eq!(copy.tasks, state(&alice).await);
        alice.create("61").await;
        assert_eq!(told(&stream.soon().await), "61: 61v61");
    }

    async fn head_opens_no_stream(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = alice.send(alice.request(reqwest::Method::HEAD, EVENTS)).await.has(200);
        assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", "text/event-stream"));
    }
}

/// Something comes every 15 s, so that proxies keep the connection; the first time after a second, so that one who waits for
/// it in vain knows that a proxy holds it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_comes_while_nothing_happens() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    let mut stream = alice.events(0).await;
    stream.soon().await;
    let began = Instant::now();
    assert!(stream.is_silent_for(Duration::from_secs(18)).await);
    assert_eq!(
        stream.text.matches(": still there\n\n").count(),
        2,
        "{}",
        stream.text
    );
    assert!(began.elapsed() > Duration::from_secs(14));
    alice.create("Buy milk").await;
    assert_eq!(told(&stream.soon().await), "1: 1v1");
}
