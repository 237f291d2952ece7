//! Issuers that are away, publish something else, or have another time.

use std::fs;

use poem::{Response, Route, endpoint::make_sync};
use serde_json::{Value, json};
use taskward::server::{self, Limits};
use tokio::net::TcpListener;

use super::{Found, Home, free_port};
use crate::support::Issuer;

const JWKS: &str = "/api/auth/jwks";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_the_issuer_is_judged() {
    let issuer = Issuer::start().await;
    let home = Home::sqlite().set("BETTER_AUTH_URL", &issuer.base);
    let judge = |token: &str| {
        fs::write(home.path().join("token"), format!("Bearer {token}\n")).unwrap();
        let found = Found::by(&home, &["--token-file", "token"]);
        assert!(!found.report.to_string().contains(token));
        found
    };
    let claims = json!({ "iss": issuer.base, "aud": issuer.base });
    let found = judge(&issuer.token("alice", &claims));
    found.is_good();
    found.says("issuers.keys", "ok", "EdDSA \"k\"");
    found.says("issuers.tls", "ok", "on this machine");
    found.says(
        "issuers.token",
        "ok",
        "the user is alice, the scopes are tasks:read tasks:write",
    );
    let other = json!({ "iss": issuer.base, "aud": "https://elsewhere.example" });
    judge(&issuer.token("alice", &other)).says("issuers.token", "problem", "`aud` must contain");
    judge("opaque-session-token").says("issuers.token", "problem", "is not accepted");
    Found::by(&home, &[]).says("issuers.token", "skipped", "--token-file");
    // A pipe leaves no file behind.
    let through = format!(
        r#"printf 'Bearer %s' {} | "$@""#,
        issuer.token("alice", &claims)
    );
    let piped = home.clone_with("LOG_FORMAT", "json").through(&through);
    Found::by(&piped, &["--token-file", "-"]).says("issuers.token", "ok", "the user is alice");
    fs::write(home.path().join("token"), "\n").unwrap();
    let told = home.run(&["doctor", "--token-file", "token"]).bad();
    assert!(told.contains("must hold one token"), "{told}");
}

/// An issuer that answers with this, at this time.
async fn answering(body: Value, date: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let answer = make_sync(move |_| {
        let mut answer = Response::builder().content_type("application/json");
        if let Some(date) = date {
            answer = answer.header("date", date);
        }
        answer.body(body.to_string())
    });
    let routes = Route::new().at(JWKS, answer);
    tokio::spawn(server::serve(
        listener,
        routes,
        Limits::default(),
        std::future::pending(),
    ));
    base
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_without_usable_keys_is_a_problem() {
    let away = format!("http://127.0.0.1:{}", free_port().await);
    let encrypting = answering(
        json!({ "keys": [{ "kty": "OKP", "crv": "X25519", "x": "AA" }] }),
        None,
    )
    .await;
    let page = answering(json!("hello"), None).await;
    for (base, words) in [
        (&away, "the key set cannot be fetched"),
        (
            &encrypting,
            "no key can be used (its curve is neither Ed25519 nor P-256)",
        ),
        (&page, "it is not a JSON Web Key Set"),
        (&format!("{page}/prefix"), "the issuer answered 404"),
    ] {
        let home = Home::sqlite().set("BETTER_AUTH_URL", base);
        Found::by(&home, &[]).says("issuers.keys", "problem", words);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_of_another_time_is_a_problem() {
    let base = answering(json!({ "keys": [] }), Some("Sun, 06 Nov 1994 08:49:37 GMT")).await;
    let home = Home::sqlite().set("BETTER_AUTH_URL", base);
    Found::by(&home, &[]).says(
        "issuers.clock",
        "problem",
        "more than AUTH_LEEWAY_SECONDS (30)",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_was_made_up_is_a_warning() {
    let made_up = "a-secret-that-somebody-has-made-up-2026";
    let home = Home::sqlite().set("AUTH_HS256_SECRET", made_up);
    let found = Found::by(&home, &[]);
    found.says("issuers.secret", "warning", "openssl rand -base64 32");
    assert!(!found.report.to_string().contains(made_up));
    let home = home.set(
        "AUTH_HS256_SECRET",
        "q2mZ0v8pQG1dYx7sT4kW9bN6rJ3hL5cF8uA1eO0iXy=",
    );
    Found::by(&home, &[]).says("issuers.secret", "ok", "look random");
}
