//! Pages and their cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

/// The cursor after the first task of a list.
async fn cursor(actor: &Actor, query: &str) -> String {
    let page = actor
        .get(&format!("{TASKS}?limit=1&{query}"))
        .await
        .has(200);
    page.body["next_cursor"].as_str().unwrap().to_owned()
}

/// The cursor with something else in the place of the key that it continues after.
fn forged(cursor: &str, key: &Value) -> String {
    let json = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    let mut parts: Vec<Value> = serde_json::from_slice(&json).unwrap();
    parts[1] = key.clone();
    URL_SAFE_NO_PAD.encode(Value::from(parts).to_string())
}

on_both! {
    async fn pages_hold_while_tasks_come_and_go(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=6 {
            alice.create(&format!("Task {n}")).await;
        }
        let page = alice.get(&format!("{TASKS}?limit=2")).await;
        assert_eq!(ids(&page), [6, 5]);
        let cursor = page.body["next_cursor"].as_str().unwrap();
        // The task where the page ended is gone, the next one too, and there is a new one.
        alice.delete("/api/v1/tasks/5").await.has(204);
        alice.delete("/api/v1/tasks/4").await.has(204);
        alice.create("Task 7").await;
        assert_eq!(listed(&alice, &format!("?limit=2&cursor={cursor}")).await, [3, 2]);
        // The size of the next page is free.
        assert_eq!(listed(&alice, &format!("?cursor={cursor}")).await, [3, 2, 1]);
        for id in 1..=3 {
            alice.delete(&format!("/api/v1/tasks/{id}")).await.has(204);
        }
        let last = alice.get(&format!("{TASKS}?cursor={cursor}")).await.has(200);
        assert_eq!((last.items().len(), &last.body["next_cursor"]), (0, &json!(null)));
    }

    async fn a_full_last_page_has_no_next_page(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for n in 1..=4 {
            alice.create(&format!("Task {n}")).await;
        }
        let page = alice.get(&format!("{TASKS}?limit=4")).await.has(200);
        assert_eq!((&page.body["next_cursor"], page.header("link")), (&json!(null), ""));
    }

    async fn a_cursor_of_another_list_is_refused(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        for user in [&alice, &bob] {
            for title in ["one", "two", "three"] {
                user.create_with(json!({ "title": title, "due_date": "2026-02-06", "tags": ["a"] })).await;
            }
        }
        let plain = cursor(&alice, "").await;
        alice.get(&format!("{TASKS}?sort=title&cursor={plain}")).await.is(expect![[r#"
            400 Bad Request

            {
              "type": "urn:taskward:problem:invalid_cursor",
              "title": "Invalid cursor",
              "status": 400,
              "detail": "cursor is not the `next_cursor` of a page with these filters and this order; start without it.",
              "code": "invalid_cursor",
              "request_id": "[id]",
              "errors": [
                {
                  "parameter": "cursor",
                  "detail": "is not the `next_cursor` of a page with these filters and this order; start without it"
                }
              ]
            }"#]]);
        let others = [
            "sort=created_at",
            "sort=updated_at",
            "completed=false",
            "priority=medium",
            "tag=a",
            "due_before=2026-03-01",
            "due_after=2026-01-01",
            "q=o",
            "q=",
        ];
        for other in others {
            let path = format!("{TASKS}?{other}&cursor={plain}");
            alice.get(&path).await.fails(400, "invalid_cursor");
            let own = cursor(&alice, other).await;
            alice.get(&format!("{TASKS}?{other}&cursor={own}")).await.has(200);
            alice.get(&format!("{TASKS}?cursor={own}")).await.fails(400, "invalid_cursor");
        }
        // Another user's cursor is refused.
        bob.get(&format!("{TASKS}?cursor={plain}")).await.fails(400, "invalid_cursor");
        // The default order may be named or not.
        assert_eq!(listed(&alice, &format!("?sort=-created_at&cursor={plain}")).await, [2, 1]);
    }

    async fn an_invalid_cursor_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "one", "due_date": "2026-02-06" })).await;
        alice.create_with(json!({ "title": "two", "due_date": "2026-02-06" })).await;
        let good = cursor(&alice, "").await;
        let encode = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let bad = [
            "garbage".to_owned(),
            "A".to_owned(),
            "1".to_owned(),
            good[..good.len() - 4].to_owned(),
            good.clone() + "AAAA",
            encode("[]"),
            encode("{}"),
            encode("null"),
            encode("[1,2,3]"),
            encode("[1,2,3,4]"),
            encode("[\"a\",1,1]"),
            "a".repeat(4096),
        ];
        for cursor in bad {
            let answer = alice.get(&format!("{TASKS}?cursor={cursor}")).await;
            answer.fails(400, "invalid_cursor");
        }
        // So is a text with other characters: the client must do the same.
        for cursor in ["", "%3D%3D", "a%00b", "a+b", "%C3%A4", &"a".repeat(4097)] {
            let answer = alice.get(&format!("{TASKS}?cursor={cursor}")).await;
            answer.fails(400, "invalid_cursor");
        }
    }

    async fn a_forged_cursor_is_refused_or_harmless(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "one", "due_date": "2026-02-06" })).await;
        alice.create_with(json!({ "title": "two", "due_date": "2026-02-06" })).await;
        let keys = [
            json!(null),
            json!(0),
            json!(-1),
            json!(i64::MIN),
            json!(i64::MAX),
            // As a time, before the first that PostgreSQL knows, in 4713 BC.
            json!(-250_000_000_000_000_000_i64),
            json!(1.5),
            json!(""),
            json!("a\u{0}"),
            json!("\u{10ffff}"),
        ];
        for sort in ["created_at", "-created_at", "updated_at", "due_date", "-due_date", "priority", "-priority", "title"] {
            let good = cursor(&alice, &format!("sort={sort}")).await;
            for key in &keys {
                let forged = forged(&good, key);
                let answer = alice.get(&format!("{TASKS}?sort={sort}&cursor={forged}")).await;
                assert!(answer.status == 200 || answer.code() == "invalid_cursor", "{sort} after {key}: {answer}");
            }
        }
    }
}
