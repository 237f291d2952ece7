//! Requests that are small and cost much: many values, versions, parameters, or characters that stand for many.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    batch_tasks::BATCH,
    support::{Backend, on_both},
};

const TASKS: &str = "/api/v1/tasks";

on_both! {
    async fn a_body_of_very_many_values_is_refused_at_every_door(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let many: Value = vec![json!([0]); 60_000].into();
        let told = "The body must not have more than 10000 values, has ";
        for (method, path, body) in [
            (Method::POST, TASKS, json!({ "title": "x", "tags": many })),
            (Method::PATCH, "/api/v1/tasks/1", json!({ "tags": many })),
            (Method::POST, BATCH, json!({ "operations": many })),
            (Method::POST, "/api/me/tasks", json!({ "title": "x", "tags": many })),
            (Method::PUT, "/api/me/tasks/1", json!({ "title": "x", "tags": many })),
        ] {
            let answer = alice.send(alice.request(method, path).json(&body)).await;
            let refused = answer.fails(413, "body_too_large");
            assert!(refused.body["detail"].as_str().unwrap().starts_with(told), "{refused}");
        }
        let agent = alice.agent();
        let answer = agent.ask("tools/list", json!({ "_meta": { "many": many } })).await;
        assert!(answer.text.contains("the body must not have more than 10000 values"), "{answer}");
    }

    async fn a_condition_names_so_many_versions(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let tags = |versions: std::ops::RangeInclusive<i64>| {
            versions.map(|version| format!("\"{version}\"")).collect::<Vec<_>>().join(", ")
        };
        let patch = json!({ "completed": true });
        let refused = alice.patch_if_match("/api/v1/tasks/1", &tags(1..=17), patch.clone()).await;
        assert_eq!(refused.fails(400, "invalid_parameters").body["detail"], "If-Match must not name more than 16 versions, names 17.");
        // The same one again is no further version.
        let same = vec!["\"1\""; 1_000].join(", ");
        alice.patch_if_match("/api/v1/tasks/1", &same, patch.clone()).await.has(200);
        alice.patch_if_match("/api/v1/tasks/1", &tags(1..=16), patch).await.has(200);
        // A read compares them here.
        let list = alice.request(Method::GET, TASKS).header("If-None-Match", tags(1..=1_000));
        assert_eq!(alice.send(list).await.status, 304);
    }

    async fn a_search_is_not_longer_than_its_text(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        // Each of them is four integral signs.
        let refused = alice.get(&format!("{TASKS}?q={}", "\u{2a0c}".repeat(200))).await.fails(400, "invalid_parameters");
        assert_eq!(refused.body["detail"], "q has characters that each stand for many; search for fewer of them.");
        alice.get(&format!("/api/me/tasks?search={}", "\u{2a0c}".repeat(200))).await.fails(400, "invalid_parameters");
        for text in ["\u{1f4dd}".repeat(200), "\u{2a0c}".repeat(60)] {
            alice.get(&format!("{TASKS}?q={text}")).await.has(200);
        }
    }

    async fn a_query_has_so_many_parameters(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for path in [TASKS, "/api/me/tasks"] {
            let many = vec!["%71=1"; 201].join("&");
            let refused = alice.get(&format!("{path}?{many}")).await.fails(400, "bad_request");
            assert_eq!(refused.body["detail"], "The query must not have more than 200 parameters.");
        }
    }
}
