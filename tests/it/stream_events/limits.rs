//! What streams may take.

use super::*;
use crate::support::events::Events;

const MOST: usize = 16;

on_both! {
    async fn a_user_has_so_many_streams(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        let mut open = Vec::new();
        for _ in 0..MOST {
            let mut stream = alice.events(0).await;
            stream.soon().await;
            open.push(stream);
        }
        let refused = alice.get(EVENTS).await.fails(429, "too_many_streams");
        assert_eq!(refused.header("retry-after"), "15");
        assert_eq!(
            refused.body["detail"],
            "You have 16 event streams open, which is the limit. Close one, then retry in 15 s."
        );
        // It is nobody else's limit, and other requests go on.
        bob.events(0).await.soon().await;
        alice.create("Buy milk").await;
        for stream in &mut open {
            assert_eq!(told(&stream.soon().await), "1: 1v1");
        }
        // A place is free as soon as a client is gone.
        drop(open.pop());
        let began = Instant::now();
        let mut stream = loop {
            let request = alice.request(reqwest::Method::GET, EVENTS);
            match Events::open(request).await {
                Ok(stream) => break stream,
                Err(refused) => assert!(began.elapsed() < Duration::from_secs(5), "{refused}"),
            }
        };
        stream.soon().await;
    }
}
