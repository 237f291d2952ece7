//! No user reaches anything of another user. The operations are those of the contract, so a new one is
//! tested without being named here.

mod others;
mod token;

use reqwest::{RequestBuilder, header};
use serde_json::json;

use crate::support::{
    Actor, TestApp,
    contract::{Operation, examples},
};

/// A mark in all texts of Alice's, which must not be in any answer to another user.
const MARK: &str = "xyzzy";

/// A request as the contract has it.
fn request(actor: &Actor, operation: &Operation, id: i64) -> RequestBuilder {
    let request = actor.request(operation.method.clone(), &operation.path_of(id));
    match operation.bodies().first() {
        Some((media_type, body)) => request
            .header(header::CONTENT_TYPE, *media_type)
            .body(examples(body)[0].to_string()),
        None => request,
    }
}

/// A request with a body and a media type that no operation accepts.
fn bad_requests(actor: &Actor, operation: &Operation, id: i64) -> Vec<RequestBuilder> {
    let request = || actor.request(operation.method.clone(), &operation.path_of(id));
    let json = |body: &'static str| {
        request()
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
    };
    let large = vec![b' '; 1024 * 1024 + 1];
    vec![
        json("{"),
        json("null"),
        json(r#"{"title": 7, "nonsense": [], "completed": "maybe"}"#),
        request()
            .header(header::CONTENT_TYPE, "text/plain")
            .body("title=x"),
        request()
            .header(header::CONTENT_TYPE, "application/json")
            .body(large),
        actor.request(
            operation.method.clone(),
            &format!("{}?nonsense=1&limit=x", operation.path_of(id)),
        ),
        actor.request(
            operation.method.clone(),
            &operation.path_with("me", "nonsense"),
        ),
        request()
            .header("If-Match", "nonsense")
            .header("If-None-Match", "nonsense")
            .header("Idempotency-Key", "a b"),
    ]
}

/// Alice's tasks: two open, one done, one deleted, each of them marked wherever a text can be.
async fn alice_with_tasks(app: &TestApp) -> Actor {
    let alice = app.user(&format!("alice-{MARK}"));
    for title in ["first", "open", "done", "deleted"] {
        let task = json!({
            "title": format!("{title} {MARK}"),
            "description": MARK,
            "tags": [MARK],
            "completed": title == "done",
            "due_date": "2026-02-06",
        });
        let request = alice.request(reqwest::Method::POST, "/api/v1/tasks");
        let key = format!("key-{title}");
        let answer = alice
            .send(request.header("Idempotency-Key", key).json(&task))
            .await;
        assert_eq!(answer.status, 201, "{answer}");
    }
    assert_eq!(alice.delete("/api/v1/tasks/4").await.status, 204);
    alice
}

/// All that Alice can see, to the letter.
async fn all_of(alice: &Actor) -> String {
    let mut all = String::new();
    for path in [
        "/api/v1/tasks",
        "/api/v1/tasks/1",
        "/api/v1/tasks/2",
        "/api/v1/tasks/3",
        "/api/v1/tasks/4",
    ] {
        let answer = alice
            .send(
                alice
                    .request(reqwest::Method::GET, path)
                    .header("X-Request-Id", "same"),
            )
            .await;
        all += &format!(
            "{} {} {}\n",
            answer.status,
            answer.header("etag"),
            answer.text
        );
    }
    assert!(all.contains(MARK), "{all}");
    all
}
