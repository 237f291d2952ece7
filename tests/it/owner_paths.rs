//! The paths that existing front ends call, `/api/{user_id}/tasks…`, and the habits of those front ends.

mod create;
mod done;
mod list;
mod nothing_ignored;
mod update;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, on_both};

const TASKS: &str = "/api/alice/tasks";

/// The titles of a list, in its order.
async fn titles(alice: &Actor, query: &str) -> Vec<String> {
    let answer = alice.get(&format!("{TASKS}{query}")).await.has(200);
    let tasks = answer.body.as_array().unwrap().iter();
    tasks
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Three tasks, of which the first is done.
async fn three_tasks(alice: &Actor) {
    let tasks = [
        json!({ "title": "Buy milk", "completed": true, "priority": "high", "due_date": "2026-02-08", "tags": ["Home"] }),
        json!({ "title": "Call mum", "description": "about MILK", "priority": "low", "due_date": "2026-02-07" }),
        json!({ "title": "Air the room", "due_date": "2026-02-06", "tags": ["home"] }),
    ];
    for task in tasks {
        alice.create_with(task).await;
    }
}

/// A task as the owner paths show it: `completed` has two names.
fn in_both_names(mut task: Value) -> Value {
    task["is_completed"] = task["completed"].clone();
    task
}

async fn put(alice: &Actor, path: &str, body: Value) -> Answer {
    alice
        .send(alice.request(Method::PUT, path).json(&body))
        .await
}

/// Without a body, with or without saying of what type it is.
async fn toggle(alice: &Actor, id: i64, says_json: bool) -> Answer {
    let request = alice.request(Method::PATCH, &format!("{TASKS}/{id}/complete"));
    let request = match says_json {
        true => request.header(header::CONTENT_TYPE, "application/json"),
        false => request,
    };
    alice.send(request).await
}

on_both! {
    async fn delete_answers_with_the_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        three_tasks(&alice).await;
        let before = alice.get(&format!("{TASKS}/1")).await.has(200);
        let answer = alice.delete(&format!("{TASKS}/1")).await.has(200);
        assert_eq!((&answer.body["id"], &answer.body["title"]), (&json!(1), &before.body["title"]));
        alice.get(&format!("{TASKS}/1")).await.fails(404, "task_not_found");
        alice.delete(&format!("{TASKS}/1")).await.fails(404, "task_not_found");
        let prefer = async |id: i64, preference: &str| {
            let request = alice.request(Method::DELETE, &format!("{TASKS}/{id}"));
            alice.send(request.header("Prefer", preference)).await
        };
        assert_eq!(prefer(2, "respond-async, Return = \"minimal\"").await.has(204).text, "");
        assert_eq!(prefer(3, "return=representation").await.has(200).body["id"], 3);
        assert_eq!(titles(&alice, "").await, [""; 0]);
        // It can be restored as any.
        alice.post_nothing("/api/v1/tasks/1/restore").await.has(200);
        assert_eq!(titles(&alice, "").await, ["Buy milk"]);
    }

    async fn the_path_must_name_the_caller(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("hers").await;
        bob.create("his").await;
        // The token comes first, then the owner, then the body.
        app.anon().get(TASKS).await.fails(401, "token_missing");
        app.anon().post_raw(TASKS, "{").await.fails(401, "token_missing");
        app.with_token("nonsense").delete(&format!("{TASKS}/1")).await.fails(401, "token_malformed");
        for path in [TASKS.to_owned(), format!("{TASKS}/1"), format!("{TASKS}/99")] {
            bob.get(&path).await.fails(403, "not_your_path");
        }
        bob.get("/api/nobody/tasks").await.fails(403, "not_your_path");
        bob.post(TASKS, json!({ "title": "for her" })).await.fails(403, "not_your_path");
        bob.delete(&format!("{TASKS}/1")).await.fails(403, "not_your_path");
        toggle(&bob, 1, true).await.fails(403, "not_your_path");
        assert_eq!(titles(&alice, "").await, ["hers"]);

        for (who, title) in [(&alice, "hers"), (&bob, "his")] {
            assert_eq!(who.get("/api/me/tasks").await.has(200).body[0]["title"], title);
            assert_eq!(who.get("/api/me/tasks/1").await.has(200).body["title"], title);
            who.get("/api/me/tasks/2").await.fails(404, "task_not_found");
        }
        alice.get(&format!("{TASKS}/0")).await.has(400);
        // A `sub` can be anything that a path can carry, once it is encoded.
        for (sub, path) in [("auth0|7 ü", "auth0%7C7%20%C3%BC"), ("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("v1", "v1"), ("me", "me")] {
            let strange = app.user(sub);
            strange.create("Buy milk").await;
            strange.get(&format!("/api/{path}/tasks/1")).await.has(200);
            assert_eq!(toggle_of(&strange, path).await.has(200).body["user_id"], sub);
        }
    }

    async fn slashes_at_the_end_are_served(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.post(&format!("{TASKS}/"), json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!(titles(&alice, "/").await, ["Buy milk"]);
        assert_eq!(titles(&alice, "/?status=completed").await, [""; 0]);
        alice.get(&format!("{TASKS}/1/")).await.has(200);
        put(&alice, &format!("{TASKS}/1/"), json!({ "title": "Buy tea" })).await.has(200);
        let path = format!("{TASKS}/1/complete/");
        alice.send(alice.request(Method::PATCH, &path)).await.has(200);
        alice.delete(&format!("{TASKS}/1/")).await.has(200);
    }

    async fn health_is_served_at_the_path_of_front_ends(on: Backend) {
        let app = on.app().await;
        for path in ["/health", "/health/"] {
            assert_eq!(app.anon().get(path).await.has(200).body, json!({ "status": "ok" }));
        }
    }

    async fn a_page_elsewhere_may_send_cookies(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let origin = "http://localhost:3000";
        let path = format!("{TASKS}/1/complete");
        let preflight = alice.request(Method::OPTIONS, &path)
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,content-type");
        let answers = [
            alice.send(preflight).await,
            alice.send(alice.request(Method::GET, TASKS).header(header::ORIGIN, origin)).await.has(200),
            app.anon().send(app.anon().request(Method::GET, TASKS).header(header::ORIGIN, origin)).await.has(401),
            alice.send(alice.request(Method::PATCH, &path).header(header::ORIGIN, origin)).await.has(404),
            alice.send(alice.request(Method::GET, "/api/bob/tasks").header(header::ORIGIN, origin)).await.has(403),
        ];
        for answer in answers {
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{answer}");
            assert_eq!(answer.header("access-control-allow-credentials"), "true", "{answer}");
        }
    }
}

async fn toggle_of(who: &Actor, owner: &str) -> Answer {
    let path = format!("/api/{owner}/tasks/1/complete");
    who.send(who.request(Method::PATCH, &path)).await
}
