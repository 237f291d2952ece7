//! The server's clock is set back, as NTP may do it: times of a user never run backwards.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::json;
use taskward::clock::Clock;

use crate::support::{Actor, Answer, Backend, TestApp, on_both, time};

/// A server whose clock a story moves, beginning at this time.
async fn server(on: Backend) -> (TestApp, Arc<AtomicI64>, DateTime<Utc>) {
    let start = Utc::now().trunc_subsecs(6);
    let clock = Arc::new(AtomicI64::new(start.timestamp_micros()));
    let of_server = Clock::Set(clock.clone());
    let app = on.app_with(|settings| settings.clock = of_server).await;
    (app, clock, start)
}

fn move_by(clock: &AtomicI64, seconds: i64) {
    clock.fetch_add(seconds * 1_000_000, Relaxed);
}

fn changed_at(answer: &Answer) -> DateTime<Utc> {
    time(&answer.body["updated_at"])
}

on_both! {
    async fn what_is_written_after_the_clock_was_set_back_happens_no_earlier(on: Backend) {
        let (app, clock, start) = server(on).await;
        let alice = app.user("alice");
        let bob = app.user("bob");
        let milk = alice.create("Buy milk").await;
        move_by(&clock, -20);
        let bread = alice.create("Buy bread").await;
        let of_bread = alice.get(&bread.location).await;
        assert_eq!(time(&of_bread.body["created_at"]), start);
        let done = alice.patch(&milk.location, json!({ "completed": true })).await.has(200);
        assert_eq!(changed_at(&done), start);
        assert_eq!(time(&done.body["completed_at"]), start);
        // Nobody else has a part in it.
        let of_bob = bob.create("Buy eggs").await;
        let of_bob = bob.get(&of_bob.location).await;
        assert_eq!(changed_at(&of_bob), start - TimeDelta::seconds(20));
        move_by(&clock, 21);
        let later = alice.patch(&bread.location, json!({ "priority": "high" })).await.has(200);
        assert_eq!(changed_at(&later), start + TimeDelta::seconds(1));
        let list = alice.get("/api/v1/tasks?sort=updated_at").await;
        let ids: Vec<_> = list.body["items"].as_array().unwrap().iter().map(|task| task["id"].clone()).collect();
        assert_eq!(ids, [json!(1), json!(2)]);
    }

    async fn writes_of_many_users_that_go_together_keep_each_users_time(on: Backend) {
        let (app, clock, start) = server(on).await;
        let users: Vec<Actor> = (0..24).map(|n| app.user(&format!("user-{n}"))).collect();
        let (early, late) = users.split_at(12);
        join_all(early.iter().map(|user| user.create("Buy milk"))).await;
        move_by(&clock, -20);
        join_all(late.iter().map(|user| user.create("Buy milk"))).await;
        for _ in 0..4 {
            let done = join_all(users.iter().map(|user| user.patch("/api/v1/tasks/1", json!({ "completed": true })))).await;
            for (number, answer) in done.iter().enumerate() {
                let expected = if number < 12 { start } else { start - TimeDelta::seconds(20) };
                assert_eq!(changed_at(answer), expected, "user {number}: {answer}");
            }
        }
    }
}
