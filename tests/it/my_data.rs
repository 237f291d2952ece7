//! `exportTasks` and `deleteMyData`: all data of a user.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
};

use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};
use taskward::clock::Clock;

use crate::support::{Actor, Answer, Backend, on_both};

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
}
