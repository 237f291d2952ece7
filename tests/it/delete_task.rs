//! `deleteTask`.

use expect_test::expect;
use serde_json::json;

use crate::support::{Backend, on_both};

on_both! {
    async fn a_deleted_task_is_gone(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let mum = alice.create("Call mum").await;
        let answer = alice.delete(&milk).await;
        answer.is(expect![[r#"
            204 No Content
        "#]]);
        assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", ""));

        alice.get(&milk).await.fails(404, "task_not_found");
        alice.patch(&milk, json!({ "completed": true })).await.fails(404, "task_not_found");
        // Whoever deletes it again is told that it is gone.
        alice.delete(&milk).await.is(expect![[r#"
            404 Not Found

            {
              "type": "urn:taskward:problem:task_not_found",
              "title": "Task not found",
              "status": 404,
              "detail": "You have no task 1.",
              "code": "task_not_found",
              "request_id": "[id]"
            }"#]]);
        assert_eq!(alice.get("/api/v1/tasks").await.items(), [mum.task]);
    }

    async fn another_users_task_cannot_be_deleted(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let plants = bob.create("Water the plants").await;
        alice.delete(&plants.location).await.fails(404, "task_not_found");
        alice.create("Buy milk").await;
        alice.delete(&plants.location).await.has(204);
        assert_eq!(bob.get(&plants.location).await.body, plants.task);
    }

    async fn if_match_refuses_to_delete_another_version(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let edited = alice.patch(&milk.location, json!({ "title": "Buy oat milk" })).await;
        let refused = alice.delete_if_match(&milk.location, &milk.etag).await.fails(412, "version_mismatch");
        assert_eq!(refused.body["current"], edited.body);
        assert_eq!(alice.get(&milk.location).await.body, edited.body);
        alice.delete_if_match(&milk.location, edited.header("etag")).await.has(204);
        alice.delete_if_match(&milk.location, "*").await.fails(404, "task_not_found");

        let bread = alice.create("Buy bread").await;
        alice.delete_if_match(&bread.location, "*").await.has(204);
    }

    async fn of_two_concurrent_deletions_one_succeeds(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for _ in 0..5 {
            let milk = alice.create("Buy milk").await.location;
            let (one, other) = tokio::join!(alice.delete(&milk), alice.delete(&milk));
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 404]);
        }
        // Five were created and five deleted; none counts twice.
        assert_eq!(alice.get("/api/v1/tasks").await.header("etag"), "\"10\"");
    }
}
