//! `updateTask`: a JSON Merge Patch.

mod conditional;
mod media_types;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Actor, Backend, Created, on_both, time};

/// A task in which everything is set.
async fn full_task(actor: &Actor) -> Created {
    let body = json!({
        "title": "Buy milk",
        "description": "Two litres",
        "completed": true,
        "priority": "high",
        "due_date": "2026-02-06",
        "tags": ["shopping", "home"],
    });
    actor.create_with(body).await
}

on_both! {
    async fn absent_members_stay(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = full_task(&alice).await;
        alice.patch(&milk.location, json!({ "title": "Buy oat milk" })).await.is(expect![[r#"
            200 OK
            etag: "2"

            {
              "id": 1,
              "uid": null,
              "user_id": "alice",
              "title": "Buy oat milk",
              "description": "Two litres",
              "completed": true,
              "completed_at": "[now]",
              "priority": "high",
              "due_date": "2026-02-06",
              "tags": [
                "shopping",
                "home"
              ],
              "created_at": "[now]",
              "updated_at": "[now]",
              "version": 2
            }"#]]);

        // One member at a time: each changes itself, the version and the time of the change.
        let patches = [
            ("title", json!("Buy soy milk")),
            ("description", json!("")),
            ("completed", json!(false)),
            ("priority", json!("low")),
            ("due_date", json!("2026-02-07T09:00:00Z")),
            ("tags", json!(["diet"])),
        ];
        for (member, value) in patches {
            let before = alice.get(&milk.location).await.body;
            let after = alice.patch(&milk.location, json!({ member: value })).await.has(200).body;
            let mut expected = before.clone();
            expected[member] = value;
            if member == "completed" {
                expected["completed_at"] = Value::Null;
            }
            expected["version"] = json!(before["version"].as_i64().unwrap() + 1);
            expected["updated_at"] = after["updated_at"].clone();
            assert_eq!(after, expected);
            assert!(time(&after["updated_at"]) > time(&before["updated_at"]), "{after}");
            assert_eq!(alice.get(&milk.location).await.body, after);
        }
    }

    async fn null_clears_members_that_can_be_null(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = full_task(&alice).await.location;
        let patch = json!({ "description": null, "due_date": null, "tags": [] });
        let task = alice.patch(&milk, patch.clone()).await.has(200).body;
        for member in ["description", "due_date", "tags"] {
            assert_eq!(task[member], patch[member]);
        }
        assert_eq!((&task["title"], &task["priority"]), (&json!("Buy milk"), &json!("high")));
        // Clearing what is clear is fine too.
        alice.patch(&milk, patch).await.has(200);
    }

    async fn a_patch_with_faults_changes_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = full_task(&alice).await;
        let nulls = json!({ "title": null, "completed": null, "priority": null, "tags": null, "description": "New" });
        alice.patch(&milk.location, nulls).await.is(expect![[r#"
            422 Unprocessable Entity

            {
              "type": "urn:taskward:problem:validation_failed",
              "title": "Validation failed",
              "status": 422,
              "detail": "title must be a string of 1 to 500 characters, not null; and 3 more faults (see `errors`).",
              "code": "validation_failed",
              "request_id": "[id]",
              "errors": [
                {
                  "pointer": "/title",
                  "detail": "must be a string of 1 to 500 characters, not null"
                },
                {
                  "pointer": "/completed",
                  "detail": "must be true or false, not null"
                },
                {
                  "pointer": "/priority",
                  "detail": "must be \"low\", \"medium\" or \"high\", not null"
                },
                {
                  "pointer": "/tags",
                  "detail": "must be an array of at most 20 strings, not null"
                }
              ]
            }"#]]);
        let read_only = json!({
            "id": 7, "user_id": "bob", "completed_at": null, "created_at": null, "updated_at": null, "version": 1,
        });
        let answer = alice.patch(&milk.location, read_only).await.fails(422, "validation_failed");
        expect![[r#"
            /id is not a member of a task that can be changed
            /user_id is not a member of a task that can be changed
            /completed_at is not a member of a task that can be changed
            /created_at is not a member of a task that can be changed
            /updated_at is not a member of a task that can be changed
            /version is not a member of a task that can be changed"#]].assert_eq(&answer.faults().join("\n"));
        let values = json!({ "title": " ", "description": "\u{0}", "tags": ["a", "A"], "due_date": "2026-02-30" });
        let answer = alice.patch(&milk.location, values).await.fails(422, "validation_failed");
        expect![[r#"
            /title must have at least one visible character
            /description must not contain U+0000
            /due_date must be a date that exists, like 2026-02-06
            /tags/1 is the same tag as "a", ignoring case"#]].assert_eq(&answer.faults().join("\n"));
        assert_eq!(alice.get(&milk.location).await.body, milk.task);
    }

    async fn the_first_completion_counts(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let done = json!({ "completed": true });
        let first = alice.patch(&milk, done.clone()).await.has(200).body;
        assert_eq!((&first["completed"], &first["completed_at"]), (&json!(true), &first["updated_at"]));
        // Completing what is complete changes nothing about when that was.
        let again = alice.patch(&milk, done.clone()).await.has(200).body;
        assert_eq!(again["completed_at"], first["completed_at"]);
        let renamed = alice.patch(&milk, json!({ "title": "Buy oat milk" })).await.has(200).body;
        assert_eq!(renamed["completed_at"], first["completed_at"]);
        // Not done after all, and done once more.
        let undone = alice.patch(&milk, json!({ "completed": false })).await.has(200).body;
        assert_eq!((&undone["completed"], &undone["completed_at"]), (&json!(false), &Value::Null));
        let later = alice.patch(&milk, done).await.has(200).body;
        assert_eq!(later["completed_at"], later["updated_at"]);
        assert!(time(&later["completed_at"]) > time(&first["completed_at"]));
    }

    async fn an_empty_patch_changes_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = full_task(&alice).await;
        let answer = alice.patch(&milk.location, json!({})).await.has(200);
        assert_eq!((&answer.body, answer.header("etag")), (&milk.task, "\"1\""));
        alice.patch("/api/v1/tasks/99", json!({})).await.fails(404, "task_not_found");
        assert_eq!(alice.get("/api/v1/tasks").await.header("etag"), "\"1\"");
    }

    async fn an_unknown_task_cannot_be_changed(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let plants = bob.create("Water the plants").await;
        let patch = json!({ "title": "Mine" });
        alice.patch(&plants.location, patch.clone()).await.is(expect![[r#"
            404 Not Found

            {
              "type": "urn:taskward:problem:task_not_found",
              "title": "Task not found",
              "status": 404,
              "detail": "You have no task 1.",
              "code": "task_not_found",
              "request_id": "[id]"
            }"#]]);
        let milk = alice.create("Buy milk").await.location;
        alice.delete(&milk).await.has(204);
        alice.patch(&milk, patch).await.fails(404, "task_not_found");
        // The body is judged first: its faults are there whatever the task.
        alice.patch(&milk, json!({ "title": 1 })).await.fails(422, "validation_failed");
        assert_eq!(bob.get(&plants.location).await.body, plants.task);
    }
}
