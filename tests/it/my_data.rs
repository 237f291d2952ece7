//! `exportTasks` and `deleteMyData`: all data of a user.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use chrono::Utc;
use reqwest::Method;
use sea_orm::sqlx::{self, Connection as _, Executor as _, PgConnection};
use serde_json::{Value, json};
use taskward::{
    clock::Clock,
    store::{Export, StoreError},
};

use crate::support::{Actor, Answer, Backend, on_both, postgres::postgres};

const ME: &str = "/api/v1/me";
const EXPORT: &str = "/api/v1/me/export";
const TASKS: &str = "/api/v1/tasks";
const UID: &str = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";

/// The lines of an export.
pub fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn export(user: &Actor) -> (Answer, Vec<Value>) {
    let answer = user.get(EXPORT).await.has(200);
    let lines = lines(&answer.text);
    (answer, lines)
}

/// Creates so many tasks, by a hundred in a request.
async fn fill(user: &Actor, count: usize) {
    for _ in 0..count.div_ceil(100) {
        let create = json!({ "op": "create", "task": { "title": "more", "description": "of it" } });
        let operations = vec![create; count.min(100)];
        user.post(
            &format!("{TASKS}/batch"),
            json!({ "operations": operations }),
        )
        .await
        .has(200);
    }
}

async fn usage(user: &Actor) -> Value {
    user.get(ME).await.has(200).body["usage"].clone()
}

on_both! {
    async fn an_export_has_each_task_in_a_line(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        bob.create("his").await;
        let (answer, nothing) = export(&alice).await;
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"tasks.ndjson\"");
        assert_eq!((&nothing[0]["export"], &nothing[0]["revision"]), (&json!("begin"), &json!(0)));
        assert_eq!(nothing[1], json!({ "export": "end", "tasks": 0, "deleted_tasks": 0, "revision": 0 }));

        alice.create_with(json!({ "title": "Buy \"milk\"", "description": "two\nlines", "due_date": "2026-12-01", "tags": ["a", "é"] })).await;
        alice.create_with(json!({ "title": "with a uid", "uid": UID })).await;
        alice.create("deleted").await;
        alice.delete(&format!("{TASKS}/3")).await.has(204);
        alice.patch(&format!("{TASKS}/2"), json!({ "completed": true, "priority": "high" })).await.has(200);
        // More than are read at once.
        fill(&alice, 100).await;
        let (_, lines) = export(&alice).await;
        let ids: Vec<i64> = lines.iter().filter_map(|line| line["id"].as_i64()).collect();
        assert_eq!(ids, (1..=103).collect::<Vec<_>>());
        assert_eq!(lines[0]["user_id"], "alice");
        assert_eq!((&lines[0]["format"], &lines[0]["last_id"]), (&json!(1), &json!(103)));
        assert_eq!(lines.last().unwrap(), &json!({ "export": "end", "tasks": 102, "deleted_tasks": 1, "revision": lines[0]["revision"] }));
        // A task is there as it is everywhere else, and says that it is not deleted.
        let mut task = alice.get(&format!("{TASKS}/1")).await.body;
        task["deleted_at"] = Value::Null;
        assert_eq!(lines[1], task);
        assert_eq!((&lines[2]["uid"], &lines[2]["priority"]), (&json!(UID), &json!("high")));
        assert_eq!((&lines[3]["title"], &lines[3]["deleted_at"]), (&json!("deleted"), &lines[3]["updated_at"]));
    }

    async fn each_direction_has_its_scope(on: Backend) {
        let app = on.app().await;
        app.user_with_scope("alice", "tasks:write").get(EXPORT).await.fails(403, "insufficient_scope");
        app.user_with_scope("alice", "tasks:read").delete(ME).await.fails(403, "insufficient_scope");
        app.user_with_scope("alice", "tasks:read").get(EXPORT).await.has(200);
        app.user_with_scope("alice", "tasks:write").delete(ME).await.has(204);
        app.user("alice").delete(&format!("{ME}?sure=yes")).await.fails(400, "invalid_parameters");
    }

    async fn nothing_old_fits_after_an_erasure(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.post_with_key("milk", json!({ "title": "milk" })).await.has(201);
        alice.create_with(json!({ "title": "bread", "uid": UID })).await;
        alice.create("tea").await;
        bob.create("his").await;
        alice.delete(&format!("{TASKS}/3")).await.has(204);
        let list = alice.get(&format!("{TASKS}?limit=1")).await.has(200);
        let by_title = alice.get(&format!("{TASKS}?limit=1&sort=title")).await.has(200);
        let whole = alice.get("/api/v1/changes?limit=1").await.has(200);
        let task = alice.get(&format!("{TASKS}/1")).await.has(200);
        let mut stream = alice.events(4).await;
        stream.soon().await;

        alice.delete(ME).await.has(204);
        let end = stream.soon().await;
        assert_eq!(end.reason(), Some("resync_required"), "{end:?}");
        assert_eq!(alice.titles("").await, [""; 0]);
        assert_eq!(usage(&alice).await, json!({ "tasks": 0, "deleted_tasks": 0, "bytes": 0 }));
        for id in 1..=3 {
            alice.post_nothing(&format!("{TASKS}/{id}/restore")).await.fails(404, "task_not_found");
        }
        // Whoever has something from before is told so.
        alice.get_if_none_match(TASKS, list.header("etag")).await.has(200);
        alice.patch_if_match(&format!("{TASKS}/1"), task.header("etag"), json!({ "title": "x" })).await.fails(404, "task_not_found");
        for (page, sort) in [(list, ""), (by_title, "&sort=title")] {
            let cursor = page.body["next_cursor"].as_str().unwrap();
            alice.get(&format!("{TASKS}?limit=1&cursor={cursor}{sort}")).await.fails(400, "invalid_cursor");
        }
        let cursor = whole.body["cursor"].as_str().unwrap();
        let refused = alice.get(&format!("/api/v1/changes?cursor={cursor}")).await.fails(410, "resync_required");
        assert!(refused.body["detail"].as_str().unwrap().starts_with("Everything up to revision 5 was deleted or replaced."), "{refused}");
        alice.get("/api/v1/changes?since=4").await.fails(410, "resync_required");
        let late = alice.request(Method::GET, "/api/v1/events").header("last-event-id", "4");
        alice.send(late).await.fails(410, "resync_required");
        // What comes after works as ever: no number is given twice, and neither key nor uid is known.
        let changes = alice.get("/api/v1/changes").await.has(200);
        assert_eq!((&changes.body["tasks"], &changes.body["deleted"], &changes.body["next"]), (&json!([]), &json!([]), &json!(5)));
        let again = alice.post_with_key("milk", json!({ "title": "milk" })).await.has(201);
        assert_eq!((&again.body["id"], &again.body["version"], again.header("idempotency-replayed")), (&json!(4), &json!(6), ""));
        alice.create_with(json!({ "title": "other bread", "uid": UID })).await;
        alice.get("/api/v1/changes?since=5").await.has(200);
        // Nobody else's have gone. Whoever has nothing can delete it, also twice.
        assert_eq!(bob.titles("").await, ["his"]);
        let carol = app.user("carol");
        for user in [&carol, &carol, &alice, &alice] {
            user.delete(ME).await.has(204);
            assert_eq!(user.titles("").await, [""; 0]);
        }
    }

    async fn ten_thousand_tasks_are_exported_and_erased(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        fill(&alice, 10_000).await;
        let (_, lines) = export(&alice).await;
        assert_eq!(lines.len(), 10_002);
        assert_eq!(lines[10_001]["tasks"], 10_000);
        alice.delete(ME).await.has(204);
        assert_eq!(usage(&alice).await, json!({ "tasks": 0, "deleted_tasks": 0, "bytes": 0 }));
        assert_eq!(export(&alice).await.1.len(), 2);
        assert_eq!(alice.create("first again").await.id, 10_001);
    }

    /// A client that takes its answer slowly does not read on with a token that is refused everywhere else.
    async fn a_long_answer_ends_with_its_token(on: Backend) {
        let clock = Arc::new(AtomicI64::new(Utc::now().timestamp_micros()));
        let of_server = Clock::Set(clock.clone());
        let app = on.app_with(|settings| settings.clock = of_server).await;
        let alice = app.user("alice");
        for _ in 0..20 {
            let create = json!({ "op": "create", "task": { "title": "long", "description": "x".repeat(9_900) } });
            let operations = vec![create; 50];
            alice.post(&format!("{TASKS}/batch"), json!({ "operations": operations })).await.has(200);
        }
        let mut begun = Vec::new();
        for path in [EXPORT, "/api/me/tasks?limit=1000"] {
            let mut answer = alice.request(Method::GET, path).send().await.unwrap();
            assert!(answer.chunk().await.unwrap().is_some(), "{path}");
            begun.push((path, answer));
        }
        clock.fetch_add(86_400_000_000, Relaxed);
        alice.get(ME).await.fails(401, "token_expired");
        for (path, answer) in begun {
            let rest = answer.bytes().await;
            assert!(rest.is_err(), "{path} went on to its end");
        }
    }

    /// A write that is committed while an erasure begins is before it, and goes, or after it, and counts.
    async fn an_erasure_leaves_nothing_half(on: Backend) {
        let app = on.app().await;
        let other = app.another(|_| {}).await;
        let (alice, beside) = (app.user("alice"), other.user("alice"));
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4).map(|_| {
            let (beside, stop) = (beside.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    let answer = beside.post(TASKS, json!({ "title": "beside" })).await;
                    assert!(matches!(answer.status, 201 | 503), "{answer}");
                }
            })
        }).collect();
        for _ in 0..50 {
            alice.delete(ME).await.has(204);
            let (_, lines) = export(&alice).await;
            // The export may see more than the line before, but never a task from before the erasure.
            let begun = lines[0]["revision"].as_i64().unwrap();
            assert!(i64::try_from(lines.len()).unwrap() - 2 <= begun, "{lines:?}");
        }
        stop.store(true, Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let (_, lines) = export(&alice).await;
        let counted = usage(&alice).await;
        assert_eq!(counted["tasks"], lines.len() - 2, "{counted}");
        alice.delete(ME).await.has(204);
        assert_eq!(export(&alice).await.1.len(), 2);
    }

    /// Not even for a moment: each process has pages in memory, and one of them has erased nothing itself.
    async fn no_process_shows_a_page_from_before_an_erasure(on: Backend) {
        let app = on.app().await;
        let other = app.another(|_| {}).await;
        let (alice, elsewhere) = (app.user("alice"), other.user("alice"));
        fill(&alice, 3).await;
        let path = format!("{TASKS}?limit=2");
        for who in [&alice, &elsewhere, &elsewhere] {
            assert_eq!(who.titles("?limit=2").await.len(), 2);
        }
        alice.delete(ME).await.has(204);
        for who in [&elsewhere, &alice] {
            let page = who.get(&path).await.has(200);
            assert_eq!((&page.body["items"], &page.body["next_cursor"]), (&json!([]), &Value::Null));
        }
        alice.create("after it").await;
        assert_eq!(elsewhere.titles("?limit=2").await, ["after it"]);
    }

    /// Time never runs backwards within a user, and an erasure is one of its moments.
    async fn an_erasure_is_later_than_what_was_before_and_earlier_than_what_comes(on: Backend) {
        let began = Utc::now().timestamp();
        let clock = Arc::new(AtomicI64::new(0));
        let at = |seconds: i64| clock.store((began + seconds) * 1_000_000, Relaxed);
        at(0);
        let of_server = Clock::Set(clock.clone());
        let app = on.app_with(|settings| settings.clock = of_server).await;
        let alice = app.user("alice");
        let created_at = async || {
            let task = alice.create("milk").await.task["created_at"].clone();
            task.as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap().timestamp() - began
        };
        at(20);
        assert_eq!(created_at().await, 20);
        // The clock is set back.
        at(10);
        alice.delete(ME).await.has(204);
        assert_eq!(created_at().await, 20);
        at(40);
        alice.delete(ME).await.has(204);
        at(30);
        assert_eq!(created_at().await, 40);
    }

    /// As the documentation of `exportTasks` says of what happens while it is read.
    async fn an_export_has_what_was_there_when_it_began_and_says_if_that_was_changed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        // Two pages, and a task.
        fill(&alice, 51).await;
        let operator = app.operator(Clock::System).await;
        let first = operator.for_operator().export("alice", Export::default()).await.unwrap();
        alice.create("while it is read").await;
        alice.patch(&format!("{TASKS}/51"), json!({ "title": "changed meanwhile" })).await.has(200);
        let (mut text, mut next) = (first.text, first.rest);
        while let Some(rest) = next {
            let page = operator.for_operator().export("alice", rest).await.unwrap();
            text.extend(page.text);
            next = page.rest;
        }
        let lines = lines(std::str::from_utf8(&text).unwrap());
        let ids: Vec<i64> = lines.iter().filter_map(|line| line["id"].as_i64()).collect();
        assert_eq!(ids, (1..=51).collect::<Vec<_>>());
        assert_eq!(lines[51]["title"], "changed meanwhile");
        assert_eq!((&lines[0]["revision"], &lines[52]["revision"]), (&json!(51), &json!(53)));
        assert_eq!(lines[52]["tasks"], 51);
    }

    async fn an_export_in_which_everything_is_erased_is_cut(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        fill(&alice, 60).await;
        let operator = app.operator(Clock::System).await;
        let first = operator.for_operator().export("alice", Export::default()).await.unwrap();
        alice.delete(ME).await.has(204);
        let cut = operator.for_operator().export("alice", first.rest.unwrap()).await;
        assert!(matches!(cut, Err(StoreError::ResyncRequired(_))), "{cut:?}");
    }
}

/// A write that is committed between the snapshot of an erasure and its lock is not among what the snapshot shows. Here
/// the clock is behind a view that takes its time, so that there is a moment between the two.
#[tokio::test]
async fn a_write_in_the_middle_of_an_erasure_is_erased_as_well() {
    if postgres().is_err() {
        return;
    }
    let app = Backend::Postgres.app().await;
    let alice = app.user("alice");
    alice.create("milk").await;
    let mut writer = PgConnection::connect(&app.database_url).await.unwrap();
    let slow = "ALTER TABLE user_clock RENAME TO clock; \
         CREATE VIEW user_clock AS SELECT * FROM clock WHERE pg_sleep(0.2)::text = ''";
    writer.execute(slow).await.unwrap();
    let erasing = tokio::spawn(async move { alice.delete(ME).await });
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    while sqlx::query_scalar::<_, i64>(sleeping)
        .fetch_one(&mut writer)
        .await
        .unwrap()
        == 0
    {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let write = "BEGIN; UPDATE clock SET revision = 2, last_task_id = 2, task_count = 2, row_count = 2; \
         CREATE TEMP TABLE another AS SELECT * FROM task; UPDATE another SET id = 2, revision = 2; \
         INSERT INTO task SELECT * FROM another; COMMIT";
    writer.execute(write).await.unwrap();
    erasing.await.unwrap().has(204);
    let left = "SELECT count(*) FROM task";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(&mut writer)
        .await
        .unwrap();
    assert_eq!(left, 0);
}
