//! How many tasks a user may have, how many requests a user may send, and how much may be in flight.

use std::{num::NonZeroU32, time::Duration};

use expect_test::expect;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use taskward::access::{RateLimit, TrustedProxies};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::support::{Actor, Backend, Settings, TestApp, on_both};

const TASKS: &str = "/api/v1/tasks";

/// A server whose users have so many tasks at most.
fn at_most(tasks: i64) -> impl FnOnce(&mut Settings) {
    move |settings| settings.limits.tasks = tasks
}

on_both! {
    async fn answers_that_are_not_read_hold_up_their_user_alone(on: Backend) {
        let app = on.app().await;
        let (mallory, bob) = (app.user("mallory"), app.user("bob"));
        // A page of 4 MB.
        let text = "\u{1f4dd}".repeat(10_000);
        for _ in 0..100 {
            mallory.create_with(json!({ "title": "Long", "description": text })).await;
        }
        bob.create("Buy milk").await;
        let page = format!("{TASKS}?limit=100");
        let mut unread = Vec::new();
        for _ in 0..2 {
            unread.push(unread_answer(&app, &app.token("mallory"), &page).await);
        }
        let third = mallory.get(&page);
        let mut third = std::pin::pin!(third);
        let waits = tokio::time::timeout(Duration::from_secs(1), third.as_mut()).await;
        assert!(waits.is_err(), "{waits:?}");
        assert_eq!(bob.titles("").await, ["Buy milk"]);
        drop(unread);
        assert_eq!(third.await.has(200).items().len(), 100);
    }
}

/// Asks for a page and reads only the first bytes of the answer. The kernel takes little of the rest.
async fn unread_answer(app: &TestApp, token: &str, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = app.base.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

on_both! {
    async fn a_user_has_at_most_the_configured_number_of_tasks(on: Backend) {
        let app = on.app_with(at_most(3)).await;
        let (alice, bob) = app.two_users();
        let body = json!({ "title": "Buy milk" });
        alice.post_with_key("k1", body.clone()).await.has(201);
        for _ in 0..2 {
            alice.create("Buy milk").await;
        }
        alice.post(TASKS, body.clone()).await.is(expect![[r#"
            409 Conflict

            {
              "type": "urn:taskward:problem:task_limit_reached",
              "title": "Task limit reached",
              "status": 409,
              "detail": "You have 3 tasks, which is the limit; delete some first.",
              "code": "task_limit_reached",
              "request_id": "[id]"
            }"#]]);
        alice.post_with_key("k2", body.clone()).await.fails(409, "task_limit_reached");
        // A retry of what was created is no new task.
        let retry = alice.post_with_key("k1", body.clone()).await.has(201);
        assert_eq!(retry.body["id"], 1);
        alice.post_with_key("k1", json!({ "title": "Other" })).await.fails(422, "idempotency_key_reused");
        // All other things can be done, and others have their own limit.
        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);
        alice.post(TASKS, json!({})).await.fails(422, "validation_failed");
        bob.create("Water the plants").await;

        // After a deletion one can be created, also with the key that was refused.
        alice.delete("/api/v1/tasks/2").await.has(204);
        let next = alice.post_with_key("k2", body.clone()).await.has(201);
        assert_eq!((next.body["id"].as_i64(), next.header("idempotency-replayed")), (Some(4), ""));
        alice.post(TASKS, body).await.fails(409, "task_limit_reached");
    }

    async fn a_restored_task_counts(on: Backend) {
        let app = on.app_with(at_most(2)).await;
        let alice = app.user("alice");
        alice.create("one").await;
        alice.create("two").await;
        alice.delete("/api/v1/tasks/1").await.has(204);
        alice.create("three").await;
        let restore = "/api/v1/tasks/1/restore";
        alice.post_nothing(restore).await.is(expect![[r#"
            409 Conflict

            {
              "type": "urn:taskward:problem:task_limit_reached",
              "title": "Task limit reached",
              "status": 409,
              "detail": "You have 2 tasks, which is the limit; delete some first.",
              "code": "task_limit_reached",
              "request_id": "[id]"
            }"#]]);
        // Existing tasks stay, whatever the limit.
        alice.post_nothing("/api/v1/tasks/2/restore").await.has(200);
        alice.delete("/api/v1/tasks/3").await.has(204);
        alice.post_nothing(restore).await.has(200);
        alice.post(TASKS, json!({ "title": "four" })).await.fails(409, "task_limit_reached");
        // Deleting in vain makes no room.
        alice.delete("/api/v1/tasks/3").await.has(404);
        alice.post(TASKS, json!({ "title": "four" })).await.fails(409, "task_limit_reached");
    }

    async fn concurrent_creations_do_not_exceed_the_limit(on: Backend) {
        let app = on.app_with(at_most(5)).await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        let answers = join_all((0..12).map(|_| alice.post(TASKS, body.clone()))).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let refused = answers.iter().filter(|answer| answer.code() == "task_limit_reached").count();
        assert_eq!((made, refused), (5, 7));
        assert_eq!(alice.get(TASKS).await.items().len(), 5);
    }

    async fn a_user_is_limited_to_the_configured_rate(on: Backend) {
        let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(5).unwrap() };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let (alice, bob) = app.two_users();
        // Enough at once for some to be refused, unless the machine takes half a minute for it.
        let answers = join_all((0..30).map(|_| alice.get(TASKS))).await;
        let good = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((5..30).contains(&good), "{good}");
        let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status != 200).collect();
        for answer in &refused {
            assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (429, "rate_limited", "1"));
            assert_eq!(answer.header("ratelimit-policy"), "\"user\";q=5;w=5");
            assert_eq!(answer.header("ratelimit"), "\"user\";r=0;t=1");
        }
        refused[0].is(expect![[r#"
            429 Too Many Requests
            retry-after: 1

            {
              "type": "urn:taskward:problem:rate_limited",
              "title": "Rate limit exceeded",
              "status": 429,
              "detail": "You have sent too many requests. Retry in 1 s.",
              "code": "rate_limited",
              "request_id": "[id]"
            }"#]]);
        // All tokens of a user count together, and nobody else's.
        let answers = join_all((0..30).map(|_| alice.get("/api/v1/me"))).await;
        assert!(answers.iter().any(|answer| answer.status == 429));
        bob.get(TASKS).await.has(200);
        // Requests without a token are not limited, and one with an invalid token is 401, not 429.
        for _ in 0..10 {
            app.anon().get(TASKS).await.fails(401, "token_missing");
            alice.get("/healthz").await.has(200);
        }
    }

    async fn an_address_may_not_go_on_sending_tokens_that_are_not_accepted(on: Backend) {
        let few = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(5).unwrap() };
        let app = on.app_with(|settings| {
            settings.failures = Some(few);
            settings.proxies = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]);
        }).await;
        let alice = app.user("alice");
        alice.get(TASKS).await.has(200);
        let from = |actor: &Actor, address: &'static str| {
            actor.request(Method::GET, TASKS).header("X-Forwarded-For", address)
        };
        let forger = app.with_token("forged.by.mallory");
        let forge = async || {
            let answers = join_all((0..30).map(|_| forger.send(from(&forger, "192.0.2.1")))).await;
            answers.into_iter().map(|answer| answer.status).collect::<Vec<_>>()
        };
        let statuses = forge().await;
        assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
        assert!(statuses.iter().filter(|status| **status == 401).count() >= 5, "{statuses:?}");
        let refused = async || loop {
            let answer = forger.send(from(&forger, "192.0.2.1")).await;
            if answer.status == 429 {
                return answer;
            }
        };
        let answer = refused().await;
        assert_eq!(answer.code(), "rate_limited");
        assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=5;w=5");
        assert!(answer.header("ratelimit").starts_with("\"address\";r=0;t="), "{answer}");
        // Whoever is known is not disturbed behind the same address, nor anybody behind another.
        alice.send(from(&alice, "192.0.2.1")).await.has(200);
        let bob = app.user("bob");
        bob.send(from(&bob, "192.0.2.2")).await.has(200);
        forger.send(from(&forger, "192.0.2.3")).await.has(401);
        // A request without a token costs nothing, also behind the address of the forger.
        let nobody = app.anon();
        for address in ["192.0.2.1", "192.0.2.4"] {
            for _ in 0..20 {
                nobody.send(from(&nobody, address)).await.fails(401, "token_missing");
            }
        }
    }
}
