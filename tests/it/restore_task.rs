//! `restoreTask`.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use expect_test::expect;
use reqwest::Method;
use sea_orm::{ConnectionTrait, Database, Statement};
use serde_json::json;

use crate::support::{Backend, TestApp, on_both, time};

/// Makes all tombstones as old as this.
async fn age_tombstones(app: &TestApp, age: TimeDelta) {
    let database = Database::connect(&app.database_url).await.unwrap();
    let backend = database.get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Postgres => {
            "UPDATE task SET deleted_at = $1 WHERE deleted_at IS NOT NULL"
        }
        _ => "UPDATE task SET deleted_at = ? WHERE deleted_at IS NOT NULL",
    };
    let statement = Statement::from_sql_and_values(backend, sql, [(Utc::now() - age).into()]);
    database.execute_raw(statement).await.unwrap();
    database.close().await.unwrap();
}

on_both! {
    async fn a_deleted_task_comes_back_as_it_was(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({
            "title": "Buy milk",
            "description": "Two litres",
            "completed": true,
            "priority": "high",
            "due_date": "2026-02-06",
            "tags": ["shopping"],
        });
        let milk = alice.create_with(body).await;
        alice.delete(&milk.location).await.has(204);
        let restored = alice.post_nothing(&format!("{}/restore", milk.location)).await;
        restored.is(expect![[r#"
            200 OK
            etag: "3"

            {
              "id": 1,
              "uid": null,
              "user_id": "alice",
              "title": "Buy milk",
              "description": "Two litres",
              "completed": true,
              "completed_at": "[now]",
              "priority": "high",
              "due_date": "2026-02-06",
              "tags": [
                "shopping"
              ],
              "created_at": "[now]",
              "updated_at": "[now]",
              "version": 3
            }"#]]);
        for member in ["completed_at", "created_at"] {
            assert_eq!(restored.body[member], milk.task[member]);
        }
        // It is a change, so that others notice.
        assert!(time(&restored.body["updated_at"]) > time(&milk.task["updated_at"]));
        assert_eq!(alice.get(&milk.location).await.body, restored.body);
        assert_eq!(alice.get("/api/v1/tasks?q=milk").await.items(), [restored.body]);
    }

    async fn restoring_a_live_task_changes_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let restore = format!("{}/restore", milk.location);
        let answer = alice.post_nothing(&restore).await.has(200);
        assert_eq!((&answer.body, answer.header("etag")), (&milk.task, "\"1\""));
        alice.delete(&milk.location).await.has(204);
        // A retry gets what the first request got.
        let first = alice.post_nothing(&restore).await.has(200);
        let retry = alice.post_nothing(&restore).await.has(200);
        assert_eq!(retry.body, first.body);
        // It can be deleted and restored again and again.
        alice.delete(&milk.location).await.has(204);
        let again = alice.post_nothing(&restore).await.has(200);
        assert_eq!(again.header("etag"), "\"5\"");
    }

    async fn restoring_an_unknown_task_is_404(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let plants = bob.create("Water the plants").await.location;
        bob.delete(&plants).await.has(204);
        let restore = format!("{plants}/restore");
        alice.post_nothing(&restore).await.is(expect![[r#"
            404 Not Found

            {
              "type": "urn:taskward:problem:task_not_found",
              "title": "Task not found",
              "status": 404,
              "detail": "You have no task 1.",
              "code": "task_not_found",
              "request_id": "[id]"
            }"#]]);
        bob.get(&plants).await.has(404);
        bob.post_nothing(&restore).await.has(200);
    }

    async fn a_tombstone_lives_thirty_days(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let restore = format!("{milk}/restore");
        alice.delete(&milk).await.has(204);
        age_tombstones(&app, TimeDelta::days(30) - TimeDelta::minutes(1)).await;
        alice.post_nothing(&restore).await.has(200);
        alice.delete(&milk).await.has(204);
        age_tombstones(&app, TimeDelta::days(30) + TimeDelta::minutes(1)).await;
        alice.post_nothing(&restore).await.fails(404, "task_not_found");
        // Its id is not used again.
        assert_eq!(alice.create("Buy bread").await.id, 2);
    }

    async fn the_retention_is_a_setting(on: Backend) {
        let app = on.app_with(|settings| settings.tombstone_retention = Duration::ZERO).await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        alice.post_nothing(&format!("{milk}/restore")).await.has(200);
        alice.delete(&milk).await.has(204);
        alice.post_nothing(&format!("{milk}/restore")).await.fails(404, "task_not_found");
    }

    async fn concurrent_restores_give_the_same_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        alice.delete(&milk).await.has(204);
        let restore = format!("{milk}/restore");
        let (one, other) = tokio::join!(alice.post_nothing(&restore), alice.post_nothing(&restore));
        assert_eq!(one.has(200).body, other.has(200).body);
        assert_eq!(alice.get("/api/v1/tasks").await.header("etag"), "\"3\"");
    }

    async fn if_match_refuses_to_restore_another_version(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let restore = async |tag: &str| {
            let request = alice.request(Method::POST, &format!("{}/restore", milk.location));
            alice.send(request.header("if-match", tag)).await
        };
        // A task that is not deleted.
        restore("\"2\"").await.fails(412, "version_mismatch");
        assert_eq!(restore("\"1\"").await.has(200).body, milk.task);
        // A deletion is a version, too.
        alice.delete(&milk.location).await.has(204);
        restore("\"1\"").await.is(expect![[r#"
            412 Precondition Failed

            {
              "type": "urn:taskward:problem:version_mismatch",
              "title": "Version mismatch",
              "status": 412,
              "detail": "The task has changed since and is now at version 2. `current` shows it; decide again and send If-Match with that version.",
              "code": "version_mismatch",
              "request_id": "[id]",
              "current": {
                "id": 1,
                "uid": null,
                "user_id": "alice",
                "title": "Buy milk",
                "description": null,
                "completed": false,
                "completed_at": null,
                "priority": "medium",
                "due_date": null,
                "tags": [],
                "created_at": "[now]",
                "updated_at": "[now]",
                "version": 2
              }
            }"#]]);
        restore("\"3\"").await.fails(412, "version_mismatch");
        restore("\"x\"").await.fails(412, "version_mismatch");
        restore("2").await.fails(400, "invalid_parameters");
        alice.get(&milk.location).await.fails(404, "task_not_found");
        assert_eq!(restore("\"1\", \"2\"").await.has(200).header("etag"), "\"3\"");
        restore("\"2\"").await.fails(412, "version_mismatch");
        alice.delete(&milk.location).await.has(204);
        restore("*").await.has(200);
    }

    async fn a_token_that_may_not_read_is_not_shown_the_deleted_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        alice.delete(&milk.location).await.has(204);
        let writer = app.user_with_scope("alice", "tasks:write");
        let request = writer.request(Method::POST, &format!("{}/restore", milk.location));
        let refused = writer.send(request.header("if-match", &milk.etag)).await.fails(412, "version_mismatch");
        assert_eq!(refused.body.get("current"), None);
    }
}
