//! What the `scope` of a token allows.

use super::*;

on_both! {
    async fn a_scope_allows_the_operations_that_it_names(on: Backend) {
        let app = on.app().await;
        let reader = app.user_with_scope("alice", "tasks:read");
        let writer = app.user_with_scope("alice", "tasks:write");
        let both = app.user_with_scope("alice", "openid tasks:write profile tasks:read");
        reader.post(TASKS, json!({ "title": "Buy milk" })).await.is(expect![[r#"
            403 Forbidden
            www-authenticate: Bearer realm="taskward", error="insufficient_scope", scope="tasks:write"

            {
              "type": "urn:taskward:problem:insufficient_scope",
              "title": "Insufficient scope",
              "status": 403,
              "detail": "The token's `scope` lacks `tasks:write`, which this operation needs.",
              "code": "insufficient_scope",
              "request_id": "[id]"
            }"#]]);
        writer.get(TASKS).await.is(expect![[r#"
            403 Forbidden
            www-authenticate: Bearer realm="taskward", error="insufficient_scope", scope="tasks:read"

            {
              "type": "urn:taskward:problem:insufficient_scope",
              "title": "Insufficient scope",
              "status": 403,
              "detail": "The token's `scope` lacks `tasks:read`, which this operation needs.",
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

    /// The answer to a write has the task that was written. To show any other task is reading.
    async fn a_token_that_only_writes_is_shown_no_task_that_it_does_not_write(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let writer = app.user_with_scope("alice", "tasks:write");
        let milk = alice.create("Buy milk").await;
        let restore = format!("{}/restore", milk.location);
        let owned = format!("/api/me/tasks/{}", milk.id);
        let put = async |who: &Actor, body| who.send(who.request(Method::PUT, &owned).json(&body)).await;

        // A patch that names nothing.
        writer.patch(&milk.location, json!({})).await.is(expect![[r#"
            403 Forbidden
            www-authenticate: Bearer realm="taskward", error="insufficient_scope", scope="tasks:read"

            {
              "type": "urn:taskward:problem:insufficient_scope",
              "title": "Insufficient scope",
              "status": 403,
              "detail": "The token's `scope` lacks `tasks:read`, which this operation needs.",
              "code": "insufficient_scope",
              "request_id": "[id]"
            }"#]]);
        writer.patch_if_match(&milk.location, "\"99\"", json!({})).await.fails(403, "insufficient_scope");
        writer.patch(&owned, json!({})).await.fails(403, "insufficient_scope");
        put(&writer, json!({ "subtasks": [] })).await.fails(403, "insufficient_scope");
        // A task that is not deleted.
        writer.post_nothing(&restore).await.fails(403, "insufficient_scope");
        // A change to another version is refused, and the task is not shown.
        writer.patch_if_match(&milk.location, "\"99\"", json!({ "title": "Buy oat milk" })).await.is(expect![[r#"
            412 Precondition Failed

            {
              "type": "urn:taskward:problem:version_mismatch",
              "title": "Version mismatch",
              "status": 412,
              "detail": "If-Match names a version that the task has not reached; it is at version 1. Read it with a token that has `tasks:read`, decide again and send If-Match with that version.",
              "code": "version_mismatch",
              "request_id": "[id]"
            }"#]]);
        let refused = writer.delete_if_match(&milk.location, "\"99\"").await.fails(412, "version_mismatch");
        assert!(!refused.text.contains("milk"), "{refused}");
        // Nothing was written, and a token that may read gets the current task.
        assert_eq!(alice.get(&milk.location).await.has(200).body, milk.task);
        for answer in [
            alice.patch(&milk.location, json!({})).await,
            alice.post_nothing(&restore).await,
            alice.patch(&owned, json!({})).await,
            put(&alice, json!({})).await,
        ] {
            assert_eq!(answer.has(200).body["version"], milk.task["version"]);
        }
        let refused = alice.delete_if_match(&milk.location, "\"99\"").await.fails(412, "version_mismatch");
        assert_eq!(refused.body["current"], milk.task);
        let refused = alice.patch_if_match(&milk.location, "\"99\"", json!({})).await.fails(412, "version_mismatch");
        assert_eq!(refused.body["current"], milk.task);

        // It gets the tasks that it writes.
        assert_eq!(put(&writer, json!({ "title": "Buy oat milk" })).await.has(200).body["title"], "Buy oat milk");
        let toggled = writer.send(writer.request(Method::PATCH, &format!("{owned}/complete"))).await;
        assert_eq!(toggled.has(200).body["completed"], true);
        assert_eq!(writer.delete(&owned).await.has(200).body["title"], "Buy oat milk");
        assert_eq!(writer.post_nothing(&restore).await.has(200).body["title"], "Buy oat milk");
        let key = app.user_with_scope("alice", "tasks:write");
        let first = key.post_with_key("k", json!({ "title": "Call mum" })).await.has(201);
        assert_eq!(key.post_with_key("k", json!({ "title": "Call mum" })).await.has(201).body, first.body);
    }

    async fn a_token_that_only_reads_changes_nothing_on_owner_paths(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let reader = app.user_with_scope("alice", "tasks:read");
        let writer = app.user_with_scope("alice", "tasks:write");
        let owned = format!("/api/alice/tasks/{}", milk.id);
        let complete = format!("{owned}/complete");
        for (method, path) in [
            (Method::POST, "/api/alice/tasks"),
            (Method::PUT, &owned),
            (Method::PATCH, &owned),
            (Method::PATCH, &complete),
            (Method::DELETE, &owned),
        ] {
            let request = reader.request(method, path).json(&json!({ "title": "x" }));
            let refused = reader.send(request).await.fails(403, "insufficient_scope");
            assert!(refused.header("www-authenticate").contains(r#"scope="tasks:write""#), "{refused}");
        }
        for path in ["/api/alice/tasks", &owned] {
            let refused = writer.get(path).await.fails(403, "insufficient_scope");
            assert!(refused.header("www-authenticate").contains(r#"scope="tasks:read""#), "{refused}");
            reader.get(path).await.has(200);
        }
        assert_eq!(alice.get(&milk.location).await.has(200).body, milk.task);
    }
}
