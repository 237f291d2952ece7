//! Another user's tasks cannot be read or changed, and the answers do not show whether they exist.

use std::collections::BTreeSet;

use reqwest::header;
use serde_json::{Value, json};

use super::{MARK, alice_with_tasks, all_of, request};
use crate::support::{
    Actor, Answer, Backend,
    contract::{Operation, examples, operations},
    on_both,
};

on_both! {
    /// The owner in a path is checked after the token and before anything else of the request.
    async fn an_owner_path_of_another_user_is_403(on: Backend) {
        let app = on.app().await;
        let bob = app.user("bob");
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        let with_owner: Vec<_> = operations().into_iter().filter(Operation::is_on_an_owner_path).collect();
        assert!(with_owner.len() >= 7);
        for operation in with_owner {
            for (user, id) in [("alice", "1"), ("alice", "0"), ("nobody", "x")] {
                let ask = async |actor: &Actor| {
                    let request = actor.request(operation.method.clone(), &operation.path_with(user, id));
                    actor.send(request.header(header::CONTENT_TYPE, "text/plain").body("{")).await
                };
                ask(&app.anon()).await.fails(401, "token_missing");
                ask(&app.user_with_scope("bob", "openid")).await.fails(403, "insufficient_scope");
                ask(&bob).await.fails(403, "not_your_path");
            }
        }
        assert_eq!(all_of(&alice).await, before);
    }

    /// The answer to Bob about an id is the same, byte for byte, whether Alice has a task with that id
    /// or nobody does.
    async fn another_users_task_is_answered_like_an_unknown_one(on: Backend) {
        let app = on.app().await;
        let bob = app.user("bob");
        // Bob has written before, so that he has a clock.
        bob.create("his").await;
        let nobody_has_any = answers_to_bob(&bob).await;
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        let alice_has_some = answers_to_bob(&bob).await;
        assert!(nobody_has_any.len() >= 4 * 3 * 4);
        for (before, after) in nobody_has_any.iter().zip(&alice_has_some) {
            assert_eq!(before, after);
            assert!(before.contains("404 Not Found"), "{before}");
        }
        assert_eq!(all_of(&alice).await, before);
    }

    /// A path with another owner is refused before anything else is checked: it is the same whether the
    /// owner has that task, has no such task, or does not exist.
    async fn another_users_path_is_refused(on: Backend) {
        let app = on.app().await;
        let bob = app.user("bob");
        bob.create("his").await;
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        let name = format!("alice-{MARK}");
        for operation in operations().iter().filter(|operation| operation.is_on_an_owner_path()) {
            let mut told = BTreeSet::new();
            // The last name differs from Bob's only in case; the one before it is percent-encoded twice.
            for (owner, id) in [(&*name, "1"), (&name, "99"), ("nobody", "1"), ("b%256fb", "1"), ("BOB", "1")] {
                let request = bob.request(operation.method.clone(), &operation.path_with(owner, id));
                let request = match operation.bodies().first() {
                    Some((media_type, body)) => request
                        .header(header::CONTENT_TYPE, *media_type)
                        .body(examples(body)[0].to_string()),
                    None => request,
                };
                let answer = bob.send(request.header("X-Request-Id", "same")).await;
                assert_eq!((answer.status, answer.code()), (403, "not_your_path"), "{}: {answer}", operation.id);
                told.insert(whole(operation, &answer));
            }
            assert_eq!(told.len(), 1, "{told:#?}");
            // Without a token, the answer is 401.
            let anon = app.anon();
            let path = operation.path_with(&name, "1");
            anon.send(anon.request(operation.method.clone(), &path)).await.fails(401, "token_missing");
        }
        assert_eq!(all_of(&alice).await, before);
        assert_eq!(bob.titles("").await, ["his"]);
    }

    async fn another_users_tasks_are_in_no_answer(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        let bob = app.user("bob");
        // Twice: first Bob has no task, then he has one with the id of one of hers.
        for _ in 0..2 {
            for operation in operations() {
                let answer = bob.send(request(&bob, &operation, 1)).await;
                assert!(answer.status < 500, "{answer}");
                assert!(!format!("{answer:?}").contains(MARK), "{}: {answer}", operation.id);
            }
        }
        for query in [MARK, ""].map(|q| format!("?q={q}")).into_iter().chain([format!("?tag={MARK}")]) {
            let answer = bob.get(&format!("/api/v1/tasks{query}")).await;
            assert!(answer.items().iter().all(|task| task["user_id"] == "bob"), "{answer}");
            assert!(!answer.text.contains(MARK), "{answer}");
        }
        assert_eq!(all_of(&alice).await, before);
    }

    /// Alice's keys, cursors and ETags work for Alice only.
    async fn keys_cursors_and_etags_of_another_user_reveal_nothing(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let before = all_of(&alice).await;
        let page = alice.get("/api/v1/tasks?limit=1").await;
        let (tag, cursor) = (page.header("etag"), page.body["next_cursor"].as_str().unwrap());

        let bob = app.user("bob");
        let answer = bob.get(&format!("/api/v1/tasks?limit=1&cursor={cursor}")).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_cursor"), "{answer}");
        let changes = alice.get("/api/v1/changes?limit=1").await;
        let cursor = changes.body["cursor"].as_str().unwrap();
        bob.get(&format!("/api/v1/changes?cursor={cursor}")).await.fails(400, "invalid_cursor");
        let answer = bob.get_if_none_match("/api/v1/tasks", tag).await;
        assert_eq!((answer.status, answer.items().len()), (200, 0), "{answer}");

        // The same key and the same body, but it is a task of Bob's own.
        let task = json!({ "title": "Buy milk" });
        for (who, id) in [(&alice, 5), (&bob, 1)] {
            let request = who.request(reqwest::Method::POST, "/api/v1/tasks");
            let answer = who.send(request.header("Idempotency-Key", "shared").json(&task)).await;
            assert_eq!((answer.status, &answer.body["id"]), (201, &json!(id)), "{answer}");
            assert_eq!(answer.header("idempotency-replayed"), "");
        }
        // Alice's key with another body is not a conflict for Bob.
        let request = bob.request(reqwest::Method::POST, "/api/v1/tasks");
        let answer = bob.send(request.header("Idempotency-Key", "key-open").json(&task)).await;
        assert_eq!((answer.status, &answer.body["id"]), (201, &json!(2)), "{answer}");

        // Her ETag of task 1 does not match his.
        let tag = alice.get("/api/v1/tasks/1").await.header("etag").to_owned();
        assert_eq!(tag, "\"1\"");
        bob.patch("/api/v1/tasks/1", json!({ "title": "Mine" })).await;
        let answer = bob.patch_if_match("/api/v1/tasks/1", &tag, json!({ "title": "Hers" })).await;
        assert_eq!((answer.status, &answer.body["current"]["title"]), (412, &json!("Mine")), "{answer}");
        assert_eq!(alice.delete("/api/v1/tasks/5").await.status, 204);
        let after = all_of(&alice).await;
        assert_eq!(after.lines().skip(1).collect::<Vec<_>>(), before.lines().skip(1).collect::<Vec<_>>());
    }
}

/// The whole answers, but for times, to everything that Bob could try on the ids of Alice's tasks.
async fn answers_to_bob(bob: &Actor) -> Vec<String> {
    let conditions = [
        ("X-Nothing", "at all"),
        ("If-Match", "\"1\""),
        ("If-None-Match", "\"1\""),
        ("If-None-Match", "*"),
    ];
    let mut told = Vec::new();
    for operation in operations()
        .iter()
        .filter(|operation| operation.is_about_one())
    {
        for id in 2..=4 {
            for (name, value) in conditions {
                let request = request(bob, operation, id).header(name, value);
                let answer = bob.send(request.header("X-Request-Id", "same")).await;
                told.push(whole(operation, &answer));
            }
        }
    }
    told
}

fn whole(operation: &Operation, answer: &Answer) -> String {
    let mut headers = answer.headers.clone();
    headers.remove(header::DATE);
    let reason = reqwest::StatusCode::from_u16(answer.status).unwrap();
    let Value::Object(_) = &answer.body else {
        panic!("{answer}");
    };
    format!("{} {reason} {headers:?} {}", operation.id, answer.text)
}
