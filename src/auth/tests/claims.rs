//! What a token with a good signature may say, and what not (all of jsonwebtoken's leniencies).

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{
    ISSUER, Issuer, NOW, SECRET, Server, Signer, by_secret, claims, claims_with, code, settings,
};
use crate::auth::{AuthSettings, UserId};

async fn server() -> (Issuer, Signer, Server) {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    // A wrong issuer is told apart from an unknown one only when the keys are there.
    assert_eq!(server.says(&key.sign(claims("warm-up"))).await, "warm-up");
    (issuer, key, server)
}

#[tokio::test]
async fn alice_is_who_the_token_says() {
    let (_issuer, key, server) = server().await;
    let alice = server.verify(&key.sign(claims("alice"))).await.unwrap();
    assert_eq!(alice.user_id, UserId::for_tests("alice"));
    assert_eq!(alice.issuer.as_deref(), Some(ISSUER));
    assert_eq!(alice.expires_at.timestamp(), NOW + 900);
    assert_eq!(alice.scopes.names(), ["tasks:read", "tasks:write"]);
    assert_eq!(&*alice.rule, "BETTER_AUTH_URL");
}

#[tokio::test]
async fn claims_that_are_fine() {
    let (_issuer, key, server) = server().await;
    for (name, value) in [
        ("aud", json!(["https://elsewhere.test", ISSUER])),
        (
            "exp",
            json!(format!("{}.5", NOW + 60).parse::<f64>().unwrap()),
        ),
        ("exp", json!(1.8e9)),
        ("exp", json!(253_402_300_799_i64)),
        ("exp", json!(NOW - 29)),
        ("nbf", json!(NOW + 29)),
        ("nbf", json!(0)),
        // Nobody asks for it here.
        ("iat", json!(NOW * 1000)),
        ("iat", json!("yesterday")),
        ("sub", json!("ä".repeat(255))),
        ("sub", json!("../../etc")),
        ("session", json!("a word")),
        ("session", json!({"count": 3})),
    ] {
        let token = key.sign(claims_with(name, value.clone()));
        assert!(server.verify(&token).await.is_ok(), "{name} {value}");
    }
}

#[tokio::test]
async fn claims_that_are_not() {
    let (_issuer, key, server) = server().await;
    for (name, value, code) in [
        ("exp", Value::Null, "claims_invalid"),
        ("exp", json!("1800000000"), "claims_invalid"),
        ("exp", json!(true), "claims_invalid"),
        ("exp", json!(1e18), "claims_invalid"),
        (
            "exp",
            json!(1_000_000_000_000_000_000_u64),
            "claims_invalid",
        ),
        ("exp", json!(u64::MAX), "claims_invalid"),
        ("exp", json!(f64::MAX), "claims_invalid"),
        ("exp", json!((NOW + 60) * 1000), "claims_invalid"),
        ("exp", json!(-1), "claims_invalid"),
        ("exp", json!(0), "token_expired"),
        ("exp", json!(NOW - 30), "token_expired"),
        ("nbf", json!(NOW + 31), "token_not_yet_valid"),
        ("nbf", json!(9_999_999_999_i64), "token_not_yet_valid"),
        ("nbf", json!("soon"), "claims_invalid"),
        ("sub", Value::Null, "claims_invalid"),
        ("sub", json!(""), "claims_invalid"),
        ("sub", json!("  "), "claims_invalid"),
        ("sub", json!(7), "claims_invalid"),
        ("sub", json!(["alice"]), "claims_invalid"),
        ("sub", json!("al\nice"), "claims_invalid"),
        ("sub", json!("al\u{0}ice"), "claims_invalid"),
        ("sub", json!("a".repeat(256)), "claims_invalid"),
        ("iss", Value::Null, "wrong_issuer"),
        ("iss", json!(""), "wrong_issuer"),
        ("iss", json!("http://issuer.test/"), "wrong_issuer"),
        ("iss", json!([ISSUER]), "claims_invalid"),
        ("iss", json!({"a": ISSUER}), "claims_invalid"),
        ("aud", Value::Null, "wrong_audience"),
        ("aud", json!(""), "wrong_audience"),
        ("aud", json!([]), "wrong_audience"),
        ("aud", json!("http://elsewhere.test"), "wrong_audience"),
        ("aud", json!({"a": ISSUER}), "claims_invalid"),
        ("aud", json!([ISSUER, 7]), "claims_invalid"),
        ("scope", json!(7), "claims_invalid"),
    ] {
        let token = key.sign(claims_with(name, value.clone()));
        assert_eq!(server.says(&token).await, code, "{name} {value}");
    }
    for payload in [
        r#"{"sub":"alice","exp":1800000000,"scope":null}"#,
        r#"{"sub":null,"exp":1800000000}"#,
        r#"{"sub":"alice","exp":null}"#,
    ] {
        let server = Server::trusting(vec![by_secret()]);
        let token =
            Signer::shared(SECRET.as_bytes()).sign_text(r#"{"alg":"HS256"}"#, payload.as_bytes());
        assert_eq!(server.says(&token).await, "claims_invalid", "{payload}");
    }
}

#[tokio::test]
async fn a_payload_that_is_no_object_of_distinct_claims() {
    let (_issuer, key, server) = server().await;
    for payload in [
        "",
        "null",
        "[]",
        r#"["alice",1800000000]"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":NaN}"#,
        r#"{"sub":"alice","sub":"bob"}"#,
        "{",
        "{} {}",
        "\u{feff}{}",
    ] {
        let token = key.sign_text(r#"{"alg":"EdDSA","kid":"k"}"#, payload.as_bytes());
        assert_eq!(server.says(&token).await, "token_malformed", "{payload}");
    }
    let deep = "[".repeat(3000) + &"]".repeat(3000);
    let token = key.sign_text(
        r#"{"alg":"EdDSA","kid":"k"}"#,
        format!(r#"{{"sub":{deep}}}"#).as_bytes(),
    );
    assert_eq!(server.says(&token).await, "token_malformed");
}

#[tokio::test]
async fn scopes_limit_what_a_token_may_do() {
    let (_issuer, key, server) = server().await;
    for (scope, names) in [
        ("tasks:read tasks:write", vec!["tasks:read", "tasks:write"]),
        ("openid  tasks:read", vec!["tasks:read"]),
        ("tasks:write", vec!["tasks:write"]),
        ("tasks:readonly tasks", vec![]),
        ("", vec![]),
    ] {
        let token = key.sign(claims_with("scope", json!(scope)));
        assert_eq!(
            server.verify(&token).await.unwrap().scopes.names(),
            names,
            "{scope:?}"
        );
    }
}

/// The names of the scopes, or the code of the fault.
async fn allowed(server: &Server, token: &str) -> String {
    match server.verify(token).await {
        Ok(identity) => identity.scopes.names().join(" "),
        Err(fault) => code(&fault).to_owned(),
    }
}

#[tokio::test]
async fn okta_and_entra_call_the_scopes_scp() {
    let (_issuer, key, server) = server().await;
    for (members, expected) in [
        (json!({ "scp": ["tasks:read"] }), "tasks:read"),
        (
            json!({ "scp": "tasks:read tasks:write" }),
            "tasks:read tasks:write",
        ),
        (json!({ "scp": ["openid", "tasks:write"] }), "tasks:write"),
        (
            json!({ "scope": ["tasks:read", "openid tasks:write"] }),
            "tasks:read tasks:write",
        ),
        // A claim that names neither allows nothing.
        (json!({ "scp": ["User.Read"] }), ""),
        (json!({ "scp": [] }), ""),
        (json!({ "scp": "" }), ""),
        // If both are there, both must allow it.
        (
            json!({ "scope": "tasks:read tasks:write", "scp": ["tasks:read"] }),
            "tasks:read",
        ),
        (json!({ "scope": "openid", "scp": ["tasks:read"] }), ""),
        (json!({ "scp": 7 }), "claims_invalid"),
        (json!({ "scp": null }), "claims_invalid"),
        (json!({ "scp": ["tasks:read", 7] }), "claims_invalid"),
        (json!({ "scp": { "tasks:read": true } }), "claims_invalid"),
        (json!({}), "tasks:read tasks:write"),
    ] {
        let mut all = claims("alice");
        all.as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        assert_eq!(
            allowed(&server, &key.sign(all)).await,
            expected,
            "{members}"
        );
    }
}

#[tokio::test]
async fn a_server_can_insist_on_scopes() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::with(AuthSettings {
        require_scope: true,
        ..settings(vec![issuer.trusted()])
    });
    let complaint = server.complaint(&key.sign(claims("alice"))).await;
    assert_eq!(
        complaint,
        "claims_invalid: A claim of the token is not accepted: `scope` is missing, and this server accepts only tokens that \
         say what they allow."
    );
    let token = key.sign(claims_with("scp", json!(["tasks:read"])));
    assert_eq!(allowed(&server, &token).await, "tasks:read");
}

#[tokio::test]
async fn a_server_can_limit_the_age_of_tokens() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::with(AuthSettings {
        max_token_age: Some(Duration::from_secs(300)),
        ..settings(vec![issuer.trusted()])
    });
    let token = key.sign(claims("alice"));
    let identity = server.verify(&token).await.unwrap();
    assert_eq!(identity.expires_at.timestamp(), NOW + 300);
    // Known or not, with the leeway of 30 s.
    let unknown = key.sign(claims("bob"));
    server.wait_seconds(329);
    assert_eq!(server.says(&token).await, "alice");
    server.wait_seconds(1);
    assert_eq!(server.says(&token).await, "token_expired");
    assert_eq!(
        server.complaint(&unknown).await,
        "token_expired: The token was issued 5 min 30 s ago, and this server accepts tokens for a shorter time \
         (AUTH_MAX_TOKEN_AGE_SECONDS); get a new one."
    );
    for iat in [json!(NOW + 500), json!(null), json!("now"), json!(-1)] {
        let token = key.sign(claims_with("iat", iat.clone()));
        assert_eq!(server.says(&token).await, "claims_invalid", "{iat}");
    }
    // A token that expires earlier does so.
    let mut short = claims("alice");
    short["iat"] = json!(NOW + 330);
    short["exp"] = json!(NOW + 340);
    let identity = server.verify(&key.sign(short)).await.unwrap();
    assert_eq!(identity.expires_at.timestamp(), NOW + 340);
}

#[tokio::test]
async fn better_auths_cookie_cache_is_no_access_token() {
    let session = json!({"id": "s", "token": "t".repeat(32), "userId": "alice"});
    let mut cached = claims("alice");
    cached["session"] = session.clone();
    cached["user"] = json!({"id": "alice", "email": "a@b.c"});

    // Signed with the secret that a front end may share with us.
    let server_by_secret = Server::trusting(vec![by_secret()]);
    let token = Signer::shared(SECRET.as_bytes()).sign(cached.clone());
    assert_eq!(server_by_secret.says(&token).await, "session_cache_not_jwt");
    // As Better Auth 1.7 writes it without its jwt plugin: no `sub` either.
    let bare = json!({"session": session, "user": {"id": "alice"}, "updatedAt": 1, "version": "1", "exp": NOW + 300});
    let token = Signer::shared(SECRET.as_bytes()).sign(bare);
    assert_eq!(server_by_secret.says(&token).await, "session_cache_not_jwt");

    // Signed with the keys of the key set, by `jwt({sessionCookieCache: true})`.
    let (_issuer, key, server) = server().await;
    assert_eq!(
        server.says(&key.sign(cached.clone())).await,
        "session_cache_not_jwt"
    );
    let header = json!({"alg": "EdDSA", "kid": "k", "typ": "better-auth.session-cache+jwt"});
    assert_eq!(
        server.says(&key.sign_as(header, claims("alice"))).await,
        "session_cache_not_jwt"
    );
    // Strategy "compact": base64 of {"session":…
    assert_eq!(
        server.says("eyJzZXNzaW9uIjp7InNlc3Npb24iOnt9fX0").await,
        "session_cache_not_jwt"
    );
}

#[tokio::test]
async fn nobody_learns_from_claims_without_a_good_signature() {
    let (_issuer, _, server) = server().await;
    let thief = Signer::ed("k", 66);
    for name in ["exp", "sub", "aud", "nbf", "scope"] {
        let token = thief.sign(claims_with(name, json!([1])));
        assert_eq!(server.says(&token).await, "bad_signature", "{name}");
    }
    let elsewhere = thief.sign(claims_with("iss", json!("http://127.0.0.1:3000")));
    assert_eq!(server.says(&elsewhere).await, "unknown_issuer");
}
