//! `createTask`.

use expect_test::expect;
use serde_json::json;

use crate::support::{Backend, on_both};

on_both! {
    async fn a_title_is_enough(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = alice.post("/api/v1/tasks", json!({ "title": "Buy milk" })).await;
        answer.is(expect![[r#"
            201 Created
            location: /api/v1/tasks/1
            etag: "1"

            {
              "id": 1,
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
              "version": 1
            }"#]]);
    }
}
