//! The rate limit for agents, and what happens to a batch when its client hangs up.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use taskward::access::RateLimit;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::support::{Backend, on_both};

fn tasks(number: usize) -> Value {
    json!({ "tasks": vec![json!({ "title": "x" }); number] })
}

on_both! {
    async fn a_batch_costs_as_many_requests_as_it_has_items(on: Backend) {
        let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(60).unwrap() };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let (alice, bob) = app.two_users();
        let agent = alice.agent();
        let (started, mut done) = (Instant::now(), 0);
        let refused = loop {
            let answer = agent.try_call("add_tasks", tasks(25)).await;
            if answer.status != 200 {
                break answer.fails(429, "rate_limited");
            }
            done += 25;
            // What may come at once, one more a second, and the rest of the last call, which is owed.
            assert!(done <= 60 + 24 + started.elapsed().as_secs() + 1, "{done} tasks");
        };
        assert!((1..=25).contains(&refused.header("retry-after").parse::<u32>().unwrap()), "{refused}");
        // Nobody else is held up, and of what was refused nothing was done.
        bob.agent().call("find_tasks", json!({})).await.done();
        let list = loop {
            let answer = agent.try_call("find_tasks", json!({ "limit": 1 })).await;
            if answer.status == 200 {
                break answer;
            }
            sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(list.body["result"]["structuredContent"]["total"], done);
    }

    async fn a_batch_that_is_larger_than_the_burst_can_be_done(on: Backend) {
        let limit = RateLimit { per_second: NonZeroU32::new(20).unwrap(), burst: NonZeroU32::new(3).unwrap() };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let agent = app.user("alice").agent();
        // What it counts beyond the three that may come at once is owed, and whoever waits as told gets through.
        agent.try_call("add_tasks", tasks(25)).await.has(200);
        let refused = agent.try_call("add_tasks", tasks(25)).await.fails(429, "rate_limited");
        sleep(Duration::from_secs(refused.header("retry-after").parse().unwrap())).await;
        agent.try_call("add_tasks", tasks(25)).await.has(200);
    }

    async fn rest_and_mcp_are_counted_together(on: Backend) {
        let limit = RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(5).unwrap() };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let alice = app.user("alice");
        let started = Instant::now();
        while alice.get("/api/v1/tasks").await.status == 200 {}
        let mut passed = 0;
        for _ in 0..5 {
            passed += u64::from(alice.agent().ask("tools/list", json!({})).await.status == 200);
        }
        // Only what came since, one a second: five more are what a count of its own would let through.
        assert!(passed <= 1 + started.elapsed().as_secs(), "{passed}");
    }

    async fn a_body_has_at_most_one_mebibyte(on: Backend) {
        let app = on.app().await;
        let agent = app.user("alice").agent();
        let large = json!({ "tasks": [{ "title": "x", "description": "x".repeat(1024 * 1024) }] });
        agent.try_call("add_tasks", large).await.fails(413, "body_too_large");
    }

    async fn a_batch_is_finished_after_its_client_hangs_up(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "add_tasks", "arguments": tasks(25) },
        })
        .to_string();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            app.token("alice"),
            body.len()
        );
        let address = app.base.strip_prefix("http://").unwrap();
        for pause in [0, 0, 1, 2, 3, 5, 8, 13, 21, 34] {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            sleep(Duration::from_millis(pause)).await;
            drop(socket);
        }
        // Each batch was done whole or not begun.
        let agent = alice.agent();
        let mut total = 0;
        for _ in 0..100 {
            sleep(Duration::from_millis(100)).await;
            let now = agent.call("find_tasks", json!({ "limit": 1 })).await.done().content["total"].as_i64().unwrap();
            if now == total && now > 0 && now % 25 == 0 {
                break;
            }
            total = now;
        }
        assert!(total > 0 && total % 25 == 0, "{total}");
    }
}
