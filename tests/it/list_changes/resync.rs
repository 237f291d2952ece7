//! When a copy must be read again.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use chrono::Utc;
use expect_test::expect;
use taskward::clock::Clock;

use super::{TASKS, TaskCopy, changes, purge, state, told};
use crate::support::{Actor, Backend, on_both};

/// Creates tasks 1 to 6, and deletes 2, 4 and 6 with the revisions 7, 8 and 9.
async fn six_of_which_three_are_deleted(who: &Actor) {
    for n in 1..=6 {
        who.create(&format!("{n}")).await;
    }
    for id in [2, 4, 6] {
        who.delete(&format!("{TASKS}/{id}")).await.has(204);
    }
}

on_both! {
    async fn a_copy_from_before_a_purge_must_be_read_again(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        six_of_which_three_are_deleted(&alice).await;
        let mut copy = TaskCopy::default();
        copy.sync(&alice, || 2).await;
        let mut old = TaskCopy { since: 6, ..copy.clone() };
        alice.create("7").await;
        purge(&app).await;

        changes(&alice, "?since=6").await.is(expect![[r#"
            410 Gone

            {
              "type": "urn:taskward:problem:resync_required",
              "title": "Resync required",
              "status": 410,
              "detail": "What was deleted after revision 6 is no longer known. Sync again from `since=0`, and forget the tasks that you have.",
              "code": "resync_required",
              "request_id": "[id]"
            }"#]]);
        changes(&alice, "?since=8").await.fails(410, "resync_required");
        // Whoever had seen the deletions goes on.
        assert_eq!(told(&changes(&alice, "?since=9").await), "7v10 -> 10");
        assert_eq!(copy.sync(&alice, || 2).await, 0);
        assert_eq!(old.sync(&alice, || 2).await, 1);
        for copy in [copy, old] {
            assert_eq!(copy.tasks, state(&alice).await);
        }
    }

    /// A sync that began with nothing has never seen what is purged meanwhile.
    async fn a_full_sync_in_small_pages_ends_though_tombstones_are_purged_meanwhile(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        six_of_which_three_are_deleted(&alice).await;
        let mut page = changes(&alice, "?since=0&limit=1").await.has(200);
        assert_eq!(told(&page), "1v1 -> 9+");
        purge(&app).await;
        let mut seen = vec![told(&page)];
        while let Some(cursor) = page.body["cursor"].as_str() {
            page = changes(&alice, &format!("?cursor={cursor}&limit=1")).await.has(200);
            seen.push(told(&page));
        }
        assert_eq!(seen, ["1v1 -> 9+", "3v3 -> 9+", "5v5 -> 9"]);
        assert_eq!(told(&changes(&alice, "?since=9").await), " -> 9");
    }

    /// What it had read before is deleted and purged meanwhile: the sync after it says so.
    async fn what_a_full_sync_has_read_and_was_purged_since_is_not_kept(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=3 {
            alice.create(&format!("{n}")).await;
        }
        let page = changes(&alice, "?limit=1").await;
        alice.delete(&format!("{TASKS}/1")).await.has(204);
        purge(&app).await;
        let cursor = page.body["cursor"].as_str().unwrap();
        assert_eq!(told(&changes(&alice, &format!("?cursor={cursor}")).await), "2v2 3v3 -> 3");
        changes(&alice, "?since=3").await.fails(410, "resync_required");
    }

    /// A sync that began with something needs each tombstone: one that is purged between two of its pages would be missed,
    /// and the sync that follows would not notice.
    async fn a_purge_in_the_middle_of_a_sync_is_noticed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        six_of_which_three_are_deleted(&alice).await;
        let page = changes(&alice, "?since=6&limit=1").await;
        assert_eq!(told(&page), "-2v7 -> 9+");
        purge(&app).await;
        let cursor = page.body["cursor"].as_str().unwrap();
        changes(&alice, &format!("?cursor={cursor}")).await.fails(410, "resync_required");
    }

    /// As after a restore from a backup, where the same numbers will stand for other changes.
    async fn a_revision_that_was_never_given_is_not_taken_for_the_present_one(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("1").await;
        let ahead = changes(&alice, "?since=2").await.fails(410, "resync_required");
        expect!["Your tasks are at revision 1, before 2: this is another database, or an older state of it. Sync again from `since=0`, and forget the tasks that you have."]
            .assert_eq(ahead.body["detail"].as_str().unwrap());
        changes(&bob, "?since=1").await.fails(410, "resync_required");
        assert_eq!(told(&changes(&alice, "?since=1").await), " -> 1");
    }

    async fn a_cursor_is_good_for_as_long_as_tombstones_are_kept(on: Backend) {
        let clock = Arc::new(AtomicI64::new(Utc::now().timestamp_micros()));
        let of_server = Clock::Set(clock.clone());
        let app = on.app_with(|settings| settings.clock = of_server).await;
        let year = std::time::Duration::from_secs(365 * 24 * 60 * 60);
        let alice = app.with_token(&app.issuer.mint("alice", None, year).unwrap());
        alice.create("1").await;
        alice.create("2").await;
        let page = changes(&alice, "?limit=1").await;
        let rest = format!("?cursor={}", page.body["cursor"].as_str().unwrap());
        let day = 24 * 60 * 60 * 1_000_000;
        clock.fetch_add(30 * day - 1_000_000, Relaxed);
        assert_eq!(told(&changes(&alice, &rest).await), "2v2 -> 2");
        clock.fetch_add(2_000_000, Relaxed);
        changes(&alice, &rest).await.fails(410, "resync_required");
    }
}
