//! `getTask`.

use expect_test::expect;
use reqwest::Method;
use serde_json::json;

use crate::support::{Backend, on_both};

on_both! {
    async fn a_task_can_be_fetched(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create_with(json!({ "title": "Buy milk", "due_date": "2026-02-06" })).await;
        alice.create("Call mum").await;
        let answer = alice.get(&milk.location).await;
        answer.is(expect![[r#"
            200 OK
            etag: "1"

            {
              "id": 1,
              "uid": null,
              "user_id": "alice",
              "title": "Buy milk",
              "description": null,
              "completed": false,
              "completed_at": null,
              "priority": "medium",
              "due_date": "2026-02-06",
              "tags": [],
              "created_at": "[now]",
              "updated_at": "[now]",
              "version": 1
            }"#]]);
        assert_eq!(answer.body, milk.task);
    }

    async fn an_unknown_task_is_404(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        bob.create("Water the plants").await;
        alice.get("/api/v1/tasks/1").await.is(expect![[r#"
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
        alice.get("/api/v1/tasks/9007199254740991").await.fails(404, "task_not_found");
        alice.delete(&milk).await.has(204);
        alice.get(&milk).await.fails(404, "task_not_found");
        // Not even to somebody who has seen it.
        alice.get_if_none_match(&milk, "\"1\"").await.fails(404, "task_not_found");
        alice.get_if_none_match(&milk, "*").await.fails(404, "task_not_found");
    }

    async fn an_unchanged_task_is_not_sent_again(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let answer = alice.get_if_none_match(&milk.location, &milk.etag).await.has(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", "\"1\""));
        for same in ["W/\"1\"", "\"7\", \"1\"", "*"] {
            alice.get_if_none_match(&milk.location, same).await.has(304);
        }
        alice.get_if_none_match(&milk.location, "1").await.fails(400, "invalid_parameters");
        // A change to another task does not change the ETag; a change to this one does.
        alice.create("Call mum").await;
        alice.get_if_none_match(&milk.location, &milk.etag).await.has(304);
        alice.patch(&milk.location, json!({ "completed": true })).await.has(200);
        let changed = alice.get_if_none_match(&milk.location, &milk.etag).await.has(200);
        assert_eq!(changed.header("etag"), "\"3\"");
    }

    async fn an_id_is_a_whole_number_from_one(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let bad = [
            "0", "-1", "+1", "1.0", "1e0", "0x1", "one", "9007199254740992", "99999999999999999999", "%20", "%00", "1%2F", "١", "me",
        ];
        for id in bad {
            let answer = alice.get(&format!("/api/v1/tasks/{id}")).await;
            let answer = answer.fails(400, "invalid_parameters");
            assert_eq!(answer.faults(), ["id must be an integer from 1 to 9007199254740991"], "{id}");
        }
        // All operations on one task read it alike.
        let bad = "/api/v1/tasks/0";
        alice.patch(bad, json!({ "completed": true })).await.fails(400, "invalid_parameters");
        alice.delete(bad).await.fails(400, "invalid_parameters");
        alice.post_nothing("/api/v1/tasks/0/restore").await.fails(400, "invalid_parameters");
    }

    async fn head_is_get_without_the_body(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        for path in [milk.as_str(), "/api/v1/tasks", "/api/v1/tasks/99", "/healthz"] {
            let get = alice.get(path).await;
            let head = alice.send(alice.request(Method::HEAD, path)).await;
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
            for header in ["etag", "content-type"] {
                assert_eq!(head.header(header), get.header(header), "{header} of {path}");
            }
        }
    }
}
