//! Changing tasks on the owner paths.

use reqwest::Method;
use serde_json::{Value, json};

use super::{TASKS, in_both_names};
use crate::support::{Answer, Backend, on_both};

on_both! {
    async fn put_and_patch_change_only_the_members_given(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let full = json!({
            "title": "Buy milk", "description": "two litres", "priority": "high", "due_date": "2026-02-06", "tags": ["home"],
        });
        for method in [Method::PUT, Method::PATCH] {
            let task = alice.create_with(full.clone()).await;
            let path = format!("{TASKS}/{}", task.id);
            let change = async |body: Value| {
                alice.send(alice.request(method.clone(), &path).json(&body)).await.has(200)
            };
            let mut expected = task.task.clone();
            let mut check = |answer: Answer, member: &str, value: Value| {
                expected[member] = value;
                for changing in ["updated_at", "version"] {
                    expected[changing] = answer.body[changing].clone();
                }
                assert_eq!(answer.body, in_both_names(expected.clone()), "{method}");
            };
            check(change(json!({ "title": "Buy oat milk" })).await, "title", json!("Buy oat milk"));
            check(change(json!({ "description": "" })).await, "description", json!(""));
            check(change(json!({ "description": null })).await, "description", json!(null));
            check(change(json!({ "priority": "LOW", "subtasks": [] })).await, "priority", json!("low"));
            check(change(json!({ "priority": null, "title": null })).await, "priority", json!("low"));
            check(change(json!({ "tags": "a, b" })).await, "tags", json!(["a", "b"]));
            check(change(json!({ "tags": null })).await, "tags", json!([]));
            check(change(json!({ "due_date": "2026-02-07" })).await, "due_date", json!("2026-02-07"));
            check(change(json!({ "due_date": "" })).await, "due_date", json!(null));
            check(change(json!({})).await, "due_date", json!(null));

            // The whole task as it was served, with something changed in it.
            let mut whole = alice.get(&path).await.body;
            whole["title"] = "Buy soy milk".into();
            whole["completed"] = true.into();
            let changed = change(whole.clone()).await;
            whole["is_completed"] = true.into();
            whole["completed_at"] = changed.body["completed_at"].clone();
            for changing in ["updated_at", "version"] {
                whole[changing] = changed.body[changing].clone();
            }
            assert_eq!(changed.body, whole);
            assert!(!whole["completed_at"].is_null());
            assert_eq!(alice.get(&path).await.body, whole);
        }
    }
}
