//! What requests cost beyond one each: what they read, known only when it is read, counts against the rate limit.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};
use serde_json::{Value, json};
use taskward::access::RateLimit;

use crate::{
    batch_tasks::{BATCH, batch},
    support::{Actor, Backend, Settings, TestApp, on_both, postgres::postgres},
};

const TASKS: &str = "/api/v1/tasks";

/// One request in a second, and so many at once.
fn at_once(burst: u32) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.rate_limit = Some(RateLimit {
            per_second: NonZeroU32::MIN,
            burst: NonZeroU32::new(burst).unwrap(),
        });
        // A page from memory costs nothing.
        settings.page_cache_bytes = 0;
    }
}

/// A task that takes 80 kB, half of which are derived for searches.
fn long() -> Value {
    json!({ "title": "Long", "description": "\u{1f4dd}".repeat(10_000) })
}

/// As many requests as can be sent one after the other.
async fn until_refused(mut send: impl AsyncFnMut() -> u16) -> usize {
    for good in 0..1_000 {
        if send().await == 429 {
            return good;
        }
    }
    panic!("nothing was refused");
}

/// Fills the store by a server without a limit, and starts one with a limit beside it.
async fn limited(on: Backend, burst: u32, fill: impl AsyncFnOnce(&TestApp)) -> (TestApp, TestApp) {
    let free = on.app().await;
    fill(&free).await;
    let limited = free.another(at_once(burst)).await;
    (free, limited)
}

async fn create_long(who: &Actor, tasks: usize) {
    for _ in 0..tasks {
        who.create_with(long()).await;
    }
}

on_both! {
    async fn searches_sent_together_count_before_the_next_one_begins(on: Backend) {
        let (_free, app) = limited(on, 60, async |app| create_long(&app.user("alice"), 54).await).await;
        let (alice, bob) = (app.user("alice"), app.user("bob"));
        // Each looks through 4 MB and reads 54 tasks of 40 kB, which is the work of ten requests and more.
        let path = format!("{TASKS}?q=long&limit=100");
        let answers = join_all((0..40).map(|_| alice.get(&path))).await;
        let good = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((1..=4).contains(&good), "{good}");
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.code(), "rate_limited", "{refused}");
        }
        let refused = alice.get(TASKS).await.fails(429, "rate_limited");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() < 60, "{refused}");
        bob.get(&path).await.has(200);
    }

    async fn a_stream_reads_what_it_missed_at_the_pace_of_the_rate_limit(on: Backend) {
        let (_free, app) = limited(on, 3, async |app| create_long(&app.user("alice"), 54).await).await;
        let alice = app.user("alice");
        let began = Instant::now();
        // Of 25 tasks, which are the work of three requests more, 25, and 4.
        let mut stream = alice.events(0).await;
        let mut tasks = 0;
        while tasks < 54 {
            tasks += stream.soon().await.data["tasks"].as_array().unwrap().len();
        }
        assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
    }

    async fn each_event_of_a_stream_counts_a_little(on: Backend) {
        let (_free, app) = limited(on, 60, async |app| { app.user("alice").create("Buy milk").await; }).await;
        let alice = app.user("alice");
        let mut streams = Vec::new();
        for _ in 0..10 {
            let mut stream = alice.events(0).await;
            stream.soon().await;
            streams.push(stream);
        }
        // 50 are left. A change counts as one, and its ten events as one more.
        let mut number = 0;
        let changes = until_refused(async || {
            number += 1;
            let status = alice.patch("/api/v1/tasks/1", json!({ "title": format!("Buy {number}") })).await.status;
            if status == 200 {
                join_all(streams.iter_mut().map(|stream| stream.soon())).await;
            }
            status
        }).await;
        assert!((20..=32).contains(&changes), "{changes}");
    }

    async fn a_write_that_looks_for_room_counts_as_what_it_looks_at(on: Backend) {
        let free = on.app().await;
        for name in ["alice", "carol"] {
            let who = free.user(name);
            create_long(&who, 3).await;
            for _ in 0..4 {
                let create = json!({ "op": "create", "task": { "title": "milk" } });
                let created = batch(&who, json!(vec![create; 75])).await;
                let ids = created.body["results"].as_array().unwrap().iter();
                let delete = ids.map(|result| json!({ "op": "delete", "id": result["task"]["id"] }));
                batch(&who, delete.collect()).await;
            }
        }
        create_long(&free.user("bob"), 4).await;
        let app = free
            .another(|settings| {
                at_once(60)(settings);
                settings.limits.bytes = Some(320_000);
            })
            .await;
        // 300 tombstones have less than a long task, so it does not fit without them either. To find that out is the work of
        // three requests each time, and of one more for the text.
        let alice = app.user("alice");
        let single = until_refused(async || alice.post(TASKS, long()).await.status).await;
        assert!((12..=20).contains(&single), "{single}");
        let carol = app.user("carol");
        let one = json!({ "operations": [{ "op": "create", "task": long() }] });
        let batches = until_refused(async || carol.post(BATCH, one.clone()).await.status).await;
        assert!((12..=20).contains(&batches), "{batches}");
        // Where there is nothing to look at, it is that one.
        let bob = app.user("bob");
        let nothing = until_refused(async || bob.post(TASKS, long()).await.status).await;
        assert!(nothing >= 45, "{nothing}");
    }

    async fn a_batch_beyond_the_burst_is_done_and_owed(on: Backend) {
        let app = on.app_with(at_once(10)).await;
        let alice = app.user("alice");
        let create = json!({ "op": "create", "task": { "title": "milk" } });
        batch(&alice, json!(vec![create; 100])).await.has(200);
        let refused = alice.get(TASKS).await.fails(429, "rate_limited");
        let wait: u32 = refused.header("retry-after").parse().unwrap();
        assert!((80..=91).contains(&wait), "{wait}");
    }

    async fn what_looks_through_many_texts_counts_as_many_requests(on: Backend) {
        let free = on.app().await;
        let app = free.another(at_once(100)).await;
        for (path, is_costly) in [
            (format!("{TASKS}?q=milk"), true),
            (format!("{TASKS}?completed=true"), true),
            (format!("{TASKS}?sort=title&limit=1"), true),
            (format!("{TASKS}?limit=1"), false),
            (format!("{TASKS}?sort=-updated_at&limit=1"), false),
            ("/api/me/tasks?search=milk".to_owned(), true),
            ("/api/me/tasks?priority=high".to_owned(), true),
            ("/api/me/tasks?limit=1&offset=60".to_owned(), true),
            ("/api/me/tasks?limit=1".to_owned(), false),
        ] {
            // With what is derived for a search, 54 tasks take over 4 MiB, which is the work of two requests.
            let name = format!("alice of {path}");
            create_long(&free.user(&name), 54).await;
            let alice = app.user(&name);
            let good = until_refused(async || alice.get(&path).await.status).await;
            let expected = if is_costly { 8..=65 } else { 100..=160 };
            assert!(expected.contains(&good), "{path}: {good}");
            // Where there is little to look through, each is one.
            let bob = app.user(&format!("bob of {path}"));
            bob.create("Buy milk").await;
            let answers = join_all((0..99).map(|_| bob.get(&path))).await;
            assert!(answers.iter().all(|answer| answer.status == 200), "{path}");
        }
    }

    async fn the_parts_of_a_long_list_add_up(on: Backend) {
        let (_free, app) = limited(on, 60, async |app| {
            let alice = app.user("alice");
            let create = json!({ "op": "create", "task": { "title": "milk", "description": "x".repeat(2_000) } });
            for _ in 0..2 {
                batch(&alice, json!(vec![create.clone(); 100])).await;
            }
        })
        .await;
        // 200 tasks and 400 kB, of which no part has 100 or 256 KiB, are the work of three requests and more.
        let alice = app.user("alice");
        let good = until_refused(async || alice.get("/api/me/tasks").await.status).await;
        assert!((14..=24).contains(&good), "{good}");
    }

    async fn deleted_tasks_that_a_list_passes_over_count(on: Backend) {
        let (_free, app) = limited(on, 20, async |app| {
            let alice = app.user("alice");
            let create = json!({ "op": "create", "task": { "title": "milk" } });
            for _ in 0..40 {
                let created = batch(&alice, json!(vec![create.clone(); 100])).await;
                let ids = created.body["results"].as_array().unwrap().iter();
                let delete = ids.map(|result| json!({ "op": "delete", "id": result["task"]["id"] }));
                batch(&alice, delete.collect()).await;
            }
            alice.create("milk").await;
        })
        .await;
        // 4,000 are the work of two requests.
        for path in ["/api/v1/tasks?sort=-updated_at", "/api/me/tasks?limit=1"] {
            let alice = app.user("alice");
            let good = until_refused(async || alice.get(path).await.status).await;
            assert!(good <= 14, "{path}: {good}");
            alice.get("/api/v1/me").await.fails(429, "rate_limited");
        }
    }

    async fn texts_count_as_what_they_become(on: Backend) {
        let app = on.app_with(at_once(60)).await;
        let alice = app.user("alice");
        alice.create("milk").await;
        // 24 kB, of which a search makes 290 kB.
        let ligatures = json!({ "description": "\u{fdfa}".repeat(8_000) });
        let began = Instant::now();
        let good = until_refused(async || alice.patch("/api/v1/tasks/1", ligatures.clone()).await.status).await;
        // Each second pays for one request more, and a patch takes long on a busy machine.
        let since = usize::try_from(began.elapsed().as_secs()).unwrap();
        assert!((10..=20 + since).contains(&good), "{good} in {since} s");
    }

    async fn a_large_page_counts_as_its_bytes(on: Backend) {
        let free = on.app().await;
        let app = free.another(at_once(60)).await;
        for (path, door) in [(format!("{TASKS}?limit=100"), "page"), ("/api/me/tasks".to_owned(), "owner")] {
            create_long(&free.user(door), 32).await;
            let alice = app.user(door);
            // 1.2 MB count as five.
            let good = until_refused(async || alice.get(&path).await.status).await;
            assert!((11..=18).contains(&good), "{door}: {good}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_takes_too_long_counts_as_a_look_at_everything() {
    if postgres().is_err() {
        return;
    }
    let free = Backend::Postgres.app().await;
    for _ in 0..20 {
        let create = json!({ "op": "create", "task": long() });
        batch(&free.user("alice"), json!(vec![create; 20])).await;
    }
    let app = free.another(at_once(20)).await;
    let alice = app.user("alice");
    let mut locker = PgConnection::connect(&app.database_url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
    locker.execute(lock).await.unwrap();
    let search = format!("{TASKS}?q=milk");
    alice.get(&search).await.fails(503, "read_too_slow");
    locker.execute("COMMIT").await.unwrap();
    // 32 MB are the work of 15 requests, so five are left, and what has come since.
    let began = Instant::now();
    let good = until_refused(async || alice.get("/api/v1/me").await.status).await;
    let since = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    assert!(good <= 5 + since, "{good}");
}

on_both! {
    async fn an_export_goes_on_at_the_pace_of_the_rate_limit(on: Backend) {
        let (_free, app) =
            limited(on, 3, async |app| create_long(&app.user("alice"), 75).await).await;
        let alice = app.user("alice");
        let began = Instant::now();
        // Three pages of 1 MB each: the next comes when those before are paid for, and the last is owed for afterwards.
        let export = alice.get("/api/v1/me/export").await.has(200);
        assert!(began.elapsed() > Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(export.text.lines().count(), 77);
        assert!(
            export.text.ends_with("\"revision\":75}\n"),
            "{}",
            &export.text[export.text.len() - 200..]
        );
        alice.get("/api/v1/me").await.fails(429, "rate_limited");
        app.user("bob").get("/api/v1/me/export").await.has(200);
    }

    async fn an_erasure_counts_as_what_it_removes(on: Backend) {
        let task = json!({ "op": "create", "task": { "title": "more" } });
        let (_free, app) = limited(on, 3, async |app| {
            for _ in 0..10 {
                batch(&app.user("alice"), json!(vec![task.clone(); 100])).await;
            }
        })
        .await;
        let alice = app.user("alice");
        alice.delete("/api/v1/me").await.has(204);
        alice.get("/api/v1/me").await.fails(429, "rate_limited");
        // Whoever stores nothing pays for a request.
        let bob = app.user("bob");
        bob.delete("/api/v1/me").await.has(204);
        bob.get("/api/v1/me").await.has(200);
    }
}
