//! Tokens that the operator has revoked, while their users send them to servers that know them.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::{Duration, Instant},
};

use chrono::Utc;
use expect_test::expect;
use serde_json::json;
use taskward::clock::Clock;
use tokio::time::sleep;

use super::claims;
use crate::support::{Actor, Answer, Backend, TestApp, on_both};

const TASKS: &str = "/api/v1/tasks";

/// Revokes the tokens of a user that were issued until this second.
async fn revoke_at(app: &TestApp, user: &str, second: i64) {
    let clock = Clock::Set(Arc::new(AtomicI64::new(second * 1_000_000)));
    let operator = app.operator(clock).await;
    operator.for_operator().revoke_tokens(user).await.unwrap();
}

/// Asks until the answer has this status. The servers say five seconds; the machine may be slow.
async fn until(user: &Actor, status: u16) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = user.get(TASKS).await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < deadline, "never {status}: {answer}");
        sleep(Duration::from_millis(50)).await;
    }
}

on_both! {
    async fn a_revoked_token_is_refused_at_every_door(on: Backend) {
        let app = on.app().await;
        let other = app.another(|_| {}).await;
        let token = app.token("alice");
        let (alice, elsewhere, bob) = (app.with_token(&token), other.with_token(&token), app.user("bob"));
        alice.create("milk").await;
        elsewhere.get(TASKS).await.has(200);
        let mut stream = alice.events(0).await;
        stream.soon().await;

        let operator = app.operator(Clock::System).await;
        let at = operator.for_operator().revoke_tokens("alice").await.unwrap();
        let refused = until(&alice, 401).await.fails(401, "token_revoked");
        assert!(refused.header("www-authenticate").starts_with("Bearer realm=\"taskward\", error=\"invalid_token\""), "{refused}");
        let said = refused.body["detail"].as_str().unwrap().replace(&at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "[time]");
        expect!["The tokens of this user that were issued until [time] were revoked; sign in again to get a new one."].assert_eq(&said);
        until(&elsewhere, 401).await.fails(401, "token_revoked");
        alice.get("/api/alice/tasks").await.fails(401, "token_revoked");
        alice.get("/api/v1/events").await.fails(401, "token_revoked");
        alice.delete("/api/v1/me").await.fails(401, "token_revoked");
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let mcp = alice.request(reqwest::Method::POST, "/mcp").header("accept", "application/json, text/event-stream");
        alice.send(mcp.json(&call)).await.fails(401, "token_revoked");
        // The stream is told, and ends.
        let end = stream.soon().await;
        assert_eq!(end.reason(), Some("token_revoked"), "{end:?}");
        assert_eq!(stream.next().await, None);

        // Others are not concerned, nor is a token that was issued since. One that does not say when may be older.
        bob.get(TASKS).await.has(200);
        let new = app.with_token(&app.sign(&claims(&json!({ "iat": at.timestamp() + 1 }))));
        assert_eq!(new.titles("").await, ["milk"]);
        let undated = app.with_token(&app.sign(&claims(&json!({ "iat": null }))));
        let refused = undated.get(TASKS).await.fails(401, "token_revoked");
        assert!(refused.body["detail"].as_str().unwrap().contains("it has no `iat`"), "{refused}");
        app.with_token(&app.sign(&claims(&json!({ "iat": null, "sub": "bob" })))).get(TASKS).await.has(200);

        // It can be taken back.
        assert!(operator.for_operator().accept_tokens_again("alice").await.unwrap());
        assert!(!operator.for_operator().accept_tokens_again("alice").await.unwrap());
        until(&alice, 200).await;
        until(&elsewhere, 200).await;
    }

    /// A new server knows of a revocation before it answers the first request.
    async fn a_revocation_outlives_the_servers(on: Backend) {
        let app = on.app().await;
        let token = app.token("alice");
        app.operator(Clock::System).await.for_operator().revoke_tokens("alice").await.unwrap();
        let later = app.another(|_| {}).await;
        later.with_token(&token).get(TASKS).await.fails(401, "token_revoked");
        later.user("bob").get(TASKS).await.has(200);
    }

    /// A token that is issued in the second of the revocation may be older than it.
    async fn each_revocation_is_of_all_that_was_issued_until_then(on: Backend) {
        let app = on.app().await;
        let now = Utc::now().timestamp();
        let issued = |at: i64| app.sign(&claims(&json!({ "iat": at })));
        let (old, middle, new) = (issued(now - 100), issued(now - 50), issued(now - 9));
        revoke_at(&app, "alice", now - 100).await;
        // A server that starts later knows it before its first answer.
        let later = app.another(|_| {}).await;
        later.with_token(&old).get(TASKS).await.fails(401, "token_revoked");
        later.with_token(&middle).get(TASKS).await.has(200);
        revoke_at(&app, "alice", now - 10).await;
        let later = app.another(|_| {}).await;
        later.with_token(&middle).get(TASKS).await.fails(401, "token_revoked");
        later.with_token(&new).get(TASKS).await.has(200);
    }

    async fn what_is_taken_back_is_that_of_one_user(on: Backend) {
        let app = on.app().await;
        let operator = app.operator(Clock::System).await;
        for user in ["alice", "bob"] {
            operator.for_operator().revoke_tokens(user).await.unwrap();
        }
        let (alice, bob) = app.two_users();
        until(&alice, 401).await;
        operator.for_operator().accept_tokens_again("alice").await.unwrap();
        until(&alice, 200).await;
        bob.get(TASKS).await.fails(401, "token_revoked");
    }

    /// Whoever only listens is told as well.
    async fn a_stream_of_a_server_that_nobody_else_uses_ends(on: Backend) {
        let app = on.app().await;
        let mut stream = app.user("alice").events(0).await;
        stream.soon().await;
        app.operator(Clock::System).await.for_operator().revoke_tokens("alice").await.unwrap();
        let end = stream.soon().await;
        assert_eq!(end.reason(), Some("token_revoked"), "{end:?}");
    }

    /// The list that the server read with the last request is older than five seconds then.
    async fn a_server_that_was_idle_reads_the_list_before_it_answers(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.get(TASKS).await.has(200);
        app.operator(Clock::System).await.for_operator().revoke_tokens("alice").await.unwrap();
        sleep(Duration::from_secs(6)).await;
        alice.get(TASKS).await.fails(401, "token_revoked");
    }
}
