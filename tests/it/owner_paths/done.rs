//! Marking tasks as done on the owner paths: `is_completed`, and `PATCH …/complete`.

use reqwest::Method;
use serde_json::json;

use super::{TASKS, in_both_names, put, toggle};
use crate::support::{Backend, on_both};

on_both! {
    /// About one front end in seven has only this name for it.
    async fn done_is_also_is_completed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post(TASKS, json!({ "title": "Buy milk", "is_completed": true })).await.has(201).body;
        assert_eq!((&made["is_completed"], &made["completed"]), (&json!(true), &json!(true)));
        let path = format!("{TASKS}/{}", made["id"]);
        let back = put(&alice, &path, json!({ "is_completed": false })).await.has(200).body;
        assert_eq!((&back["is_completed"], &back["completed"]), (&json!(false), &json!(false)));
        // One that knows the other name may send the whole task back, this member as it was.
        let sent = json!({ "title": "Buy milk", "completed": true, "is_completed": false });
        let done = put(&alice, &path, sent).await.has(200).body;
        assert_eq!(done["is_completed"], true);
        let request = alice.request(Method::PATCH, &format!("{path}/complete"));
        let open = alice.send(request.json(&json!({ "is_completed": false }))).await.has(200).body;
        assert_eq!(open["completed"], false);
    }

    async fn complete_without_a_body_toggles(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        for (says_json, completed) in [(false, true), (true, false), (true, true), (false, false)] {
            let answer = toggle(&alice, 1, says_json).await.has(200);
            assert_eq!(answer.body["completed"], completed, "{answer}");
            assert_eq!(answer.body["completed_at"].is_string(), completed, "{answer}");
            assert_eq!(in_both_names(alice.get("/api/v1/tasks/1").await.body), answer.body);
        }
        let path = format!("{TASKS}/1/complete");
        let first = alice.patch(&path, json!({ "completed": true })).await.has(200);
        let again = alice.patch(&path, json!({ "completed": true, "by": "alice" })).await.has(200);
        assert_eq!((&again.body["completed"], &again.body["completed_at"]), (&json!(true), &first.body["completed_at"]));
        for _ in 0..2 {
            let answer = alice.patch(&path, json!({ "completed": false })).await.has(200);
            assert_eq!(answer.body["completed"], false);
        }
        // Neither says which side.
        assert_eq!(alice.patch(&path, json!({})).await.has(200).body["completed"], true);
        assert_eq!(alice.patch(&path, json!({ "completed": null })).await.has(200).body["completed"], false);
        alice.patch(&path, json!({ "completed": "maybe" })).await.fails(422, "validation_failed");
        alice.delete(&format!("{TASKS}/1")).await.has(200);
        toggle(&alice, 1, true).await.fails(404, "task_not_found");
    }

    /// Two toggles at once are both done.
    async fn no_toggle_is_lost(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let toggles = (0..21).map(|_| toggle(&alice, 1, true));
        for answer in futures_util::future::join_all(toggles).await {
            answer.has(200);
        }
        let task = alice.get("/api/v1/tasks/1").await.body;
        assert_eq!((&task["completed"], &task["version"]), (&json!(true), &json!(22)));
    }
}
