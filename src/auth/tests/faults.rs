//! Every code, and the words that go with it.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::{
    Issuer, NOW, SECRET, Server, Signer, by_secret, claims, claims_with, code, told as told_by,
};
use crate::auth::bearer::bearer;

#[tokio::test]
async fn each_mistake_is_named() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    let absent = Issuer::down().await;
    let waiting = Server::trusting(vec![absent.trusted()]);
    let good = key.sign(claims("alice"));
    assert_eq!(server.says(&good).await, "alice");

    let mut told = BTreeSet::new();
    let mut tell = |complaint: String, expected: &str| {
        assert_eq!(complaint, expected);
        told.insert(complaint.split_once(':').unwrap().0.to_owned());
    };
    let by_header = |header: &[u8]| told_by(&bearer(Some(header)).unwrap_err());
    tell(
        told_by(&bearer(None).unwrap_err()),
        "token_missing: Send the header `Authorization: Bearer <token>`.",
    );
    tell(
        by_header(b"Basic abc"),
        "authorization_malformed: The Authorization header must be `Bearer <token>`: its scheme is not `Bearer`.",
    );
    for (token, expected) in [
        (
            "a".repeat(8193),
            "token_too_large: The token has 8193 bytes, and at most 8192 are accepted. Usually a picture is in it: with Better Auth, leave the user's `image` out by `jwt({ jwt: { definePayload } })`, then sign in again.",
        ),
        (
            "a.b".to_owned(),
            "token_malformed: This is not a JWT (RFC 7519): it must have three parts separated by dots.",
        ),
        (
            "undefined".to_owned(),
            "token_malformed: This is not a JWT (RFC 7519): it is a JavaScript value and no token, so the front end had none yet.",
        ),
        (
            "Uv9f3Kq0ZbT1xWcN4hJmL7pRsYd2aEgi".to_owned(),
            "session_token_not_jwt: This is a Better Auth session token; call authClient.token() (or GET /api/auth/token) and send that JWT.",
        ),
        (
            "eyJzZXNzaW9uIjp7fX0".to_owned(),
            "session_cache_not_jwt: This is Better Auth's session cookie cache, which is not an access token; call authClient.token() (or GET /api/auth/token) and send that JWT.",
        ),
        (
            key.sign_as(
                json!({"alg": "EdDSA", "kid": "k", "crit": ["exp"]}),
                claims("alice"),
            ),
            "header_not_allowed: The token's header is not accepted: `crit` asks for an extension.",
        ),
        (
            Signer::shared(SECRET.as_bytes()).sign(claims("alice")),
            "algorithm_not_allowed: The token's algorithm is not allowed: no key of this server is for it.",
        ),
        (
            Signer::ed("k", 9).sign(claims_with("iss", json!("http://x"))),
            "unknown_issuer: This server does not trust the token's `iss`; compare it with BETTER_AUTH_URL or AUTH_ISSUER.",
        ),
        (
            key.sign(claims_with("iss", json!("http://127.0.0.1:3000"))),
            "wrong_issuer: The signature is good, but `iss` is \"http://127.0.0.1:3000\" and must be `http://issuer.test` (BETTER_AUTH_URL).",
        ),
        (
            Signer::ed("other", 9).sign(claims("alice")),
            "unknown_key: The issuer publishes no key with the token's `kid`; sign in again to get a new token.",
        ),
        (
            Signer::ed("k", 9).sign(claims("alice")),
            "bad_signature: The token was not signed with the issuer's key, or it was changed.",
        ),
        (
            key.sign(claims_with("sub", json!(""))),
            "claims_invalid: A claim of the token is not accepted: `sub` is empty.",
        ),
        (
            key.sign(claims_with("exp", json!(NOW - 37))),
            "token_expired: The token expired 37 s ago.",
        ),
        (
            key.sign(claims_with("nbf", json!(NOW + 3700))),
            "token_not_yet_valid: The token becomes valid in 1 h 1 min (`nbf`); compare the clocks of this server and the issuer.",
        ),
        (
            key.sign(claims_with("aud", json!("http://x"))),
            "wrong_audience: The token is for another service: `aud` must contain `http://issuer.test`.",
        ),
    ] {
        tell(server.complaint(&token).await, expected);
    }
    tell(
        waiting.complaint(&good).await,
        "keys_unavailable: The issuer's keys cannot be fetched now, so the token cannot be judged; it may be good. Retry in 1 s.",
    );
    assert_eq!(told.len(), 17, "every code is told here");
}

#[tokio::test]
async fn a_header_that_asks_for_more_is_refused() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    for (header, says) in [
        (r#"{"alg":"EdDSA","kid":"k"}"#, "alice"),
        (r#"{"alg":"Ed25519","kid":"k"}"#, "alice"),
        (r#"{"alg":"EdDSA","kid":"k","typ":"jwt"}"#, "alice"),
        (r#"{"alg":"EdDSA","kid":"k","typ":"at+JWT"}"#, "alice"),
        (
            r#"{"alg":"EdDSA","kid":"k","typ":"application/at+jwt"}"#,
            "alice",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","jku":"http://evil.test","x5c":[]}"#,
            "alice",
        ),
        (r#"{"alg":"EdDSA","kid":null}"#, "alice"),
        (
            r#"{"alg":"EdDSA","kid":"k","typ":"dpop+jwt"}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","typ":"JWE"}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","typ":""}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","crit":[]}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","crit":null}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","b64":false}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","b64":true}"#,
            "header_not_allowed",
        ),
        (
            r#"{"alg":"EdDSA","alg":"EdDSA","kid":"k"}"#,
            "token_malformed",
        ),
        (r#"{"alg":["EdDSA"],"kid":"k"}"#, "token_malformed"),
        (r#"{"alg":"EdDSA","kid":7}"#, "token_malformed"),
        (r#"{"kid":"k"}"#, "token_malformed"),
        (r#"["EdDSA","k",null]"#, "token_malformed"),
        ("", "token_malformed"),
    ] {
        let token = key.sign_text(header, claims("alice").to_string().as_bytes());
        assert_eq!(server.says(&token).await, says, "{header}");
    }
}

#[tokio::test]
async fn what_people_send_instead_of_a_jwt() {
    let server = Server::trusting(vec![by_secret()]);
    let opaque = "Uv9f3Kq0ZbT1xWcN4hJmL7pRsYd2aEgi";
    let good = Signer::shared(SECRET.as_bytes()).sign(claims("alice"));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for (token, says) in [
        (opaque.to_owned(), "session_token_not_jwt"),
        (
            format!("{opaque}.HMACsignatureInBase64+/="),
            "session_token_not_jwt",
        ),
        (
            format!("{opaque}.HMAC%2Bsignature%3D"),
            "session_token_not_jwt",
        ),
        (format!("{opaque}x"), "token_malformed"),
        ("null".to_owned(), "token_malformed"),
        (String::new(), "token_malformed"),
        ("...".to_owned(), "token_malformed"),
        ("..".to_owned(), "token_malformed"),
        (format!("{good}.{signature}"), "token_malformed"),
        ("a.b.c.d.e".to_owned(), "token_malformed"),
        (format!("{signed}."), "token_malformed"),
        (format!("{good}="), "token_malformed"),
        (format!("{signed}.{signature}A"), "bad_signature"),
        (format!(" {good}"), "token_malformed"),
        (good, "alice"),
    ] {
        assert_eq!(server.says(&token).await, says, "{token}");
    }
}

#[test]
fn authorization_headers() {
    for fine in [
        "Bearer a.b.c",
        "bearer a.b.c",
        "BEARER  a.b.c ",
        "Bearer\ta.b.c",
    ] {
        assert_eq!(bearer(Some(fine.as_bytes())).unwrap(), "a.b.c");
    }
    for (header, expected) in [
        (&b""[..], "token_missing"),
        (b"  ", "token_missing"),
        (b"Bearer", "authorization_malformed"),
        (b"Bearer   ", "authorization_malformed"),
        (b"Bearera.b.c", "authorization_malformed"),
        (b"Token a.b.c", "authorization_malformed"),
        (b"eyJhbGciOiJub25lIn0.e30.", "authorization_malformed"),
        (b"Bearer a.b.c d.e.f", "authorization_malformed"),
        (b"Bearer a.b.c, Bearer d.e.f", "authorization_malformed"),
        (b"Bearer a.b.c,d.e.f", "authorization_malformed"),
        (b"Bearer \"a.b.c\"", "authorization_malformed"),
        (b"Bearer <a.b.c>", "authorization_malformed"),
        (b"Bearer \xff\xfe", "authorization_malformed"),
        ("Bearer tök.en.x".as_bytes(), "authorization_malformed"),
        (b"Bearer a\0b", "authorization_malformed"),
    ] {
        assert_eq!(
            code(&bearer(Some(header)).unwrap_err()),
            expected,
            "{}",
            header.escape_ascii()
        );
    }
}
