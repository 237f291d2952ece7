//! A stream that was cut goes on where it was, and misses nothing.

use super::*;
use crate::support::events::Events;

/// Opens a stream as a browser does that connects again: the same address, and the id of the last event.
async fn again(of: &Actor, since: i64, last: i64) -> Events {
    let request = of.request(reqwest::Method::GET, &format!("{EVENTS}?since={since}"));
    Events::open(request.header("Last-Event-ID", last))
        .await
        .unwrap()
}

on_both! {
    async fn the_last_event_id_wins_over_since(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=3 {
            alice.create(&format!("{n}")).await;
        }
        assert_eq!(told(&again(&alice, 0, 2).await.soon().await), "3: 3v3");
        assert_eq!(told(&again(&alice, 3, 1).await.soon().await), "3: 2v2 3v3");
    }

    async fn a_backlog_that_is_cut_anywhere_is_told_as_a_whole(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=60 {
            alice.create(&format!("{n}")).await;
        }
        for id in [3, 30, 55] {
            alice.delete(&format!("{TASKS}/{id}")).await.has(204);
        }
        let mut copy = TaskCopy::default();
        let mut connections = 0;
        loop {
            // Each connection is cut after one event.
            let event = again(&alice, 0, copy.since).await.soon().await;
            copy.apply(&event.data);
            copy.since = event.id.unwrap();
            connections += 1;
            if event.data["cursor"].is_null() {
                break;
            }
        }
        assert_eq!((connections, copy.since), (3, 63));
        assert_eq!(copy.tasks, state(&alice).await);
    }

    async fn what_was_purged_cannot_be_resumed_from(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=3 {
            alice.create(&format!("{n}")).await;
        }
        alice.delete(&format!("{TASKS}/2")).await.has(204);
        purge(&app).await;
        alice.get(&format!("{EVENTS}?since=3")).await.fails(410, "resync_required");
        alice.get(&format!("{EVENTS}?since=9")).await.fails(410, "resync_required");
        assert_eq!(told(&alice.events(4).await.soon().await), "4:");
        assert_eq!(told(&alice.events(0).await.soon().await), "4: 1v1 3v3");
    }

    /// The deletion is purged before the stream has told it: it says that something is missing.
    async fn a_purge_that_a_stream_does_not_keep_up_with_ends_it(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("1").await;
        alice.create("2").await;
        let mut stream = alice.events(0).await;
        assert_eq!(told(&stream.soon().await), "2: 1v1 2v2");
        // Both at once as the stream sees it: the row of the tombstone is gone before the clock has told of it.
        let sql = "DELETE FROM task WHERE id = 1; UPDATE user_clock SET revision = 3, purged_revision = 3, task_count = 1, row_count = 1";
        crate::storage::execute(&app, sql).await;
        assert_eq!(stream.soon().await.reason(), Some("resync_required"));
        assert_eq!(stream.next().await, None);
        alice.get(&format!("{EVENTS}?since=2")).await.fails(410, "resync_required");
    }
}
