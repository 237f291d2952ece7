//! A stream ends by itself, and says why.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
};

use super::*;

on_both! {
    async fn a_token_that_expires_ends_its_stream(on: Backend) {
        let app = on.app().await;
        let token = app.issuer.mint("alice", None, Duration::from_secs(3)).unwrap();
        let began = Instant::now();
        let alice = app.with_token(&token);
        alice.create("Buy milk").await;
        let stream = alice.events(0).await;
        let (events, _) = stream.until_the_end(Duration::from_secs(10)).await;
        let lasted = began.elapsed();
        assert_eq!(told(&events[0]), "1: 1v1");
        assert_eq!((events.len(), events[1].reason(), events[1].id), (2, Some("token_expired"), None));
        // Tokens have whole seconds.
        assert!((1..5).contains(&lasted.as_secs()), "{lasted:?}");
        // Another stream goes on where this one ended.
        let mut next = app.user("alice").events(events[0].id.unwrap()).await;
        assert_eq!(told(&next.soon().await), "1:");
    }

    /// Requests may be a little late, since clocks differ. A stream is told what there is, and that it must renew its token.
    async fn a_token_that_has_just_expired_opens_a_stream_that_ends(on: Backend) {
        let app = on.app().await;
        app.user("alice").create("Buy milk").await;
        let mut claims = crate::support::token::claims("alice");
        claims["exp"] = (chrono::Utc::now().timestamp() - 5).into();
        let late = app.with_token(&app.signed(&claims));
        let (events, _) = late.events(0).await.until_the_end(Duration::from_secs(2)).await;
        assert_eq!((told(&events[0]).as_str(), events[1].reason()), ("1: 1v1", Some("token_expired")));
    }
}

/// A client that takes nothing holds little, and is told so when it reads on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_told_so() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    let text = "x".repeat(10_000);
    let all = (0..25).map(
        |n| json!({ "op": "create", "task": { "title": format!("{n}"), "description": text } }),
    );
    let all = json!({ "operations": all.collect::<Vec<_>>() });
    for _ in 0..8 {
        alice
            .post("/api/v1/tasks/batch", all.clone())
            .await
            .has(200);
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let address = app.base.strip_prefix("http://").unwrap().parse().unwrap();
    let mut slow = socket.connect(address).await.unwrap();
    let head = format!(
        "GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        app.token("alice")
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // The kernel takes the first event within 10 s, probing whether there is room.
    tokio::time::sleep(Duration::from_secs(24)).await;
    let mut text = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::time::timeout(Duration::from_secs(10), slow.read(&mut buffer));
        match read.await.expect("an end").unwrap() {
            0 => panic!("cut without a word"),
            count => text.extend_from_slice(&buffer[..count]),
        }
        if text.ends_with(b"\r\n0\r\n\r\n") {
            break;
        }
    }
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("event: end\ndata: {\"reason\":\"slow_reader\""),
        "{}",
        &text[text.len() - 500..]
    );
    // It did not get all 200 tasks.
    assert!(text.len() < 1_500_000, "{}", text.len());
}
