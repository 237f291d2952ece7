//! What issuers publish: bad entries spoil nothing, and bad rules do not start.

use crate::clock::Clock;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::support::{Issuer, SECRET, Server, Signer, by_secret, claims, settings};
use crate::auth::{AuthSettings, KeySource, Secret, TrustedIssuer, Verifier, jwk};

/// How many keys are taken of a set with this one entry beside a good one.
fn taken(entry: Value) -> usize {
    crate::auth::key::install_crypto();
    let set = json!({"keys": [entry, Signer::ec("good").jwk]});
    jwk::read_set(set.to_string().as_bytes()).unwrap().len() - 1
}

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

#[test]
fn a_bad_entry_is_left_out_and_spoils_nothing() {
    let (ed, ec, rsa) = (
        Signer::ed("k", 1).jwk,
        Signer::ec("k").jwk,
        Signer::rsa("k", "RS256").jwk,
    );
    let b64 = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(
        (taken(ed.clone()), taken(ec.clone()), taken(rsa.clone())),
        (1, 1, 1)
    );
    let mut small_order_8 = [0u8; 32];
    small_order_8.copy_from_slice(&[
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ]);
    let mut identity = [0u8; 32];
    identity[0] = 1;
    for bad in [
        // A short one panics in jsonwebtoken, a long one is cut.
        with(ed.clone(), "x", b64(&[7; 31])),
        with(ed.clone(), "x", b64(&[7; 33])),
        with(ed.clone(), "x", json!("")),
        with(ed.clone(), "x", json!("not base64!")),
        with(ed.clone(), "x", b64(&[0; 32])),
        with(ed.clone(), "x", b64(&identity)),
        with(ed.clone(), "x", b64(&small_order_8)),
        with(ed.clone(), "crv", json!("X25519")),
        with(ed.clone(), "crv", Value::Null),
        with(ed.clone(), "use", json!("enc")),
        with(ed.clone(), "key_ops", json!(["sign", "deriveKey"])),
        with(ed.clone(), "alg", json!("ES256")),
        with(ed.clone(), "alg", json!("HS256")),
        with(ed.clone(), "alg", json!("none")),
        with(ed.clone(), "d", b64(&[1; 32])),
        with(ed.clone(), "kid", json!(7)),
        with(ed, "kty", json!("oct")),
        with(ec.clone(), "x", b64(&[7; 32])),
        with(ec.clone(), "y", b64(&[7; 33])),
        with(ec.clone(), "crv", json!("P-384")),
        with(ec.clone(), "crv", json!("secp256k1")),
        with(ec, "alg", json!("ES384")),
        with(rsa.clone(), "alg", json!("RS512")),
        with(rsa.clone(), "alg", json!("RSA-OAEP-256")),
        with(rsa.clone(), "e", json!("AQ")),
        with(rsa.clone(), "e", b64(&[1, 0, 0])),
        with(rsa.clone(), "n", json!("")),
        with(rsa.clone(), "n", b64(&[0xff; 513])),
        with(
            rsa.clone(),
            "n",
            b64(&[&[0; 128][..], &[0xff; 128]].concat()),
        ),
        serde_json::from_str(include_str!("keys/rsa-1024.jwk.json")).unwrap(),
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "k"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "k"}),
        json!({}),
        json!("text"),
        Value::Null,
    ] {
        assert_eq!(taken(bad.clone()), 0, "{bad}");
    }
    // A modulus with the sign byte that some issuers write.
    let n = URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap();
    assert_eq!(taken(with(rsa, "n", b64(&[&[0][..], &n].concat()))), 1);
}

#[test]
fn a_long_set_is_cut() {
    crate::auth::key::install_crypto();
    let keys: Vec<_> = (0..200u8)
        .map(|seed| Signer::ed(&seed.to_string(), seed).jwk)
        .collect();
    assert_eq!(
        jwk::read_set(json!({ "keys": keys }).to_string().as_bytes())
            .unwrap()
            .len(),
        64
    );
    for no_set in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
        assert!(jwk::read_set(no_set.as_bytes()).is_err(), "{no_set}");
    }
}

#[tokio::test]
async fn answers_that_are_too_much_or_come_from_elsewhere_are_not_used() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let set = json!({"keys": [key.jwk]}).to_string();
    let elsewhere = Issuer::start(&[&key]).await;
    let endless = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}{set}",
        " ".repeat(300 * 1024)
    );
    for (answer, says) in [
        (
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{set}"),
            "alice",
        ),
        (endless, "keys_unavailable"),
        (
            format!(
                "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\n\r\n",
                elsewhere.address
            ),
            "keys_unavailable",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\n\r\n".to_owned(),
            "keys_unavailable",
        ),
        (
            format!("HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n{set}"),
            "keys_unavailable",
        ),
        ("no http".to_owned(), "keys_unavailable"),
    ] {
        issuer.answer_raw(answer.clone());
        let server = Server::trusting(vec![issuer.trusted()]);
        assert_eq!(
            server.says(&key.sign(claims("alice"))).await,
            says,
            "{answer:.60}"
        );
        assert_eq!(server.verifier.missing_keys().is_empty(), says == "alice");
    }
    assert_eq!(elsewhere.fetches(), 0);
}

#[tokio::test]
async fn rules_that_trust_too_much_do_not_start() {
    let issuer = Issuer::start(&[]).await;
    let refuses = |change: &dyn Fn(&mut TrustedIssuer), mut trusted: TrustedIssuer| {
        change(&mut trusted);
        Verifier::new(&settings(vec![trusted]), None, &Clock::System)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let by_keys = || issuer.trusted();
    assert_eq!(
        refuses(&|rule| rule.issuer = None, by_keys()),
        "rule BETTER_AUTH_URL"
    );
    refuses(&|rule| rule.issuer = Some(String::new()), by_keys());
    refuses(&|rule| rule.audiences.clear(), by_keys());
    refuses(&|rule| rule.audiences.push(String::new()), by_keys());
    refuses(
        &|rule| rule.keys = KeySource::Jwks("file:///etc/passwd".parse().unwrap()),
        by_keys(),
    );
    refuses(
        &|rule| rule.keys = KeySource::Hs256(Secret(SECRET[..31].to_owned())),
        by_secret(),
    );
    assert!(Verifier::new(&settings(vec![]), None, &Clock::System).is_err());
    let forgetful = AuthSettings {
        jwks_ttl: Duration::ZERO,
        ..settings(vec![by_keys()])
    };
    assert!(Verifier::new(&forgetful, None, &Clock::System).is_err());
}

#[tokio::test]
async fn the_log_shows_the_rules_without_secrets() {
    let issuer = Issuer::start(&[]).await;
    let mut with_password = issuer.trusted();
    with_password.keys = KeySource::Jwks("https://u:hunter2@issuer.test/jwks".parse().unwrap());
    let server = Server::trusting(vec![by_secret(), with_password]);
    let lines: Vec<_> = server
        .verifier
        .rules()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        lines,
        [
            "BETTER_AUTH_URL: issuer http://issuer.test, audience http://issuer.test, keys from https://issuer.test/jwks",
            "AUTH_HS256_SECRET: issuer any, audience any, keys from a shared secret",
        ]
    );
}
