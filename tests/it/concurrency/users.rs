//! Several users at once: no user slows or blocks another.

use std::{num::NonZeroU32, time::Duration};

use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};
use serde_json::json;

use super::{TASKS, all_at_once, busy, check_user_clock, statuses};
use crate::support::{Backend, on_both};

on_both! {
    /// All kinds of writes at once on a few tasks of two users: no deadlock, no error, and the clocks are right.
    async fn the_user_clock_is_right_after_many_writes_at_once(on: Backend) {
        let app = busy(on).await;
        let users = [app.user("alice"), app.user("bob")];
        for user in &users {
            for title in ["a", "b", "c", "d"] {
                user.create(title).await;
            }
        }
        all_at_once(160, async |n| {
            let user = &users[usize::try_from(n % 2).unwrap()];
            let path = format!("{TASKS}/{}", n / 2 % 4 + 1);
            let (answer, fine) = match n / 8 % 5 {
                0 => (user.delete(&path).await, [204, 404]),
                // There is room, and either the task or a fresh tombstone.
                1 => (user.post(&format!("{path}/restore"), json!({})).await, [200, 200]),
                2 => (user.post(TASKS, json!({ "title": "e" })).await, [201, 201]),
                3 => (user.get(TASKS).await, [200, 200]),
                // It expects no version, so none can be wrong.
                _ => (user.patch(&path, json!({ "title": format!("{n}") })).await, [200, 404]),
            };
            assert!(fine.contains(&answer.status), "{answer}");
            answer
        })
        .await;
        for user in ["alice", "bob"] {
            check_user_clock(&app, user).await;
        }
    }

    /// A user who writes a lot does not slow another.
    async fn the_writes_of_one_user_do_not_slow_another(on: Backend) {
        let two = NonZeroU32::new(2).unwrap();
        let limit = taskward::access::RateLimit { per_second: two, burst: two };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let (alice, bob) = app.two_users();
        let answers = all_at_once(32, |_| alice.get(TASKS)).await;
        assert!(statuses(&answers)[&429] >= 28, "{:?}", statuses(&answers));
        assert_eq!(bob.get(TASKS).await.status, 200);
    }
}

/// A lock on Alice's clock blocks Alice's writes only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_do_not_wait_for_each_others_locks() {
    if crate::support::postgres::postgres().is_err() {
        return;
    }
    let app = Backend::Postgres.app().await;
    let (alice, bob) = app.two_users();
    alice.create("hers").await;
    let his = bob.create("his").await;
    let db = Database::connect(&app.database_url).await.unwrap();
    let lock = db.begin().await.unwrap();
    lock.execute_unprepared("SELECT 1 FROM user_clock WHERE user_id = 'alice' FOR UPDATE")
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let alice = alice.clone();
        async move { alice.create("waits").await }
    });
    let free = async {
        bob.create("his, too").await;
        assert_eq!(
            bob.patch(&his.location, json!({ "completed": true }))
                .await
                .status,
            200
        );
        assert_eq!(bob.delete(&his.location).await.status, 204);
        app.user("carol").create("the first of a new user").await;
        // Readers wait for no writer.
        assert_eq!(alice.titles("").await, ["hers"]);
    };
    tokio::time::timeout(Duration::from_secs(5), free)
        .await
        .expect("nobody else waits");
    assert!(!waiting.is_finished(), "the lock was not held");
    lock.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().id, 2);
}
