//! Purging what was deleted longer ago than it can be restored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use chrono::Utc;
use futures_util::future::join_all;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};
use serde_json::json;
use taskward::{
    clock::Clock,
    store::{Pace, Purged},
};

use super::{NOT_FOUND, TASKS, check_counts, delete, execute, large, number, open, restore, usage};
use crate::{
    batch_tasks::batch,
    support::{Backend, on_both, postgres::postgres},
};

/// A clock that is so many days ahead.
pub fn in_days(days: i64) -> Clock {
    let now = Utc::now() + chrono::TimeDelta::days(days);
    Clock::Set(Arc::new(AtomicI64::new(now.timestamp_micros())))
}

fn all(tombstones: usize) -> Purged {
    Purged {
        tombstones,
        left: Vec::new(),
    }
}

on_both! {
    async fn what_was_deleted_long_ago_is_purged(on: Backend) {
        let clock = Arc::new(AtomicI64::new(Utc::now().timestamp_micros()));
        let of_server = Clock::Set(clock.clone());
        let app = on.app_with(|settings| settings.clock = of_server).await;
        // The same clock judges tokens.
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let alice = app.with_token(&app.issuer.mint("alice", None, year).unwrap());
        for title in ["a", "b", "c"] {
            alice.create_with(large(title)).await;
        }
        delete(&alice, 2).await;
        let day = 24 * 60 * 60 * 1_000_000;
        clock.fetch_add(29 * day, Relaxed);
        delete(&alice, 1).await;
        let list = alice.get(TASKS).await;

        let database = open(&app, &Clock::Set(clock.clone())).await;
        assert_eq!(database.purge(Duration::ZERO).await.unwrap(), all(0));
        clock.fetch_add(day, Relaxed);
        assert_eq!(database.purge(Duration::ZERO).await.unwrap(), all(1));
        assert_eq!(usage(&alice).await[..2], [1, 1]);
        assert_eq!(restore(&alice, 2).await, NOT_FOUND);
        assert_eq!(restore(&alice, 9).await, NOT_FOUND);
        assert_eq!(number(&app, "SELECT purged_revision FROM user_clock").await, 4);
        // Nothing that a client can see has changed.
        let tag = list.header("etag");
        assert_eq!(alice.get_if_none_match(TASKS, tag).await.status, 304);
        assert_eq!(restore(&alice, 1).await, 200);
        clock.fetch_add(90 * day, Relaxed);
        assert_eq!(database.purge(Duration::ZERO).await.unwrap(), all(0));
        check_counts(&app).await;
        database.close().await;
    }

    async fn two_processes_purge_at_once(on: Backend) {
        let app = on.app().await;
        let users: Vec<_> = (0..5).map(|n| app.user(&format!("user{n}"))).collect();
        for user in &users {
            user.create("stays").await;
        }
        // 1,400 tombstones: several reads, and several batches of each user.
        execute(&app, &tombstones(on, "c.user_id", 280)).await;
        let (one, other) = tokio::join!(open(&app, &Clock::System), open(&app, &Clock::System));
        assert!(one.recount().await.unwrap() > 0);
        let writers = join_all(users.iter().map(async |user| {
            for step in 0..20 {
                user.patch(&format!("{TASKS}/1"), json!({ "title": "still here" })).await.has(200);
                // A purge may come between what a batch reads and what it writes.
                batch(user, json!([{ "op": "update", "id": 1, "patch": { "title": "x".repeat(step + 1) } }])).await;
            }
        }));
        let (first, second, _) = tokio::join!(one.purge(Duration::ZERO), other.purge(Duration::ZERO), writers);
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.tombstones + second.tombstones, 1_400, "{first:?} {second:?}");
        assert_eq!(number(&app, "SELECT COUNT(*) FROM task").await, 5);
        for user in &users {
            assert_eq!(usage(user).await[..2], [1, 0]);
        }
        check_counts(&app).await;
        one.close().await;
        other.close().await;
    }

    async fn the_job_keeps_its_pace(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("stays").await;
        execute(&app, &tombstones(on, "c.user_id", 1_000)).await;
        let database = open(&app, &Clock::System).await;
        database.recount().await.unwrap();
        let pace = Pace {
            look: Duration::from_millis(10),
            every: Duration::from_secs(3600),
            pause: Duration::from_millis(300),
        };
        let job = tokio::spawn(database.clone().keep_purging(pace));
        let began = Instant::now();
        let left = async || usage(&alice).await[1];
        while left().await == 1_000 {
            assert!(began.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // A batch, then a pause in which requests are served as always.
        alice.patch(&format!("{TASKS}/1"), json!({ "title": "changed" })).await.has(200);
        let batches = 1 + i64::try_from(began.elapsed().as_millis() / 300).unwrap();
        assert!(left().await >= 1_000 - 64 * (batches + 1));
        // It ends at once, and what it has begun is done or not.
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
        database.close().await;
        check_counts(&app).await;
        assert!(left().await > 0);
    }

    async fn what_an_older_version_wrote_is_counted_again(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create_with(large("a")).await;
        bob.create_with(large("a")).await;
        let right = usage(&alice).await;
        // It knows no such counts, and the user can go on with the wrong ones.
        execute(&app, "UPDATE user_clock SET row_count = 0, stored_bytes = 0 WHERE user_id = 'alice'").await;
        delete(&alice, 1).await;
        assert_eq!(restore(&alice, 1).await, 200);
        alice.patch(&format!("{TASKS}/1"), json!({ "description": null })).await.has(200);
        assert_eq!(usage(&alice).await, [1, 0, 0]);
        alice.patch(&format!("{TASKS}/1"), json!({ "description": large("a")["description"] })).await.has(200);
        let database = open(&app, &Clock::System).await;
        assert_eq!(database.recount().await.unwrap(), 1);
        assert_eq!(usage(&alice).await, right);
        database.close().await;
    }
}

/// Inserts so many tombstones of each user, which were deleted on 1 January 2026.
fn tombstones(on: Backend, user: &str, count: usize) -> String {
    let (tags, time) = match on {
        Backend::Postgres => ("'[]'::json", "'2026-01-01T09:00:00Z'::timestamptz"),
        Backend::Sqlite => ("'[]'", "'2026-01-01T09:00:00+00:00'"),
    };
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
         INSERT INTO task (user_id, id, title, title_fold, priority, tags, tags_fold, created_at, updated_at, revision, deleted_at) \
         SELECT {user}, i, 'gone', 'gone', 1, {tags}, '', {time}, {time}, i, {time} FROM n, user_clock c",
        1_000 + count
    )
}

/// One user's locks hold up nobody else's tombstones, and no request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_whose_rows_are_locked_is_left_for_the_next_time() {
    if postgres().is_err() {
        return;
    }
    let app = Backend::Postgres.app().await;
    let (alice, bob) = app.two_users();
    alice.create("stays").await;
    bob.create("stays").await;
    execute(&app, &tombstones(Backend::Postgres, "c.user_id", 10)).await;
    let database = open(&app, &in_days(0)).await;
    database.recount().await.unwrap();
    let mut holder = PgConnection::connect(&app.database_url).await.unwrap();
    holder.execute("BEGIN").await.unwrap();
    let lock = "SELECT 1 FROM user_clock WHERE user_id = 'alice' FOR UPDATE";
    holder.execute(lock).await.unwrap();
    let purged = database.purge(Duration::ZERO).await.unwrap();
    let left = vec!["alice".to_owned()];
    assert_eq!(
        purged,
        Purged {
            tombstones: 10,
            left
        }
    );
    assert_eq!(
        purged.to_string(),
        "purged 10 deleted tasks; some of 1 users were locked and are left for the next time"
    );
    assert_eq!(usage(&bob).await[..2], [1, 0]);
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(database.purge(Duration::ZERO).await.unwrap(), all(10));
    check_counts(&app).await;
    database.close().await;
}
