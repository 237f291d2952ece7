//! Tokens: which are accepted, and what they allow.

mod revoked;
mod scopes;

use chrono::Utc;
use expect_test::expect;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, TestApp, on_both};

const TASKS: &str = "/api/v1/tasks";

/// Asks with these `Authorization` headers.
async fn ask(app: &TestApp, headers: &[&[u8]]) -> Answer {
    let anon = app.anon();
    let mut request = anon.request(Method::GET, TASKS);
    for header in headers {
        request = request.header(header::AUTHORIZATION, *header);
    }
    anon.send(request).await
}

/// The claims of a good token of alice's, with some of them changed; null takes one out.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "taskward-development",
        "aud": "taskward-development",
        "sub": "alice",
        "exp": Utc::now().timestamp() + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

on_both! {
    async fn a_request_without_a_token_is_401(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        anon.get(TASKS).await.is(expect![[r#"
            401 Unauthorized
            www-authenticate: Bearer realm="taskward"

            {
              "type": "urn:taskward:problem:token_missing",
              "title": "Token missing",
              "status": 401,
              "detail": "Send the header `Authorization: Bearer <token>`.",
              "code": "token_missing",
              "request_id": "[id]"
            }"#]]);
        let task = "/api/v1/tasks/1";
        anon.post(TASKS, json!({ "title": "Buy milk" })).await.fails(401, "token_missing");
        anon.get(task).await.fails(401, "token_missing");
        anon.patch(task, json!({ "completed": true })).await.fails(401, "token_missing");
        anon.delete(task).await.fails(401, "token_missing");
        anon.post_nothing("/api/v1/tasks/1/restore").await.fails(401, "token_missing");
        anon.get("/api/v1/me").await.fails(401, "token_missing");
        // A token in the address does not count, because addresses end up in logs.
        let token = app.token("alice");
        anon.get(&format!("{TASKS}?access_token={token}")).await.fails(401, "token_missing");
    }

    async fn the_token_is_checked_before_anything_else(on: Backend) {
        let app = on.app().await;
        for user in [app.anon(), app.with_token("nonsense")] {
            user.post(TASKS, json!({ "title": 7 })).await.has(401);
            user.post_raw(TASKS, "{").await.has(401);
            user.post_raw(TASKS, vec![0xff; 100]).await.has(401);
            user.post_raw(TASKS, vec![b' '; 2 * 1024 * 1024]).await.has(401);
            user.send(user.request(Method::POST, TASKS).body("x")).await.has(401);
            user.post_with_key("", json!({})).await.has(401);
            user.get("/api/v1/tasks?limit=0&colour=red").await.has(401);
            user.get("/api/v1/tasks/zero").await.has(401);
            user.patch_if_match("/api/v1/tasks/zero", "?", json!([])).await.has(401);
        }
        // The same with the wrong scope.
        let reader = app.user_with_scope("alice", "tasks:read");
        reader.post_raw(TASKS, "{").await.fails(403, "insufficient_scope");
        reader.delete("/api/v1/tasks/zero").await.fails(403, "insufficient_scope");
    }

    async fn the_header_has_one_form(on: Backend) {
        let app = on.app().await;
        let token = app.token("alice");
        for good in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER   {token} ")] {
            ask(&app, &[good.as_bytes()]).await.has(200);
        }
        let bad = [
            "".to_owned(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            "Basic YWxpY2U6c2VjcmV0".to_owned(),
            "Token abc".to_owned(),
            "eyJhbGciOiJFZERTQSJ9.e30.c2ln".to_owned(),
            "Bearer abc def".to_owned(),
            "Bearer abc, Bearer def".to_owned(),
            "Bearer \"abc\"".to_owned(),
            "Bearer <token>".to_owned(),
            "Bearer schlüssel".to_owned(),
            "Bearer null".to_owned(),
            "Bearer undefined".to_owned(),
            "Bearer abc.def".to_owned(),
            "Bearer k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1".to_owned(),
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.".to_owned(),
            format!("Bearer {}", "a".repeat(8193)),
        ];
        let mut told = Vec::new();
        for header in bad {
            let answer = ask(&app, &[header.as_bytes()]).await.has(401);
            let shown: String = header.chars().take(50).collect();
            told.push(format!("{shown:?}\n    {}: {}", answer.code(), answer.body["detail"].as_str().unwrap()));
            assert!(!answer.text.contains(&"a".repeat(100)), "{answer}");
        }
        expect![[r#"
            ""
                token_missing: Send the header `Authorization: Bearer <token>`.
            "Bearer"
                authorization_malformed: The Authorization header must be `Bearer <token>`: there is no token after `Bearer`.
            "Bearer "
                authorization_malformed: The Authorization header must be `Bearer <token>`: there is no token after `Bearer`.
            "Basic YWxpY2U6c2VjcmV0"
                authorization_malformed: The Authorization header must be `Bearer <token>`: its scheme is not `Bearer`.
            "Token abc"
                authorization_malformed: The Authorization header must be `Bearer <token>`: its scheme is not `Bearer`.
            "eyJhbGciOiJFZERTQSJ9.e30.c2ln"
                authorization_malformed: The Authorization header must be `Bearer <token>`: the word `Bearer` before the token is missing.
            "Bearer abc def"
                authorization_malformed: The Authorization header must be `Bearer <token>`: there is more than one word after `Bearer`.
            "Bearer abc, Bearer def"
                authorization_malformed: The Authorization header must be `Bearer <token>`: there is more than one word after `Bearer`.
            "Bearer \"abc\""
                authorization_malformed: The Authorization header must be `Bearer <token>`: the token is in quotes or brackets, or has characters that no token has.
            "Bearer <token>"
                authorization_malformed: The Authorization header must be `Bearer <token>`: the token is in quotes or brackets, or has characters that no token has.
            "Bearer schlüssel"
                authorization_malformed: The Authorization header must be `Bearer <token>`: it has characters outside ASCII.
            "Bearer null"
                token_malformed: This is not a JWT (RFC 7519): it is a JavaScript value and no token, so the front end had none yet.
            "Bearer undefined"
                token_malformed: This is not a JWT (RFC 7519): it is a JavaScript value and no token, so the front end had none yet.
            "Bearer abc.def"
                token_malformed: This is not a JWT (RFC 7519): it must have three parts separated by dots.
            "Bearer k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1"
                session_token_not_jwt: This is a Better Auth session token; call authClient.token() (or GET /api/auth/token) and send that JWT.
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
                algorithm_not_allowed: The token's algorithm is not allowed: a token must be signed.
            "Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                token_too_large: The token has 8193 bytes, and at most 8192 are accepted. Usually a picture is in it: with Better Auth, leave the user's `image` out by `jwt({ jwt: { definePayload } })`, then sign in again."#]].assert_eq(&told.join("\n"));
        let one = format!("Bearer {token}");
        let twice = ask(&app, &[one.as_bytes(), one.as_bytes()]).await;
        twice.is(expect![[r#"
            401 Unauthorized
            www-authenticate: Bearer realm="taskward", error="invalid_token", error_description="The Authorization header must be `Bearer <token>`: the request has more than one; send one."

            {
              "type": "urn:taskward:problem:authorization_malformed",
              "title": "Authorization header malformed",
              "status": 401,
              "detail": "The Authorization header must be `Bearer <token>`: the request has more than one; send one.",
              "code": "authorization_malformed",
              "request_id": "[id]"
            }"#]]);
        ask(&app, &[b"Bearer \xff\xfe"]).await.fails(401, "authorization_malformed");
    }

    async fn the_fault_of_a_token_is_named(on: Backend) {
        let app = on.app().await;
        app.with_token(&app.sign(&claims(&json!({})))).get(TASKS).await.has(200);
        let now = Utc::now().timestamp();
        let wrong = [
            json!({ "exp": now - 3600 }),
            json!({ "exp": null }),
            json!({ "exp": "tomorrow" }),
            json!({ "nbf": now + 7200 }),
            json!({ "sub": null }),
            json!({ "sub": "" }),
            json!({ "sub": 7 }),
            json!({ "sub": "a".repeat(256) }),
            json!({ "sub": "a\u{0}b" }),
            json!({ "aud": null }),
            json!({ "aud": "somebody-else" }),
            json!({ "iss": "https://evil.example" }),
            json!({ "iss": null }),
            json!({ "scope": ["tasks:read", 7] }),
        ];
        let mut told = Vec::new();
        for changes in wrong {
            let token = app.sign(&claims(&changes));
            let answer = app.with_token(&token).get(TASKS).await.has(401);
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            let name = changes.as_object().unwrap().keys().next().unwrap().clone();
            told.push(format!("{name}: {}: {}", answer.code(), answer.body["detail"].as_str().unwrap()));
        }
        expect![[r#"
            exp: token_expired: The token expired 1 h 0 min ago.
            exp: claims_invalid: A claim of the token is not accepted: `exp` is missing.
            exp: claims_invalid: A claim of the token is not accepted: `exp` must be a number of seconds since 1970.
            nbf: token_not_yet_valid: The token becomes valid in 1 h 59 min (`nbf`); compare the clocks of this server and the issuer.
            sub: claims_invalid: A claim of the token is not accepted: `sub` is missing.
            sub: claims_invalid: A claim of the token is not accepted: `sub` is empty.
            sub: claims_invalid: A claim of the token is not accepted: `sub` must be a string.
            sub: claims_invalid: A claim of the token is not accepted: `sub` is longer than 255 characters.
            sub: claims_invalid: A claim of the token is not accepted: `sub` has control characters.
            aud: wrong_audience: The token is for another service: `aud` must contain `taskward-development`.
            aud: wrong_audience: The token is for another service: `aud` must contain `taskward-development`.
            iss: wrong_issuer: The signature is good, but `iss` is "https://evil.example" and must be `taskward-development` (development).
            iss: wrong_issuer: The signature is good, but `iss` is missing and must be `taskward-development`.
            scope: claims_invalid: A claim of the token is not accepted: `scope` must be a string or an array of strings."#]].assert_eq(&told.join("\n"));
        // A token that expired a moment ago is accepted, because clocks differ.
        let late = app.sign(&claims(&json!({ "exp": Utc::now().timestamp() - 1 })));
        app.with_token(&late).get(TASKS).await.has(200);
    }

    async fn only_tokens_signed_by_the_issuer_count(on: Backend) {
        let app = on.app().await;
        let (alice, mallory) = (app.token("alice"), app.token("mallory"));
        let part = |token: &str, n: usize| token.split('.').nth(n).unwrap().to_owned();
        let mixed = format!("{}.{}.{}", part(&alice, 0), part(&alice, 1), part(&mallory, 2));
        app.with_token(&mixed).get(TASKS).await.fails(401, "bad_signature");
        let cut = &alice[..alice.len() - 2];
        app.with_token(cut).get(TASKS).await.has(401);
        let unsigned = format!("{}.{}.", part(&alice, 0), part(&alice, 1));
        app.with_token(&unsigned).get(TASKS).await.has(401);
        // A server of the same kind, with a key of its own.
        let other = on.app().await;
        let theirs = app.with_token(&other.token("alice"));
        theirs.get(TASKS).await.is(expect![[r#"
            401 Unauthorized
            www-authenticate: Bearer realm="taskward", error="invalid_token", error_description="The token was signed with another development key than that of this server. Make one with `taskward token NAME`, as the user who runs the server and with the same DEVELOPMENT_KEY_FILE."

            {
              "type": "urn:taskward:problem:unknown_key",
              "title": "Unknown key",
              "status": 401,
              "detail": "The token was signed with another development key than that of this server. Make one with `taskward token NAME`, as the user who runs the server and with the same DEVELOPMENT_KEY_FILE.",
              "code": "unknown_key",
              "request_id": "[id]"
            }"#]]);
        // After all that, the valid token still works.
        app.with_token(&alice).get(TASKS).await.has(200);
    }

    async fn the_sub_of_a_token_must_be_a_text(on: Backend) {
        let app = on.app().await;
        let longest = "💡".repeat(200);
        let names = ["alice", "Alice", "alice ", "a/b", "../alice", "1", "01", "İ", "i\u{307}", "é", "e\u{301}", "%", "' OR 1=1", &longest];
        let name = "💡".repeat(255);
        assert_eq!(app.user(&name).create("Buy milk").await.task["user_id"], name);
        for name in names {
            let task = app.user(name).create(name).await;
            assert_eq!((task.id, &task.task["user_id"]), (1, &json!(name)));
        }
        for name in names {
            assert_eq!(app.user(name).get("/api/v1/me").await.body["user_id"], name);
            let items = app.user(name).get(TASKS).await;
            assert_eq!(items.items().len(), 1, "{name}");
            assert_eq!(items.items()[0]["title"].as_str(), Some(name));
        }
    }
}
