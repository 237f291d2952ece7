//! `Idempotency-Key`: a client that does not know whether its request arrived sends it again.

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;

use super::*;
use crate::support::Answer;

/// The task of an answer that is no replay.
fn created_again(answer: Answer) -> Value {
    let answer = answer.has(201);
    assert_eq!(answer.header("idempotency-replayed"), "");
    answer.body
}

on_both! {
    async fn a_retry_gets_the_same_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "priority": "high", "tags": ["shopping"] });
        let first = alice.post_with_key("k1", body.clone()).await;
        assert_eq!(first.header("idempotency-replayed"), "");
        let retry = alice.post_with_key("k1", body).await;
        retry.is(expect![[r#"
            201 Created
            location: /api/v1/tasks/1
            etag: "1"
            idempotency-replayed: true

            {
              "id": 1,
              "uid": null,
              "user_id": "alice",
              "title": "Buy milk",
              "description": null,
              "completed": false,
              "completed_at": null,
              "priority": "high",
              "due_date": null,
              "tags": [
                "shopping"
              ],
              "created_at": "[now]",
              "updated_at": "[now]",
              "version": 1
            }"#]]);
        assert_eq!(retry.body, first.body);

        // The same body is one that says the same, however it is written.
        let request = alice.request(Method::POST, TASKS);
        let request = request.header("idempotency-key", "k1").header("content-type", "application/json; charset=UTF-8");
        let rewritten = " { \"tags\" : [\"shopping\"],\n\"description\": null, \"priority\":\"h\\u0069gh\",\"title\":\"Buy milk\" } ";
        let again = alice.send(request.body(rewritten)).await.has(201);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("idempotency-replayed"), "true");

        assert_eq!(alice.get(TASKS).await.items().len(), 1);
        // Nothing was written, so nobody needs to fetch the list again.
        assert_eq!(alice.get(TASKS).await.header("etag"), first.header("etag"));
    }

    async fn a_key_with_another_body_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "due_date": "2026-02-06" });
        let first = alice.post_with_key("k1", body).await.has(201);
        let others = [
            json!({ "title": "Buy milk" }),
            json!({ "title": "buy milk", "due_date": "2026-02-06" }),
            json!({ "title": "Buy milk", "due_date": "2026-02-06T00:00:00Z" }),
            json!({ "title": "Buy milk", "due_date": "2026-02-06", "description": "" }),
            json!({ "title": "Buy milk", "due_date": "2026-02-06", "completed": true }),
        ];
        for other in others {
            alice.post_with_key("k1", other).await.fails(422, "idempotency_key_reused");
        }
        alice.post_with_key("k1", json!({ "title": "Buy bread" })).await.is(expect![[r#"
            422 Unprocessable Entity

            {
              "type": "urn:taskward:problem:idempotency_key_reused",
              "title": "Idempotency-Key reused",
              "status": 422,
              "detail": "This Idempotency-Key was used with another body; use a new key for a new task.",
              "code": "idempotency_key_reused",
              "request_id": "[id]"
            }"#]]);
        // The faults of a body are reported first.
        alice.post_with_key("k1", json!({})).await.fails(422, "validation_failed");
        assert_eq!(alice.get(TASKS).await.items(), [first.body]);
    }

    async fn a_retry_shows_the_task_as_it_is_now(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        let first = alice.post_with_key("k1", body.clone()).await;
        let task = first.header("location");
        let edited = alice.patch(task, json!({ "title": "Buy oat milk" })).await;
        let retry = alice.post_with_key("k1", body.clone()).await.has(201);
        assert_eq!(retry.body, edited.body);
        assert_eq!(retry.header("etag"), "\"2\"");

        alice.delete(task).await.has(204);
        alice.post_with_key("k1", body.clone()).await.is(expect![[r#"
            409 Conflict

            {
              "type": "urn:taskward:problem:idempotency_key_of_deleted_task",
              "title": "Idempotency-Key of a deleted task",
              "status": 409,
              "detail": "This Idempotency-Key created task 1, which is deleted now; restore it, or use a new key.",
              "code": "idempotency_key_of_deleted_task",
              "request_id": "[id]"
            }"#]]);
        alice.post_nothing(&format!("{task}/restore")).await.has(200);
        let retry = alice.post_with_key("k1", body).await.has(201);
        assert_eq!(retry.body["title"], "Buy oat milk");
    }

    async fn a_key_belongs_to_one_user(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let body = json!({ "title": "Buy milk" });
        alice.post_with_key("k1", body.clone()).await.has(201);
        let bobs = created_again(bob.post_with_key("k1", body).await);
        assert_eq!(bobs["user_id"], "bob");
        let other = bob.post_with_key("k2", json!({ "title": "Something else" })).await.has(201);
        assert_eq!(other.body["id"], 2);
        // Keys are compared byte by byte.
        let upper = bob.post_with_key("K2", json!({ "title": "Another" })).await.has(201);
        assert_eq!(upper.body["id"], 3);
    }

    async fn a_key_is_visible_ascii(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        let longest = "k".repeat(255);
        for good in ["k", &longest, "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "a,b;c=~"] {
            alice.post_with_key(good, body.clone()).await.has(201);
        }
        let before = alice.get(TASKS).await;
        let longer = "k".repeat(256);
        for bad in ["", " ", "a b", "a\tb", &longer] {
            let answer = alice.post_with_key(bad, body.clone()).await.fails(400, "invalid_parameters");
            let fault = "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces";
            assert_eq!(answer.faults(), [fault], "{bad:?}");
        }
        let request = alice.request(Method::POST, TASKS).json(&body);
        let utf8 = request.try_clone().unwrap().header("idempotency-key", "schlüssel".as_bytes());
        let answer = alice.send(utf8).await.fails(400, "invalid_parameters");
        assert_eq!(answer.faults(), ["Idempotency-Key must be printable ASCII"]);
        let twice = request.header("idempotency-key", "a").header("idempotency-key", "b");
        alice.send(twice).await.fails(400, "invalid_parameters");
        assert_eq!(alice.get(TASKS).await.body, before.body);
    }

    async fn concurrent_retries_create_one_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        let answers = join_all((0..16).map(|_| alice.post_with_key("k1", body.clone()))).await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
        }
        let first = |answer: &&Answer| answer.header("idempotency-replayed").is_empty();
        assert_eq!(answers.iter().filter(first).count(), 1);
        assert_eq!(alice.get(TASKS).await.items(), [answers[0].body.clone()]);
        // The number that the others did not get is not lost either.
        assert_eq!(alice.create("Buy bread").await.id, 2);
    }

    /// Rows that were written before digests had a version.
    async fn a_key_stored_by_an_older_version_is_still_known(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "priority": "high", "tags": ["shopping"] });
        let first = alice.post_with_key("k1", body.clone()).await.has(201);
        // `printf '["Buy milk",null,false,"high",null,["shopping"]]' | sha256sum`
        let old = "a6fe3ba10dec8c4b2dee6934f40a9b26bc1d42a7e2f27dfc4ab79ceeae3ad465";
        let database = sea_orm::Database::connect(&app.database_url).await.unwrap();
        let update = format!("UPDATE task SET create_hash = '{old}'");
        database.execute_unprepared(&update).await.unwrap();

        let retry = alice.post_with_key("k1", body).await.has(201);
        assert_eq!(retry.body, first.body);
        assert_eq!(retry.header("idempotency-replayed"), "true");
        let other = alice.post_with_key("k1", json!({ "title": "Buy bread" })).await;
        other.fails(422, "idempotency_key_reused");
        assert_eq!(alice.get(TASKS).await.items(), [first.body]);
    }

    async fn a_precondition_is_not_a_key(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for path in [TASKS, "/api/me/tasks"] {
            for (name, value) in [("If-None-Match", "*"), ("If-None-Match", "\"0\""), ("If-Match", "\"0\"")] {
                let request = alice.request(Method::POST, path).header(name, value).json(&json!({ "title": "Buy milk" }));
                let refused = alice.send(request).await.fails(400, "invalid_parameters");
                let expected = format!(
                    "{name} is not supported here; to create a task once and not twice, send an Idempotency-Key"
                );
                assert_eq!(refused.faults(), [expected]);
            }
        }
        assert_eq!(alice.get(TASKS).await.items(), [json!(null); 0]);
    }
}
