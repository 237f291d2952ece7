//! A stream is of one user.

use super::*;

const MARK: &str = "xyzzy";

on_both! {
    /// Bob's stream is open while Alice writes, and while both do, in two processes.
    async fn a_stream_never_carries_a_byte_of_another_user(on: Backend) {
        let app = on.app().await;
        let other = app.another(|_| {}).await;
        let alice = [app.user(&format!("alice-{MARK}")), other.user(&format!("alice-{MARK}"))];
        let bob = [app.user("bob"), other.user("bob")];
        alice[0].create(&format!("before {MARK}")).await;
        let mut streams = [bob[0].events(0).await, bob[1].events(0).await];
        for n in 1..=10 {
            for alice in &alice {
                let uid = format!("0b9d6d5e-3c8e-4b0a-a1a4-6f0b1a6e{n:04}");
                alice.post(TASKS, json!({ "title": MARK, "uid": uid, "tags": [MARK] })).await;
                alice.patch(&format!("{TASKS}/{n}"), json!({ "description": MARK })).await;
            }
            alice[0].delete(&format!("{TASKS}/{n}")).await;
            bob[n % 2].create(&format!("his {n}")).await;
        }
        for stream in &mut streams {
            let mut copy = TaskCopy::default();
            while copy.tasks.len() < 10 {
                copy.apply(&stream.soon().await.data);
            }
            assert!(copy.tasks.values().all(|task| task["user_id"] == "bob"));
            assert_eq!(copy.tasks, state(&bob[0]).await);
            assert!(stream.is_silent_for(Duration::from_millis(500)).await);
            assert!(!stream.text.contains(MARK) && !stream.text.contains("alice"), "{}", stream.text);
        }
    }
}
