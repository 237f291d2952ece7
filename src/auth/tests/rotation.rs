//! Keys come and go while the server runs. Real time, in fractions of a second.

use std::time::{Duration, Instant};

use super::support::{Issuer, Server, Signer, claims, settings};
use crate::auth::{AuthSettings, TokenFault, TrustedIssuer};

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// A server that fetches again every 100 ms.
fn attentive(trusted: TrustedIssuer) -> Server {
    Server::with(AuthSettings {
        jwks_ttl: Duration::from_millis(100),
        ..settings(vec![trusted])
    })
}

#[tokio::test]
async fn a_new_key_is_accepted_at_once_and_the_old_one_still() {
    let (old, new, newer) = (
        Signer::ed("old", 1),
        Signer::ec("new"),
        Signer::ed("newer", 2),
    );
    let issuer = Issuer::start(&[&old]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    assert_eq!(server.says(&old.sign(claims("alice"))).await, "alice");

    issuer.publish(&[&old, &new]);
    assert_eq!(server.says(&new.sign(claims("bob"))).await, "bob");
    assert_eq!(server.says(&old.sign(claims("carol"))).await, "carol");
    assert_eq!(issuer.fetches(), 2);

    // Within the cool-down one has to wait, after it not.
    issuer.publish(&[&old, &new, &newer]);
    assert_eq!(
        server.says(&newer.sign(claims("dora"))).await,
        "unknown_key"
    );
    pause(350).await;
    assert_eq!(server.says(&newer.sign(claims("dora"))).await, "dora");
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test]
async fn a_key_that_takes_the_name_of_another_is_found_too() {
    let (old, new) = (Signer::ed("same", 1), Signer::ed("same", 2));
    let issuer = Issuer::start(&[&old]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    let token = old.sign(claims("alice"));
    assert_eq!(server.says(&token).await, "alice");
    issuer.publish(&[&new]);
    assert_eq!(server.says(&new.sign(claims("alice"))).await, "alice");
    assert_eq!(server.says(&token).await, "bad_signature");
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_fetch_per_cooldown() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::with(AuthSettings {
        jwks_cooldown: Duration::from_secs(2),
        ..settings(vec![issuer.trusted()])
    });
    assert_eq!(server.says(&key.sign(claims("alice"))).await, "alice");
    assert_eq!(issuer.fetches(), 1);

    let begin = Instant::now();
    let flood = (0..1000).map(|number| {
        let token = Signer::ed(&format!("random-{number}"), 7).sign(claims("mallory"));
        let verifier = server.verifier.clone();
        tokio::spawn(async move { verifier.verify(&token).await.unwrap_err() })
    });
    for told in flood.collect::<Vec<_>>() {
        assert_eq!(told.await.unwrap(), TokenFault::UnknownKey);
    }
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "the flood took longer than the cool-down"
    );
    assert_eq!(issuer.fetches(), 2);
    // Bad signatures count as well.
    assert_eq!(
        server
            .says(&Signer::ed("k", 7).sign(claims("mallory")))
            .await,
        "bad_signature"
    );
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(server.says(&key.sign(claims("bob"))).await, "bob");
}

#[tokio::test]
async fn callers_that_hang_up_do_not_cancel_the_fetch_or_cause_more() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = Server::trusting(vec![issuer.trusted()]);
    assert_eq!(server.says(&key.sign(claims("alice"))).await, "alice");
    for number in 0..50 {
        let token = Signer::ed(&format!("random-{number}"), 7).sign(claims("mallory"));
        let _ = tokio::time::timeout(Duration::from_micros(200), server.verify(&token)).await;
    }
    pause(50).await;
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_server_started_before_its_issuer() {
    let key = Signer::ed("k", 1);
    let mut issuer = Issuer::down().await;
    issuer.publish(&[&key]);
    // The server must try by itself: with this cool-down no caller makes it try.
    let server = Server::with(AuthSettings {
        jwks_cooldown: Duration::from_secs(10),
        ..settings(vec![issuer.trusted()])
    });
    let token = key.sign(claims("alice"));
    assert_eq!(server.says(&token).await, "keys_unavailable");
    assert_eq!(server.verifier.missing_keys(), ["BETTER_AUTH_URL"]);
    // Long enough for a back-off without limit to have grown over three seconds.
    pause(3300).await;
    assert_eq!(server.says(&token).await, "keys_unavailable");

    issuer.up().await;
    let begin = Instant::now();
    while server.says(&token).await != "alice" {
        assert!(
            begin.elapsed() < Duration::from_secs(1),
            "not accepted within a second"
        );
        pause(10).await;
    }
    assert!(server.verifier.missing_keys().is_empty());
}

#[tokio::test]
async fn known_keys_are_kept_while_the_issuer_is_down() {
    let key = Signer::ed("k", 1);
    let mut issuer = Issuer::start(&[&key]).await;
    let server = attentive(issuer.trusted());
    assert_eq!(server.says(&key.sign(claims("alice"))).await, "alice");
    issuer.stop().await;
    pause(400).await;
    assert_eq!(server.says(&key.sign(claims("bob"))).await, "bob");
    assert!(server.verifier.missing_keys().is_empty());
    // Of a key that is not known nobody can say now that it is wrong.
    let new = Signer::ed("new", 2);
    assert_eq!(
        server.says(&new.sign(claims("carol"))).await,
        "keys_unavailable"
    );

    issuer.publish(&[&key, &new]);
    issuer.up().await;
    let begin = Instant::now();
    while server.says(&new.sign(claims("carol"))).await != "carol" {
        assert!(begin.elapsed() < Duration::from_secs(2));
        pause(10).await;
    }
}

#[tokio::test]
async fn an_issuer_that_answers_rubbish_is_an_issuer_that_is_down() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let server = attentive(issuer.trusted());
    assert_eq!(server.says(&key.sign(claims("alice"))).await, "alice");
    issuer.answer("<html>maintenance</html>".to_owned());
    pause(250).await;
    assert_eq!(server.says(&key.sign(claims("bob"))).await, "bob");
}

#[tokio::test]
async fn a_removed_key_ends_the_tokens_that_are_remembered_by_it() {
    let (leaked, new) = (Signer::ed("leaked", 1), Signer::ed("new", 2));
    let issuer = Issuer::start(&[&leaked, &new]).await;
    let server = attentive(issuer.trusted());
    let (stolen, fine) = (leaked.sign(claims("alice")), new.sign(claims("bob")));
    assert_eq!(server.says(&stolen).await, "alice");
    assert_eq!(server.says(&fine).await, "bob");
    issuer.publish(&[&new]);
    pause(250).await;
    assert_eq!(server.says(&stolen).await, "unknown_key");
    assert_eq!(server.says(&fine).await, "bob");
    // The last one too.
    issuer.publish(&[]);
    pause(250).await;
    assert_ne!(server.says(&fine).await, "bob");
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut issuer = Issuer::down().await;
    issuer.address = silent.local_addr().unwrap();
    let server = Server::trusting(vec![issuer.trusted()]);
    let begin = tokio::time::Instant::now();
    let token = Signer::ed("k", 1).sign(claims("alice"));
    assert_eq!(server.says(&token).await, "keys_unavailable");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn keys_are_not_used_for_ever_while_the_issuer_is_away() {
    let key = Signer::ed("k", 1);
    let mut issuer = Issuer::start(&[&key]).await;
    let server = Server::with(AuthSettings {
        jwks_ttl: Duration::from_millis(100),
        jwks_max_stale: Duration::from_secs(2),
        ..settings(vec![issuer.trusted()])
    });
    let known = key.sign(claims("alice"));
    assert_eq!(server.says(&known).await, "alice");
    issuer.stop().await;
    let begin = Instant::now();
    while server.verifier.missing_keys().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        pause(10).await;
    }
    assert!(begin.elapsed() > Duration::from_secs(1), "too early");
    // Nor are tokens that were verified with them.
    for token in [known.clone(), key.sign(claims("bob"))] {
        assert_eq!(server.says(&token).await, "keys_unavailable");
    }
    issuer.up().await;
    let begin = Instant::now();
    while server.says(&known).await != "alice" {
        assert!(begin.elapsed() < Duration::from_secs(5));
        pause(10).await;
    }
}

#[tokio::test]
async fn two_rules_with_one_key_set_share_the_fetch() {
    let key = Signer::ed("k", 1);
    let issuer = Issuer::start(&[&key]).await;
    let mut mcp = issuer.trusted();
    mcp.rule = "BETTER_AUTH_URL (MCP)".to_owned();
    mcp.issuer = Some("http://issuer.test/api/auth".to_owned());
    mcp.audiences = vec!["http://tasks.test/mcp".to_owned()];
    let server = Server::trusting(vec![issuer.trusted(), mcp]);
    assert_eq!(server.says(&key.sign(claims("alice"))).await, "alice");
    let mut oauth = claims("alice");
    oauth["iss"] = "http://issuer.test/api/auth".into();
    assert_eq!(
        server.says(&key.sign(oauth.clone())).await,
        "wrong_audience"
    );
    oauth["aud"] = serde_json::json!(["http://tasks.test/mcp"]);
    let identity = server.verify(&key.sign(oauth)).await.unwrap();
    assert_eq!(&*identity.rule, "BETTER_AUTH_URL (MCP)");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn fetching_ends_with_the_last_verifier() {
    let issuer = Issuer::start(&[&Signer::ed("k", 1)]).await;
    let server = attentive(issuer.trusted());
    pause(250).await;
    drop(server);
    pause(50).await;
    let fetches = issuer.fetches();
    assert!(fetches >= 2);
    pause(300).await;
    assert_eq!(issuer.fetches(), fetches);
}
