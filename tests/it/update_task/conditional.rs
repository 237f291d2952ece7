//! `If-Match`: change only what one has seen.

use reqwest::Method;

use super::*;

on_both! {
    async fn if_match_refuses_to_change_another_version(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let first = alice.patch_if_match(&milk.location, &milk.etag, json!({ "title": "Buy oat milk" })).await;
        assert_eq!((first.status, first.header("etag")), (200, "\"2\""));
        // A client that still has the first version gets the current task.
        alice.patch_if_match(&milk.location, &milk.etag, json!({ "title": "Buy soy milk" })).await.is(expect![[r#"
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
                "title": "Buy oat milk",
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
        assert_eq!(alice.get(&milk.location).await.body, first.body);
        // A proxy that compresses makes a weak tag of a strong one.
        alice.patch_if_match(&milk.location, "W/\"2\"", json!({ "completed": true })).await.has(200);
        alice.patch_if_match(&milk.location, "\"1\", \"3\"", json!({ "completed": false })).await.has(200);
        alice.patch_if_match(&milk.location, "*", json!({ "priority": "low" })).await.has(200);
        assert_eq!(alice.get(&milk.location).await.header("etag"), "\"5\"");
    }

    async fn an_etag_that_no_version_has_matches_none(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        for tag in ["\"\"", "\"0\"", "\"-1\"", "\"2\"", "\"01\"", "\"+1\"", "\"1.0\"", "\"*\"", "\"99999999999999999999\"", "\"x\", \"y\""] {
            for patch in [json!({ "title": "Buy oat milk" }), json!({})] {
                let answer = alice.patch_if_match(&milk.location, tag, patch).await;
                assert_eq!(answer.status, 412, "{tag}: {answer}");
                assert_eq!((answer.code(), &answer.body["current"]), ("version_mismatch", &milk.task));
            }
            alice.delete_if_match(&milk.location, tag).await.fails(412, "version_mismatch");
        }
        assert_eq!(alice.get(&milk.location).await.body, milk.task);
    }

    async fn a_malformed_if_match_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        for malformed in ["1", "", "\"1", "'1'", "\"1\" \"2\"", "*, \"1\""] {
            let patch = json!({ "title": "Buy oat milk" });
            let answer = alice.patch_if_match(&milk.location, malformed, patch).await.fails(400, "invalid_parameters");
            let expected = "If-Match must be an ETag as the server sent it, with its quotes, such as \"12\"; a list of them; or *";
            assert_eq!(answer.faults(), [expected], "{malformed}");
            alice.delete_if_match(&milk.location, malformed).await.fails(400, "invalid_parameters");
        }
        assert_eq!(alice.get(&milk.location).await.body, milk.task);
    }

    async fn an_unknown_task_is_404_and_not_412(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        alice.delete(&milk.location).await.has(204);
        for tag in ["*", "\"1\"", "\"2\""] {
            let answer = alice.patch_if_match(&milk.location, tag, json!({ "title": "x" })).await;
            answer.fails(404, "task_not_found");
        }
    }

    async fn patches_of_different_members_both_survive(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for round in 0..10 {
            let milk = alice.create("Buy milk").await.location;
            let title = format!("Buy {round} litres");
            let (one, other) = tokio::join!(
                alice.patch(&milk, json!({ "title": title })),
                alice.patch(&milk, json!({ "description": "Organic", "completed": true })),
            );
            let versions = [one.has(200).body["version"].as_i64(), other.has(200).body["version"].as_i64()];
            let task = alice.get(&milk).await.body;
            let told = (&task["title"], &task["description"], &task["completed"]);
            assert_eq!(told, (&json!(title), &json!("Organic"), &json!(true)));
            assert_eq!(task["version"].as_i64(), versions.into_iter().max().unwrap());
            assert_ne!(versions[0], versions[1]);
        }
    }

    async fn of_two_changes_to_one_version_one_succeeds(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for _ in 0..10 {
            let milk = alice.create("Buy milk").await;
            let (one, other) = tokio::join!(
                alice.patch_if_match(&milk.location, &milk.etag, json!({ "title": "One" })),
                alice.patch_if_match(&milk.location, &milk.etag, json!({ "title": "Other" })),
            );
            let (winner, loser) = if one.status == 200 { (one, other) } else { (other, one) };
            let winner = winner.has(200).body;
            assert_eq!(loser.fails(412, "version_mismatch").body["current"], winner);
            assert_eq!(alice.get(&milk.location).await.body, winner);
        }
    }

    async fn if_none_match_refuses_to_change_a_version_that_it_names(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let owner_path = format!("/api/me/tasks/{}", milk.id);
        let doors = [
            (Method::PATCH, milk.location.clone()),
            (Method::DELETE, milk.location.clone()),
            (Method::POST, format!("{}/restore", milk.location)),
            (Method::PUT, owner_path.clone()),
            (Method::PATCH, owner_path.clone()),
            (Method::PATCH, format!("{owner_path}/complete")),
            (Method::DELETE, owner_path.clone()),
        ];
        let send = async |(method, path): &(Method, String), tag: &str, body: Value| {
            let request = alice.request(method.clone(), path).header("if-none-match", tag);
            let sends_no_body = *method == Method::DELETE || *method == Method::POST;
            alice.send(if sends_no_body { request } else { request.json(&body) }).await
        };
        let change = json!({ "completed": true });
        for door in &doors {
            for tag in ["*", "\"1\"", "W/\"1\"", "\"7\", \"1-gzip\""] {
                let refused = send(door, tag, change.clone()).await.fails(412, "version_mismatch");
                assert_eq!(refused.body["current"]["version"], 1, "{door:?} {tag}");
                let expected = "If-None-Match excludes the task as it is, at version 1. `current` shows it; decide again, and to change \
                                only that version send If-Match with it.";
                assert_eq!(refused.body["detail"], expected);
            }
            let refused = send(door, "1", change.clone()).await.fails(400, "invalid_parameters");
            assert_eq!(refused.faults().len(), 1);
        }
        // An empty patch is no exception.
        send(&doors[0], "\"1\"", json!({})).await.fails(412, "version_mismatch");
        assert_eq!(alice.get(&milk.location).await.body, milk.task);
        // Any other version may be changed.
        send(&doors[0], "\"7\", \"x\"", json!({ "title": "Buy oat milk" })).await.has(200);
        send(&doors[3], "\"1\"", change.clone()).await.has(200);
        send(&doors[0], "\"1\"", json!({})).await.has(200);
        send(&doors[1], "\"1\"", Value::Null).await.has(204);
        send(&doors[2], "\"4\"", Value::Null).await.fails(412, "version_mismatch");
        send(&doors[2], "\"3\"", Value::Null).await.has(200);
        // What is not there, is not there.
        send(&(Method::PATCH, "/api/v1/tasks/9".to_owned()), "*", change).await.fails(404, "task_not_found");
    }

    async fn if_match_and_if_none_match_are_not_both_taken(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let request = alice.request(Method::DELETE, &milk).header("if-match", "\"1\"").header("if-none-match", "\"2\"");
        let refused = alice.send(request).await.fails(400, "invalid_parameters");
        assert_eq!(refused.faults(), ["If-None-Match must not be sent together with If-Match"]);
        alice.get(&milk).await.has(200);
    }
}
