//! What the `scope` of a token allows.

use super::*;

on_both! {
    async fn a_scope_allows_what_it_says(on: Backend) {
        let app = on.app().await;
        let reader = app.user_with_scope("alice", "tasks:read");
        let writer = app.user_with_scope("alice", "tasks:write");
        let both = app.user_with_scope("alice", "openid tasks:write profile tasks:read");
        reader.post(TASKS, json!({ "title": "Buy milk" })).await.is(expect![[r#"
            403 Forbidden
            www-authenticate: Bearer realm="taskward", error="insufficient_scope", scope="tasks:write"

            {
              "type": "urn:taskward:problem:insufficient_scope",
              "title": "Forbidden",
              "status": 403,
              "detail": "The token's `scope` does not have `tasks:write`, which this needs.",
              "code": "insufficient_scope",
              "request_id": "[id]"
            }"#]]);
        writer.get(TASKS).await.is(expect![[r#"
            403 Forbidden
            www-authenticate: Bearer realm="taskward", error="insufficient_scope", scope="tasks:read"

            {
              "type": "urn:taskward:problem:insufficient_scope",
              "title": "Forbidden",
              "status": 403,
              "detail": "The token's `scope` does not have `tasks:read`, which this needs.",
              "code": "insufficient_scope",
              "request_id": "[id]"
            }"#]]);

        let milk = writer.create("Buy milk").await;
        reader.get(TASKS).await.has(200);
        reader.get(&milk.location).await.has(200);
        reader.get("/api/v1/me").await.has(200);
        reader.patch(&milk.location, json!({ "completed": true })).await.fails(403, "insufficient_scope");
        reader.delete(&milk.location).await.fails(403, "insufficient_scope");
        writer.get(&milk.location).await.fails(403, "insufficient_scope");
        writer.get("/api/v1/me").await.fails(403, "insufficient_scope");
        writer.patch(&milk.location, json!({ "completed": true })).await.has(200);
        writer.delete(&milk.location).await.has(204);
        let restore = format!("{}/restore", milk.location);
        reader.post_nothing(&restore).await.fails(403, "insufficient_scope");
        writer.post_nothing(&restore).await.has(200);

        both.get(TASKS).await.has(200);
        both.create("Call mum").await;
        // A scope that names neither allows neither, and a part of a name is no name.
        for scope in ["", "openid profile", "tasks", "tasks:*", "tasks:readonly", "TASKS:READ", "tasks:read,tasks:write"] {
            let user = app.user_with_scope("alice", scope);
            user.get(TASKS).await.fails(403, "insufficient_scope");
            user.post(TASKS, json!({ "title": "x" })).await.fails(403, "insufficient_scope");
        }
    }
}
