//! `uid`: the id that a client chooses for a task, by which it may repeat the creation.

use futures_util::future::join_all;

use super::*;

const UID: &str = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";
const OTHER: &str = "019300f1-7c2e-7000-8000-000000000001";

on_both! {
    async fn a_uid_stays_with_the_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "uid": UID.to_uppercase() });
        let first = alice.post(TASKS, body.clone()).await.has(201);
        assert_eq!((&first.body["uid"], first.header("idempotency-replayed")), (&json!(UID), ""));
        assert_eq!(alice.get(TASKS).await.items(), std::slice::from_ref(&first.body));
        let owned = alice.get("/api/alice/tasks/1").await.has(200);
        assert_eq!(owned.body["uid"], UID);
        let patched = alice.patch("/api/v1/tasks/1", json!({ "title": "Buy oat milk" })).await.has(200);
        assert_eq!(patched.body["uid"], UID);
        let refused = alice.patch("/api/v1/tasks/1", json!({ "uid": OTHER })).await;
        assert_eq!(refused.fails(422, "validation_failed").faults(), ["/uid is not a member of a task that can be changed"]);
        // Who chooses none has none, and another may choose none as well.
        for body in [json!({ "title": "Call mum" }), json!({ "title": "Call mum", "uid": null })] {
            assert_eq!(alice.create_with(body).await.task["uid"], Value::Null);
        }
    }

    async fn creating_it_again_is_the_same_task(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 1).await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "uid": UID, "tags": ["shop"] });
        let first = alice.create_with(body.clone()).await;
        let changed = alice.patch(&first.location, json!({ "completed": true })).await.has(200);
        // As it is now, also where there is no room for another task.
        let same = json!({ "tags": ["shop"], "uid": UID.to_uppercase(), "title": "Buy milk", "completed": false });
        for again in [body.clone(), same] {
            let answer = alice.post(TASKS, again).await.has(201);
            assert_eq!(answer.header("idempotency-replayed"), "true");
            assert_eq!((answer.header("location"), &answer.body), (&*first.location, &changed.body));
        }
        // With a key that is new, the uid decides.
        let keyed = alice.post_with_key("k", body).await.has(201);
        assert_eq!(keyed.body, changed.body);
        assert_eq!(alice.get(TASKS).await.header("etag"), "\"2\"", "nothing was written");
        alice.post(TASKS, json!({ "title": "Buy milk", "uid": OTHER })).await.fails(409, "task_limit_reached");
    }

    async fn another_body_is_refused_with_the_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let first = alice.create_with(json!({ "title": "Buy milk", "uid": UID })).await;
        let other = json!({ "title": "Buy bread", "uid": UID });
        alice.post(TASKS, other.clone()).await.is(expect![[r#"
            409 Conflict

            {
              "type": "urn:taskward:problem:uid_taken",
              "title": "Uid taken",
              "status": 409,
              "detail": "This uid is that of task 1, which was created with another body. `current` shows it. Change that task, or use a new uid for a new one.",
              "code": "uid_taken",
              "request_id": "[id]",
              "current": {
                "id": 1,
                "uid": "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a",
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
              }
            }"#]]);
        let keyed = alice.post_with_key("k", other.clone()).await.fails(409, "uid_taken");
        assert_eq!(keyed.body["current"], first.task);
        // Who may not read is not shown the task.
        let writer = app.user_with_scope("alice", "tasks:write");
        let refused = writer.post(TASKS, other).await.fails(409, "uid_taken");
        assert_eq!(refused.body.get("current"), None, "{refused}");
        assert!(!refused.text.contains("milk"), "{refused}");
    }

    async fn the_uid_of_a_deleted_task_is_not_free(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk", "uid": UID });
        let first = alice.create_with(body.clone()).await;
        alice.delete(&first.location).await.has(204);
        for body in [body.clone(), json!({ "title": "Buy bread", "uid": UID })] {
            let refused = alice.post(TASKS, body).await.fails(409, "uid_of_deleted_task");
            assert_eq!(
                refused.body["detail"],
                "This uid is that of task 1, which is deleted now; restore it, or use a new uid."
            );
        }
        let restored = alice.post_nothing(&format!("{}/restore", first.location)).await.has(200);
        assert_eq!(restored.body["uid"], UID);
        assert_eq!(alice.post(TASKS, body).await.has(201).body, restored.body);
    }

    async fn a_uid_is_unique_for_its_user_alone(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let of = |title: &str| json!({ "title": title, "uid": UID });
        alice.create_with(of("hers")).await;
        let his = bob.create_with(of("his")).await;
        assert_eq!((his.id, &his.task["uid"]), (1, &json!(UID)));
        let answer = bob.post(TASKS, of("hers")).await.fails(409, "uid_taken");
        assert_eq!(answer.body["current"]["title"], "his");
    }

    async fn of_many_at_once_one_creates(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answers = join_all((0..16).map(|_| alice.post(TASKS, json!({ "title": "Buy milk", "uid": UID })))).await;
        let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed") == "true");
        assert_eq!(replayed.count(), 15);
        assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
        assert_eq!(alice.get(TASKS).await.items().len(), 1);
    }

    /// Another spelling is not read as one, and not taken for another uid either.
    async fn a_uid_has_one_spelling(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let expected = "must be a UUID like 5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a (RFC 9562)";
        for spelling in [json!(UID.replace('-', "")), json!(format!("{{{UID}}}")), json!(format!("urn:uuid:{UID}")), json!("")] {
            assert_eq!(fault(&alice, "uid", spelling).await, format!("/uid {expected}"));
        }
        assert_eq!(fault(&alice, "uid", 7).await, format!("/uid {expected}, not a number"));
    }

    /// The front ends of these paths send what other servers know by this name, such as the id of a user.
    async fn an_owner_path_does_not_read_it(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for uid in [json!(UID), json!("k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1")] {
            let answer = alice.post("/api/alice/tasks", json!({ "title": "Buy milk", "uid": uid })).await.has(201);
            assert_eq!(answer.body["uid"], Value::Null);
        }
    }
}
