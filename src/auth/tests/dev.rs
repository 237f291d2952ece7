//! Development mode: two processes, one key.

use crate::clock::Clock;
use std::{collections::BTreeSet, fs, time::Duration};

use chrono::Utc;

use super::support::{ISSUER, Signer, by_secret, claims, settings};
use crate::auth::{DevIssuer, TokenFault, Verifier};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn another_process_mints_a_token_that_the_server_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/down/dev-key.pem");
    let serving = DevIssuer::open(&path).unwrap();
    let verifier = Verifier::new(&settings(vec![]), Some(serving), &Clock::System).unwrap();
    let minting = DevIssuer::open(&path).unwrap();

    let token = minting.mint("alice", None, HOUR).unwrap();
    let alice = verifier.verify(&token).await.unwrap();
    assert_eq!(alice.user_id.as_str(), "alice");
    assert_eq!(alice.issuer.as_deref(), Some(DevIssuer::ISSUER));
    assert_eq!(alice.scopes.names(), ["tasks:read", "tasks:write"]);
    assert!((alice.expires_at - Utc::now()).num_minutes() >= 59);

    let reader = minting.mint("alice", Some("tasks:read"), HOUR).unwrap();
    assert_eq!(
        verifier.verify(&reader).await.unwrap().scopes.names(),
        ["tasks:read"]
    );
    assert!(verifier.missing_keys().is_empty());
}

#[tokio::test]
async fn nobody_else_can() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name| DevIssuer::open(&folder.path().join(name)).unwrap();
    let verifier = Verifier::new(&settings(vec![]), Some(open("here")), &Clock::System).unwrap();
    let token = open("elsewhere").mint("alice", None, HOUR).unwrap();
    let fault = verifier.verify(&token).await.unwrap_err();
    assert_eq!(fault, TokenFault::OtherDevelopmentKey);
    let token = Signer::ed("k", 1).sign(claims(ISSUER));
    let fault = verifier.verify(&token).await.unwrap_err();
    assert_eq!(fault, TokenFault::UnknownIssuer);
    // Beside real issuers the key would be a back door.
    assert!(
        Verifier::new(
            &settings(vec![by_secret()]),
            Some(open("here")),
            &Clock::System
        )
        .is_err()
    );
}

#[test]
fn subjects_and_times_that_no_token_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::open(&folder.path().join("key")).unwrap();
    for user in ["", " ", "a\nb", "a\0b", &"a".repeat(256)] {
        assert!(issuer.mint(user, None, HOUR).is_err(), "{user:?}");
    }
    assert!(issuer.mint("alice", None, Duration::MAX).is_err());
    assert!(
        issuer
            .mint("alice", None, Duration::from_secs(300_000_000_000))
            .is_err()
    );
}

#[test]
fn processes_that_start_at_once_agree_on_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| DevIssuer::open(&path).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| format!("{:?}", thread.join().unwrap()))
            .collect()
    });
    assert_eq!(opened.iter().collect::<BTreeSet<_>>().len(), 1);
    // No drafts are left.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_file_with_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "my diary").unwrap();
    let fault = DevIssuer::open(&path).unwrap_err().to_string();
    assert!(
        fault.ends_with("holds no Ed25519 key; delete it for a new one"),
        "{fault}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "my diary");
}
