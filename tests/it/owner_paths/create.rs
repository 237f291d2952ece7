//! Creating tasks on the owner paths, and what all writes there refuse.

use serde_json::json;

use super::{TASKS, in_both_names, put, titles};
use crate::support::{Backend, on_both, time};

on_both! {
    async fn a_task_is_created_as_front_ends_send_it(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post(TASKS, json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!((&made.body["id"], &made.body["user_id"]), (&json!(1), &json!("alice")));
        assert_eq!((&made.body["completed"], &made.body["priority"]), (&json!(false), &json!("medium")));
        assert_eq!(made.body, in_both_names(alice.get("/api/v1/tasks/1").await.body));
        let everything = json!({
            "title": "Buy tea", "description": "", "completed": true, "priority": "HIGH", "due_date": "",
            "tags": "home, shop,, Home ", "subtasks": [], "category": "work", "user_id": "bob", "id": 77, "dueDate": 5,
        });
        let made = alice.post(TASKS, everything).await.has(201);
        assert_eq!((&made.body["id"], &made.body["user_id"]), (&json!(2), &json!("alice")));
        assert_eq!((&made.body["description"], &made.body["due_date"]), (&json!(""), &json!(null)));
        assert_eq!((&made.body["completed"], &made.body["priority"]), (&json!(true), &json!("high")));
        assert_eq!(made.body["tags"], json!(["home", "shop"]));
        assert!(made.body.get("category").is_none(), "{made}");
        let nulls = json!({
            "title": "Buy rice", "description": null, "completed": null, "priority": null, "due_date": null, "tags": null,
        });
        let made = alice.post(TASKS, nulls).await.has(201);
        assert_eq!((&made.body["completed"], &made.body["tags"]), (&json!(false), &json!([])));

        for (sent, stored) in [
            ("2026-02-06", "2026-02-06"),
            ("2026-02-06T09:00:00Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00.000Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06T10:00:00+01:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00.25", "2026-02-06T09:00:00.25Z"),
            ("2026-02-06T09:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06 09:00:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T10:00:00+0100", "2026-02-06T09:00:00Z"),
            ("2026-02-06 04:00:00.25-05", "2026-02-06T09:00:00.25Z"),
        ] {
            let made = alice.post(TASKS, json!({ "title": "x", "due_date": sent })).await.has(201);
            let due = &made.body["due_date"];
            match stored.contains('T') {
                true => assert_eq!(time(due), time(&json!(stored)), "{sent}"),
                false => assert_eq!(due, stored),
            }
        }
    }

    async fn what_is_stored_is_as_strict_as_everywhere(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let long = "x".repeat(501);
        for (member, value) in [
            ("title", json!("")), ("title", json!("  ")), ("title", json!(long)), ("title", json!(7)),
            ("description", json!(7)), ("completed", json!("maybe")), ("priority", json!("urgent")), ("priority", json!(1)),
            ("due_date", json!("tomorrow")), ("due_date", json!("2026-02-30")), ("due_date", json!("2026-02-06T09")),
            ("tags", json!(7)), ("tags", json!(["a", "A"])),
        ] {
            let mut task = json!({ "title": "Buy milk" });
            task[member] = value.clone();
            let answers = [
                alice.post(TASKS, task.clone()).await,
                put(&alice, &format!("{TASKS}/1"), task.clone()).await,
                alice.patch(&format!("{TASKS}/1"), task).await,
            ];
            for answer in answers {
                let answer = answer.fails(422, "validation_failed");
                assert!(answer.faults()[0].starts_with(&format!("/{member}")), "{member} {value}: {answer}");
            }
        }
        alice.post(TASKS, json!({})).await.fails(422, "validation_failed");
        alice.post(TASKS, json!({ "title": null })).await.fails(422, "validation_failed");
        alice.post_raw(TASKS, "{").await.fails(400, "malformed_json");
        alice.post_nothing(TASKS).await.fails(415, "unsupported_media_type");
        assert_eq!(titles(&alice, "").await, ["Buy milk"]);
        assert_eq!(alice.get("/api/v1/tasks/1").await.body["version"], 1);
    }
}
