//! Each algorithm is accepted with its own kind of key, and with no other.

use serde_json::json;

use super::support::{Issuer, NOW, SECRET, Server, Signer, by_secret, claims};

#[tokio::test]
async fn every_algorithm_is_accepted() {
    for key in [
        Signer::ed("k", 1),
        Signer::ec("k"),
        Signer::rsa("k", "RS256"),
        Signer::rsa("k", "PS256"),
        Signer::rsa("k", "RS256").publishing("alg", json!("RS256")),
        Signer::rsa("k", "PS256").publishing("alg", json!("PS256")),
        Signer::ed("k", 1).publishing("alg", json!("Ed25519")),
        Signer::ed("k", 1).publishing("use", json!("sig")),
        Signer::ed("k", 1).publishing("key_ops", json!(["verify"])),
        Signer::ed("k", 1).nameless(),
        Signer::ec("k").nameless(),
    ] {
        let issuer = Issuer::start(&[&key]).await;
        let server = Server::trusting(vec![issuer.trusted()]);
        assert_eq!(
            server.says(&key.sign(claims("alice"))).await,
            "alice",
            "{}",
            key.jwk
        );
    }
}

#[tokio::test]
async fn a_token_signed_by_hand_is_accepted_with_its_own_issuer_and_audience() {
    let (key, server) = (
        Signer::shared(SECRET.as_bytes()),
        Server::trusting(vec![by_secret()]),
    );
    let bare =
        json!({"sub": "alice", "email": "a@b.c", "name": "Alice", "iat": NOW, "exp": NOW + 60});
    assert_eq!(server.says(&key.sign(bare.clone())).await, "alice");
    let with_more = json!({"sub": "bob", "exp": NOW + 60, "iss": "my-app", "aud": ["x", "y"]});
    let bob = server.verify(&key.sign(with_more)).await.unwrap();
    assert_eq!(
        (bob.issuer.as_deref(), &*bob.rule),
        (Some("my-app"), "AUTH_HS256_SECRET")
    );
    let other = Signer::shared(b"another secret of quite enough bytes!!");
    assert_eq!(server.says(&other.sign(bare)).await, "bad_signature");
}

#[tokio::test]
async fn key_set_and_secret_live_side_by_side() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::trusting(vec![by_secret(), issuer.trusted()]);
    let alice = server.verify(&key.sign(claims("alice"))).await.unwrap();
    let bob = server
        .verify(&Signer::shared(SECRET.as_bytes()).sign(claims("bob")))
        .await
        .unwrap();
    assert_eq!(
        (&*alice.rule, &*bob.rule),
        ("BETTER_AUTH_URL", "AUTH_HS256_SECRET")
    );
}

#[tokio::test]
async fn no_token_chooses_the_algorithm_of_a_key() {
    let (ed, rsa) = (Signer::ed("ed", 1), Signer::rsa("rsa", "RS256"));
    let only_ps = Signer::rsa("ps", "RS256").publishing("alg", json!("PS256"));
    let issuer = Issuer::start(&[&ed, &rsa, &only_ps]).await;
    let server = Server::trusting(vec![issuer.trusted()]);

    // The classic: the public key as an HMAC secret.
    for public in [&ed.jwk["x"], &rsa.jwk["n"], &rsa.jwk] {
        let secret = public
            .as_str()
            .map_or_else(|| public.to_string(), str::to_owned);
        for kid in ["ed", "rsa"] {
            let header = json!({"alg": "HS256", "kid": kid});
            let forged = Signer::shared(secret.as_bytes()).sign_as(header, claims("alice"));
            assert_eq!(server.says(&forged).await, "algorithm_not_allowed");
        }
    }
    for alg in [
        "none", "None", "NONE", "", "HS384", "HS512", "RS512", "ES384", "eddsa", "dir",
    ] {
        let token = ed.sign_as(json!({"alg": alg, "kid": "ed"}), claims("alice"));
        assert_eq!(server.says(&token).await, "algorithm_not_allowed", "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(
            server.says(&unsigned).await,
            "algorithm_not_allowed",
            "{alg}"
        );
    }
    // A named key is never used for another algorithm than its own.
    for (kid, alg) in [
        ("ed", "ES256"),
        ("ed", "RS256"),
        ("rsa", "EdDSA"),
        ("ps", "RS256"),
    ] {
        let token = ed.sign_as(json!({"alg": alg, "kid": kid}), claims("alice"));
        assert_eq!(
            server.says(&token).await,
            "algorithm_not_allowed",
            "{kid} {alg}"
        );
    }
    assert_eq!(
        server.says(&only_ps.sign(claims("alice"))).await,
        "algorithm_not_allowed"
    );
}

#[tokio::test]
async fn a_token_that_names_no_key_is_tried_with_a_lone_one_that_fits() {
    let (one, other) = (Signer::ed("k1", 1), Signer::ed("k2", 2));
    let mut nameless = one.clone();
    nameless.kid = None;
    let issuer = Issuer::start(&[&one, &Signer::ec("ec")]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    assert_eq!(server.says(&nameless.sign(claims("alice"))).await, "alice");

    let issuer = Issuer::start(&[&one, &other]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    let complaint = server.complaint(&nameless.sign(claims("alice"))).await;
    assert_eq!(
        complaint,
        "unknown_key: The token has no `kid`, and the issuer does not have exactly one key that fits it; have the issuer \
         name its key."
    );
}

#[tokio::test]
async fn a_token_that_names_a_key_is_tried_with_a_lone_one_without_a_name() {
    let (one, other) = (Signer::ed("k", 1), Signer::ed("k2", 2));
    let published = one.clone().nameless();
    let issuer = Issuer::start(&[&published]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    assert_eq!(server.says(&one.sign(claims("alice"))).await, "alice");

    let issuer = Issuer::start(&[&published, &other.nameless()]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    assert_eq!(server.says(&one.sign(claims("alice"))).await, "unknown_key");
}
