//! Several issuers: the same `sub` may be another person at each.

use serde_json::json;

use super::support::{ISSUER, Issuer, Server, Signer, claims, claims_with};
use crate::auth::TrustedIssuer;

const PARTNER: &str = "http://partner.test";

/// A server with two issuers, of which the second has a namespace, and their keys.
async fn server() -> ([Issuer; 2], Signer, Signer, Server) {
    let (own, other) = (Signer::ed("own", 1), Signer::ed("other", 2));
    let (issuer, partner) = (Issuer::start(&[&own]).await, Issuer::start(&[&other]).await);
    let trusted = TrustedIssuer {
        issuer: Some(PARTNER.to_owned()),
        audiences: vec![PARTNER.to_owned()],
        namespace: Some("partner".to_owned()),
        ..partner.trusted()
    };
    let server = Server::trusting(vec![issuer.trusted(), trusted]);
    ([issuer, partner], own, other, server)
}

fn of_partner(user: &str) -> serde_json::Value {
    let mut claims = claims(user);
    claims["iss"] = json!(PARTNER);
    claims["aud"] = json!(PARTNER);
    claims
}

#[tokio::test]
async fn the_same_sub_of_two_issuers_is_two_users() {
    let (_issuers, own, other, server) = server().await;
    assert_eq!(server.says(&own.sign(claims("1"))).await, "1");
    assert_eq!(server.says(&other.sign(of_partner("1"))).await, "partner:1");
    // Also of a token that is known, and for a sub with colons.
    assert_eq!(server.says(&other.sign(of_partner("1"))).await, "partner:1");
    assert_eq!(
        server.says(&other.sign(of_partner("a:b"))).await,
        "partner:a:b"
    );
}

#[tokio::test]
async fn a_bare_sub_cannot_be_that_of_another_issuer() {
    let (_issuers, own, other, server) = server().await;
    for sub in ["partner:1", "partner:"] {
        let complaint = server.complaint(&own.sign(claims(sub))).await;
        assert_eq!(
            complaint,
            "claims_invalid: A claim of the token is not accepted: `sub` begins with the namespace of another issuer."
        );
    }
    for sub in ["partner", "partners:1", "Partner:1", "x:partner:1"] {
        assert_eq!(server.says(&own.sign(claims(sub))).await, sub);
    }
    let twice = other.sign(of_partner("partner:1"));
    assert_eq!(server.says(&twice).await, "partner:partner:1");
}

#[tokio::test]
async fn a_client_may_name_its_user_by_the_sub() {
    let (_issuers, _, other, server) = server().await;
    let identity = server.verify(&other.sign(of_partner("1"))).await.unwrap();
    assert!(identity.is_named("1") && identity.is_named("partner:1"));
    assert!(!identity.is_named("partner") && !identity.is_named("2") && !identity.is_named(""));
}

#[tokio::test]
async fn an_id_with_its_namespace_is_not_longer_than_others() {
    let (_issuers, own, other, server) = server().await;
    let longest = "x".repeat(255);
    assert_eq!(server.says(&own.sign(claims(&longest))).await, longest);
    assert_eq!(
        server.says(&other.sign(of_partner(&longest))).await,
        "claims_invalid"
    );
    let fits = "x".repeat(255 - "partner:".len());
    assert_eq!(
        server.says(&other.sign(of_partner(&fits))).await,
        format!("partner:{fits}")
    );
}

#[tokio::test]
async fn no_issuer_speaks_for_the_other() {
    let (_issuers, own, other, server) = server().await;
    assert_ne!(server.says(&other.sign(claims("1"))).await, "1");
    assert_ne!(server.says(&own.sign(of_partner("1"))).await, "partner:1");
    let half = claims_with("iss", json!(PARTNER));
    assert_ne!(server.says(&own.sign(half)).await, "partner:alice");
    assert_eq!(
        server
            .says(&own.sign(claims_with("iss", json!(ISSUER))))
            .await,
        "alice"
    );
}
