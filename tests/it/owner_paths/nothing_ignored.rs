//! Nothing is cut, ignored or overwritten silently.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, on_both};

const TASKS: &str = "/api/me/tasks";

async fn if_match(actor: &Actor, method: Method, path: &str, etag: &str, body: Value) -> Answer {
    let request = actor.request(method, path).header(header::IF_MATCH, etag);
    actor.send(request.json(&body)).await
}

on_both! {
    async fn a_cut_list_has_its_total_and_a_next_link(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for number in 0..7 {
            alice.create_with(json!({ "title": format!("Task {number}"), "completed": number == 3 })).await;
        }
        let mut path = format!("{TASKS}?limit=3&status=pending&search=task&sort=title&order=asc");
        let mut titles = Vec::new();
        let mut pages = 0;
        loop {
            let answer = alice.get(&path).await.has(200);
            assert_eq!(answer.header("x-total-count"), "6");
            titles.extend(answer.body.as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap().to_owned()));
            pages += 1;
            match answer.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")) {
                Some(next) => path = next.to_owned(),
                None => break,
            }
        }
        assert_eq!((pages, titles.join(" ")), (2, "Task 0 Task 1 Task 2 Task 4 Task 5 Task 6".to_owned()));
        // By page number, too; and a whole list has no link.
        let second = alice.get(&format!("{TASKS}?limit=3&page=2")).await.has(200);
        assert_eq!(second.header("link"), format!("<{TASKS}?limit=3&offset=6>; rel=\"next\""));
        let all = alice.get(TASKS).await.has(200);
        assert_eq!((all.header("x-total-count"), all.header("link")), ("7", ""));
        let page = alice.request(Method::GET, TASKS).header(header::ORIGIN, "http://localhost:3000");
        let exposed = alice.send(page).await;
        assert!(exposed.header("access-control-expose-headers").contains("X-Total-Count"), "{exposed}");
    }

    async fn completed_accepts_the_booleans_of_fastapi(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "done", "completed": true })).await;
        alice.create("open").await;
        let titles = async |query: &str| {
            let answer = alice.get(&format!("{TASKS}?{query}")).await.has(200);
            answer.body.as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for name in ["completed", "is_completed"] {
            for yes in ["true", "True", "TRUE", "1", "yes", "on", "t", "y", "Y"] {
                assert_eq!(titles(&format!("{name}={yes}")).await, ["done"], "{name}={yes}");
            }
            for no in ["false", "False", "0", "no", "off", "f", "n"] {
                assert_eq!(titles(&format!("{name}={no}")).await, ["open"], "{name}={no}");
            }
            alice.get(&format!("{TASKS}?{name}=2")).await.fails(400, "invalid_parameters");
        }
        assert_eq!(titles("completed=&is_completed=").await.len(), 2);
    }

    async fn two_names_of_one_parameter_must_agree(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (query, fault) in [
            ("completed=true&is_completed=false", "is_completed must not contradict completed"),
            ("search=milk&q=tea", "q must not contradict search"),
            ("sort=title&sort_by=due_date", "sort_by must not contradict sort"),
            ("status=pending&completed=true", "status must not contradict completed (or is_completed)"),
            ("sort=-title&order=asc", "sort must not be combined with an ascending order if it begins with `-`"),
            ("limit=2&per_page=3", "per_page must not contradict limit"),
            ("tag=a&tags=b", "tags must not contradict tag"),
            ("offset=3&page=2", "page must not be combined with an offset"),
        ] {
            let answer = alice.get(&format!("{TASKS}?{query}")).await.fails(400, "invalid_parameters");
            assert_eq!(answer.faults(), [fault], "{query}");
        }
        for query in ["completed=true&is_completed=1", "search=milk&q=milk&keyword=", "status=all&completed=true", "offset=0&skip=0"] {
            alice.get(&format!("{TASKS}?{query}")).await.has(200);
        }
    }

    async fn of_two_names_for_done_the_one_that_changed_counts(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let path = format!("{TASKS}/1");
        // Clients send the whole task back, with one of the two changed.
        for (completed, is_completed, done) in [(false, true, true), (true, false, false), (true, false, true), (false, true, false)] {
            for method in [Method::PUT, Method::PATCH] {
                let before = alice.get(&path).await.body["completed"].as_bool().unwrap();
                if before == done {
                    alice.patch(&format!("{path}/complete"), json!({})).await.has(200);
                }
                let body = json!({ "title": "Buy milk", "completed": completed, "is_completed": is_completed });
                let answer = alice.send(alice.request(method, &path).json(&body)).await.has(200);
                assert_eq!((&answer.body["completed"], &answer.body["is_completed"]), (&json!(done), &json!(done)));
            }
        }
        let new = json!({ "title": "Buy tea", "completed": false, "is_completed": true });
        let refused = alice.post(TASKS, new).await.fails(422, "validation_failed");
        assert_eq!(refused.faults(), ["/is_completed must not contradict completed"]);
        for done in [json!(1), json!(1.0), json!("1"), json!("True"), json!("yes"), json!(true)] {
            let made = alice.post(TASKS, json!({ "title": "x", "completed": done })).await.has(201);
            assert_eq!(made.body["completed"], true, "{done}");
        }
        for done in [json!(2), json!(0.5), json!("maybe"), json!([])] {
            alice.post(TASKS, json!({ "title": "x", "completed": done })).await.fails(422, "validation_failed");
        }
    }

    async fn a_retry_with_its_key_makes_no_second_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let post = async || {
            let request = alice.request(Method::POST, TASKS).header("Idempotency-Key", "once");
            alice.send(request.json(&json!({ "title": "Buy milk" }))).await.has(201)
        };
        let (first, second) = (post().await, post().await);
        assert_eq!((&first.body, first.header("idempotency-replayed")), (&second.body, ""));
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!(alice.get(TASKS).await.body.as_array().unwrap().len(), 1);
    }

    async fn due_dates_filter_a_list(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (title, due) in [("a", json!("2026-02-05")), ("b", json!("2026-02-06T09:00:00Z")), ("c", json!(null))] {
            alice.create_with(json!({ "title": title, "due_date": due, "tags": [title] })).await;
        }
        for (query, titles) in [
            ("due=none", vec!["c"]),
            ("due=any&sort=title&order=asc", vec!["a", "b"]),
            ("due_before=2026-02-06", vec!["a"]),
            ("due_after=2026-02-06T09:00", vec!["b"]),
            ("tags=A", vec!["a"]),
            ("per_page=1&page=2", vec!["b"]),
        ] {
            let answer = alice.get(&format!("{TASKS}?{query}")).await.has(200);
            let found: Vec<_> = answer.body.as_array().unwrap().iter().map(|task| task["title"].clone()).collect();
            assert_eq!(found, titles, "{query}");
        }
    }

    async fn a_stale_if_match_overwrites_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let path = format!("{TASKS}/1");
        let read = alice.get(&path).await.has(200);
        assert_eq!(read.header("etag"), "\"1\"");
        alice.get_if_none_match(&path, "\"1\"").await.has(304);
        let changed = if_match(&alice, Method::PUT, &path, "\"1\"", json!({ "title": "Buy tea" })).await.has(200);
        assert_eq!(changed.header("etag"), "\"2\"");
        for (method, path, body) in [
            (Method::PUT, path.clone(), json!({ "title": "Buy oil" })),
            (Method::PATCH, path.clone(), json!({ "title": "Buy oil" })),
            (Method::PATCH, format!("{path}/complete"), json!({ "completed": true })),
            (Method::PATCH, format!("{path}/complete"), json!({})),
            (Method::DELETE, path.clone(), Value::Null),
        ] {
            let refused = if_match(&alice, method, &path, "\"1\"", body).await.fails(412, "version_mismatch");
            assert_eq!(refused.body["current"]["title"], "Buy tea");
        }
        if_match(&alice, Method::PATCH, &format!("{path}/complete"), "\"2\"", json!({})).await.has(200);
        if_match(&alice, Method::DELETE, &path, "\"3\"", Value::Null).await.has(200);
        assert_eq!(alice.get(TASKS).await.body, json!([]));
        let made = alice.post(TASKS, json!({ "title": "Buy oil" })).await.has(201);
        assert_eq!(made.header("etag"), "\"5\"");
    }

    async fn a_number_in_a_path_has_one_spelling(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        for id in ["01", "001", "+1", "1.0", "%31x", " 1"] {
            for path in [format!("/api/v1/tasks/{id}"), format!("{TASKS}/{id}")] {
                alice.get(&path).await.fails(400, "invalid_parameters");
            }
        }
        alice.get(&format!("{TASKS}/1")).await.has(200);
    }

    async fn tags_as_the_text_of_an_array_are_that_array(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post(TASKS, json!({ "title": "a", "tags": "[\"work\", \"home, sweet\"]" })).await.has(201);
        assert_eq!(made.body["tags"], json!(["work", "home, sweet"]));
        let made = alice.post(TASKS, json!({ "title": "a", "tags": "{work,\"home, sweet\"}" })).await.has(201);
        assert_eq!(made.body["tags"], json!(["work", "home, sweet"]));
        for nothing in ["{}", "null", " "] {
            let made = alice.post(TASKS, json!({ "title": "a", "tags": nothing })).await.has(201);
            assert_eq!(made.body["tags"], json!([]), "{nothing}");
        }
        let none = alice.post(TASKS, json!({ "title": "b", "tags": " [] " })).await.has(201);
        assert_eq!(none.body["tags"], json!([]));
        for broken in ["['work', 'home']", "{{1}}", "{\"a\"b}", "[work]", "[\"work\"", "[[1]]", "[1]"] {
            let answer = alice.post(TASKS, json!({ "title": "c", "tags": broken })).await;
            let answer = answer.fails(422, "validation_failed");
            // These are arrays, with an item that is no string.
            if !["[[1]]", "[1]"].contains(&broken) {
                assert_eq!(
                    answer.body["detail"],
                    "tags must be a JSON array of strings, like [\"shopping\", \"home\"]; the text that was sent begins like \
                     an array, but is none.",
                    "{broken}"
                );
            }
        }
    }
}
