//! The paths that existing front ends call, `/api/{user_id}/tasks…`, and the habits of those front ends.

use reqwest::{Method, header};
use serde_json::{Value, json};
use taskward::api::ListShape;

use crate::support::{Actor, Answer, Backend, on_both, time};

const TASKS: &str = "/api/alice/tasks";

/// The titles of a list, in its order.
async fn titles(alice: &Actor, query: &str) -> Vec<String> {
    let answer = alice.get(&format!("{TASKS}{query}")).await.has(200);
    let tasks = answer.body.as_array().unwrap().iter();
    tasks
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Three tasks, of which the first is done.
async fn three_tasks(alice: &Actor) {
    let tasks = [
        json!({ "title": "Buy milk", "completed": true, "priority": "high", "due_date": "2026-02-08", "tags": ["Home"] }),
        json!({ "title": "Call mum", "description": "about MILK", "priority": "low", "due_date": "2026-02-07" }),
        json!({ "title": "Air the room", "due_date": "2026-02-06", "tags": ["home"] }),
    ];
    for task in tasks {
        alice.create_with(task).await;
    }
}

/// A task of these paths from one of the others: done by two names.
fn in_both_names(mut task: Value) -> Value {
    task["is_completed"] = task["completed"].clone();
    task
}

async fn put(alice: &Actor, path: &str, body: Value) -> Answer {
    alice
        .send(alice.request(Method::PUT, path).json(&body))
        .await
}

/// Without a body, with or without saying of what type it is.
async fn toggle(alice: &Actor, id: i64, says_json: bool) -> Answer {
    let request = alice.request(Method::PATCH, &format!("{TASKS}/{id}/complete"));
    let request = match says_json {
        true => request.header(header::CONTENT_TYPE, "application/json"),
        false => request,
    };
    alice.send(request).await
}

on_both! {
    async fn a_list_is_an_array_newest_first(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        assert_eq!(alice.get(TASKS).await.has(200).body, json!([]));
        three_tasks(&alice).await;
        assert_eq!(titles(&alice, "").await, ["Air the room", "Call mum", "Buy milk"]);
        // Each as it is everywhere, but for the second name of being done.
        let list = alice.get("/api/v1/tasks").await;
        let list: Vec<Value> = list.items().iter().cloned().map(in_both_names).collect();
        assert_eq!(alice.get(TASKS).await.body, json!(list));
    }

    /// About one front end in seven knows no other name for it.
    async fn done_is_also_is_completed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post(TASKS, json!({ "title": "Buy milk", "is_completed": true })).await.has(201).body;
        assert_eq!((&made["is_completed"], &made["completed"]), (&json!(true), &json!(true)));
        let path = format!("{TASKS}/{}", made["id"]);
        let back = put(&alice, &path, json!({ "is_completed": false })).await.has(200).body;
        assert_eq!((&back["is_completed"], &back["completed"]), (&json!(false), &json!(false)));
        // One that knows the other name may send the whole task back, this member as it was.
        let sent = json!({ "title": "Buy milk", "completed": true, "is_completed": false });
        let done = put(&alice, &path, sent).await.has(200).body;
        assert_eq!(done["is_completed"], true);
        let request = alice.request(Method::PATCH, &format!("{path}/complete"));
        let open = alice.send(request.json(&json!({ "is_completed": false }))).await.has(200).body;
        assert_eq!(open["completed"], false);
    }

    async fn a_list_may_be_set_to_tell_its_total(on: Backend) {
        let app = on.app_with(|settings| settings.owner_list = ListShape::Tasks).await;
        let alice = app.user("alice");
        assert_eq!(alice.get(TASKS).await.has(200).body, json!({ "tasks": [], "total": 0 }));
        three_tasks(&alice).await;
        for (query, on_page, total) in [
            ("", 3, 3), ("?limit=1", 1, 3), ("?limit=2&offset=2", 1, 3), ("?offset=9", 0, 3), ("?page=9&limit=3", 0, 3),
            ("?status=pending", 2, 2), ("?status=pending&limit=1", 1, 2), ("?search=nothing", 0, 0),
            ("?status=pending&offset=5", 0, 2),
        ] {
            let answer = alice.get(&format!("{TASKS}{query}")).await.has(200);
            assert_eq!(answer.body["tasks"].as_array().unwrap().len(), on_page, "{query}");
            assert_eq!(answer.body["total"], total, "{query}");
        }
        // Others' tasks are not counted.
        assert_eq!(app.user("bob").get("/api/bob/tasks").await.body["total"], 0);
        alice.delete(&format!("{TASKS}/1")).await.has(200);
        assert_eq!(alice.get(TASKS).await.body["total"], 2);
    }

    async fn parameters_go_by_many_names(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        three_tasks(&alice).await;
        let (air, call, buy) = ("Air the room", "Call mum", "Buy milk");
        let lists: [(&str, &[&str]); 60] = [
            ("status=all", &[air, call, buy]),
            ("status=All", &[air, call, buy]),
            ("status=pending", &[air, call]),
            ("status=PENDING", &[air, call]),
            ("status=INCOMPLETE", &[air, call]),
            ("status=active", &[air, call]),
            ("status=todo", &[air, call]),
            ("status=completed", &[buy]),
            ("status=Completed", &[buy]),
            ("status=COMPLETE", &[buy]),
            ("status=done", &[buy]),
            ("completed=true", &[buy]),
            ("completed=false", &[air, call]),
            ("status=pending&completed=true", &[buy]),
            ("priority=HIGH", &[buy]),
            ("priority=medium", &[air]),
            ("tag=home", &[air, buy]),
            ("search=MILK", &[call, buy]),
            ("q=milk", &[call, buy]),
            ("keyword=milk", &[call, buy]),
            ("search=milk&status=pending&priority=low", &[call]),
            ("sort=created", &[air, call, buy]),
            ("sort=created_at", &[air, call, buy]),
            ("sort=-created_at", &[air, call, buy]),
            ("sort_by=createdAt", &[air, call, buy]),
            ("sort_by=updated_at", &[air, call, buy]),
            ("sort_by=updatedAt&order=asc", &[buy, call, air]),
            ("order=asc", &[buy, call, air]),
            ("order=ASC", &[buy, call, air]),
            ("sort_order=asc", &[buy, call, air]),
            ("sort_direction=asc", &[buy, call, air]),
            ("sort_direction=desc", &[air, call, buy]),
            ("sort=title", &[air, buy, call]),
            ("sort=-title", &[call, buy, air]),
            ("sort=title&order=desc", &[call, buy, air]),
            ("sort_by=due_date", &[air, call, buy]),
            ("sort_by=dueDate", &[air, call, buy]),
            ("sort_by=dueDate&sort_order=desc", &[buy, call, air]),
            ("sort=-due_date", &[buy, call, air]),
            ("sort=priority", &[buy, air, call]),
            ("sort=priority&order=asc", &[call, air, buy]),
            ("sort=priority&order=desc", &[buy, air, call]),
            ("limit=2", &[air, call]),
            ("limit=1000", &[air, call, buy]),
            ("limit=2&offset=1", &[call, buy]),
            ("limit=2&skip=2", &[buy]),
            ("skip=1", &[call, buy]),
            ("limit=2&page=1", &[air, call]),
            ("limit=2&page=2", &[buy]),
            ("page=2&limit=2&sort=title", &[call]),
            ("page=1", &[air, call, buy]),
            ("page=2", &[]),
            ("offset=7", &[]),
            // Forms send what is empty, too.
            ("status=&search=&priority=&sort_by=&order=&limit=&tag=", &[air, call, buy]),
            ("search=%20&q=milk", &[call, buy]),
            ("completed=&page=&offset=&skip=", &[air, call, buy]),
            // And what other servers know.
            ("category=work", &[air, call, buy]),
            ("tags=home&include_archived=false", &[air, call, buy]),
            ("_=1738400000000", &[air, call, buy]),
            ("search=nothing", &[]),
        ];
        for (query, expected) in lists {
            assert_eq!(titles(&alice, &format!("?{query}")).await, expected, "{query}");
        }
    }

    async fn values_that_say_nothing_are_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for query in [
            "status=open", "completed=yes", "priority=urgent", "sort=colour", "sort_by=colour", "order=up",
            "sort_order=down", "sort_direction=1", "limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "skip=x",
            "page=0", "page=1.5", "limit=%2B1", "search=%00", "q=%FF", "limit=1&limit=2",
        ] {
            let answer = alice.get(&format!("{TASKS}?{query}")).await.fails(400, "invalid_parameters");
            let name = query.split('=').next().unwrap();
            assert_eq!(answer.body["errors"][0]["parameter"], name, "{answer}");
        }
        // All of them at once.
        let answer = alice.get(&format!("{TASKS}?status=open&order=up&page=0")).await.has(400);
        assert_eq!(answer.faults().len(), 3, "{answer}");
        // A list of the largest page is no fault, however far.
        alice.get(&format!("{TASKS}?limit=1000&page=1000000")).await.has(200);
    }

    async fn a_thousand_tasks_come_without_a_limit(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for _ in 0..120 {
            alice.create("one of many").await;
        }
        assert_eq!(titles(&alice, "").await.len(), 120);
    }

    async fn a_task_is_created_as_front_ends_send_it(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post(TASKS, json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!((&made.body["id"], &made.body["user_id"]), (&json!(1), &json!("alice")));
        assert_eq!((&made.body["completed"], &made.body["priority"]), (&json!(false), &json!("medium")));
        assert_eq!(made.body, in_both_names(alice.get("/api/v1/tasks/1").await.body));
        let everything = json!({
            "title": "Buy tea", "description": "", "completed": true, "priority": "HIGH", "due_date": "",
            "tags": "home, shop,, Home ", "subtasks": [], "category": "work", "user_id": "bob", "id": 77, "dueDate": 5,
        });
        let made = alice.post(TASKS, everything).await.has(201);
        assert_eq!((&made.body["id"], &made.body["user_id"]), (&json!(2), &json!("alice")));
        assert_eq!((&made.body["description"], &made.body["due_date"]), (&json!(""), &json!(null)));
        assert_eq!((&made.body["completed"], &made.body["priority"]), (&json!(true), &json!("high")));
        assert_eq!(made.body["tags"], json!(["home", "shop"]));
        assert!(made.body.get("category").is_none(), "{made}");
        let nulls = json!({
            "title": "Buy rice", "description": null, "completed": null, "priority": null, "due_date": null, "tags": null,
        });
        let made = alice.post(TASKS, nulls).await.has(201);
        assert_eq!((&made.body["completed"], &made.body["tags"]), (&json!(false), &json!([])));

        for (sent, stored) in [
            ("2026-02-06", "2026-02-06"),
            ("2026-02-06T09:00:00Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00.000Z", "2026-02-06T09:00:00Z"),
            ("2026-02-06T10:00:00+01:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00", "2026-02-06T09:00:00Z"),
            ("2026-02-06T09:00:00.25", "2026-02-06T09:00:00.25Z"),
            ("2026-02-06T09:00", "2026-02-06T09:00:00Z"),
        ] {
            let made = alice.post(TASKS, json!({ "title": "x", "due_date": sent })).await.has(201);
            let due = &made.body["due_date"];
            match stored.contains('T') {
                true => assert_eq!(time(due), time(&json!(stored)), "{sent}"),
                false => assert_eq!(due, stored),
            }
        }
    }

    async fn what_is_stored_is_as_strict_as_everywhere(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let long = "x".repeat(201);
        for (member, value) in [
            ("title", json!("")), ("title", json!("  ")), ("title", json!(long)), ("title", json!(7)),
            ("description", json!(7)), ("completed", json!("yes")), ("priority", json!("urgent")), ("priority", json!(1)),
            ("due_date", json!("tomorrow")), ("due_date", json!("2026-02-30")), ("due_date", json!("2026-02-06T09")),
            ("tags", json!(7)), ("tags", json!(["a", "A"])),
        ] {
            let mut task = json!({ "title": "Buy milk" });
            task[member] = value.clone();
            let answers = [
                alice.post(TASKS, task.clone()).await,
                put(&alice, &format!("{TASKS}/1"), task.clone()).await,
                alice.patch(&format!("{TASKS}/1"), task).await,
            ];
            for answer in answers {
                let answer = answer.fails(422, "validation_failed");
                assert!(answer.faults()[0].starts_with(&format!("/{member}")), "{member} {value}: {answer}");
            }
        }
        alice.post(TASKS, json!({})).await.fails(422, "validation_failed");
        alice.post(TASKS, json!({ "title": null })).await.fails(422, "validation_failed");
        alice.post_raw(TASKS, "{").await.fails(400, "malformed_json");
        alice.post_nothing(TASKS).await.fails(415, "unsupported_media_type");
        assert_eq!(titles(&alice, "").await, ["Buy milk"]);
        assert_eq!(alice.get("/api/v1/tasks/1").await.body["version"], 1);
    }

    async fn put_and_patch_change_what_they_name(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let full = json!({
            "title": "Buy milk", "description": "two litres", "priority": "high", "due_date": "2026-02-06", "tags": ["home"],
        });
        for method in [Method::PUT, Method::PATCH] {
            let task = alice.create_with(full.clone()).await;
            let path = format!("{TASKS}/{}", task.id);
            let change = async |body: Value| {
                alice.send(alice.request(method.clone(), &path).json(&body)).await.has(200)
            };
            let mut expected = task.task.clone();
            let mut check = |answer: Answer, member: &str, value: Value| {
                expected[member] = value;
                for changing in ["updated_at", "version"] {
                    expected[changing] = answer.body[changing].clone();
                }
                assert_eq!(answer.body, in_both_names(expected.clone()), "{method}");
            };
            check(change(json!({ "title": "Buy oat milk" })).await, "title", json!("Buy oat milk"));
            check(change(json!({ "description": "" })).await, "description", json!(""));
            check(change(json!({ "description": null })).await, "description", json!(null));
            check(change(json!({ "priority": "LOW", "subtasks": [] })).await, "priority", json!("low"));
            check(change(json!({ "priority": null, "title": null })).await, "priority", json!("low"));
            check(change(json!({ "tags": "a, b" })).await, "tags", json!(["a", "b"]));
            check(change(json!({ "tags": null })).await, "tags", json!([]));
            check(change(json!({ "due_date": "2026-02-07" })).await, "due_date", json!("2026-02-07"));
            check(change(json!({ "due_date": "" })).await, "due_date", json!(null));
            check(change(json!({})).await, "due_date", json!(null));

            // The whole task as it was served, with something changed in it.
            let mut whole = alice.get(&path).await.body;
            whole["title"] = "Buy soy milk".into();
            whole["completed"] = true.into();
            let changed = change(whole.clone()).await;
            whole["is_completed"] = true.into();
            whole["completed_at"] = changed.body["completed_at"].clone();
            for changing in ["updated_at", "version"] {
                whole[changing] = changed.body[changing].clone();
            }
            assert_eq!(changed.body, whole);
            assert!(!whole["completed_at"].is_null());
            assert_eq!(alice.get(&path).await.body, whole);
        }
    }

    async fn complete_changes_sides(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        for (says_json, completed) in [(false, true), (true, false), (true, true), (false, false)] {
            let answer = toggle(&alice, 1, says_json).await.has(200);
            assert_eq!(answer.body["completed"], completed, "{answer}");
            assert_eq!(answer.body["completed_at"].is_string(), completed, "{answer}");
            assert_eq!(in_both_names(alice.get("/api/v1/tasks/1").await.body), answer.body);
        }
        let path = format!("{TASKS}/1/complete");
        let first = alice.patch(&path, json!({ "completed": true })).await.has(200);
        let again = alice.patch(&path, json!({ "completed": true, "by": "alice" })).await.has(200);
        assert_eq!((&again.body["completed"], &again.body["completed_at"]), (&json!(true), &first.body["completed_at"]));
        for _ in 0..2 {
            let answer = alice.patch(&path, json!({ "completed": false })).await.has(200);
            assert_eq!(answer.body["completed"], false);
        }
        // Neither says which side.
        assert_eq!(alice.patch(&path, json!({})).await.has(200).body["completed"], true);
        assert_eq!(alice.patch(&path, json!({ "completed": null })).await.has(200).body["completed"], false);
        alice.patch(&path, json!({ "completed": "yes" })).await.fails(422, "validation_failed");
        alice.delete(&format!("{TASKS}/1")).await.has(200);
        toggle(&alice, 1, true).await.fails(404, "task_not_found");
    }

    /// Two who toggle at once are two who toggle.
    async fn no_toggle_is_lost(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let toggles = (0..21).map(|_| toggle(&alice, 1, true));
        for answer in futures_util::future::join_all(toggles).await {
            answer.has(200);
        }
        let task = alice.get("/api/v1/tasks/1").await.body;
        assert_eq!((&task["completed"], &task["version"]), (&json!(true), &json!(22)));
    }

    async fn delete_answers_with_the_task(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        three_tasks(&alice).await;
        let before = alice.get(&format!("{TASKS}/1")).await.has(200);
        let answer = alice.delete(&format!("{TASKS}/1")).await.has(200);
        assert_eq!((&answer.body["id"], &answer.body["title"]), (&json!(1), &before.body["title"]));
        alice.get(&format!("{TASKS}/1")).await.fails(404, "task_not_found");
        alice.delete(&format!("{TASKS}/1")).await.fails(404, "task_not_found");
        let prefer = async |id: i64, preference: &str| {
            let request = alice.request(Method::DELETE, &format!("{TASKS}/{id}"));
            alice.send(request.header("Prefer", preference)).await
        };
        assert_eq!(prefer(2, "respond-async, Return = \"minimal\"").await.has(204).text, "");
        assert_eq!(prefer(3, "return=representation").await.has(200).body["id"], 3);
        assert_eq!(titles(&alice, "").await, [""; 0]);
        // It can be restored as any.
        alice.post_nothing("/api/v1/tasks/1/restore").await.has(200);
        assert_eq!(titles(&alice, "").await, ["Buy milk"]);
    }

    async fn the_path_must_name_the_caller(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("hers").await;
        bob.create("his").await;
        // The token comes first, then the owner, then the body.
        app.anon().get(TASKS).await.fails(401, "token_missing");
        app.anon().post_raw(TASKS, "{").await.fails(401, "token_missing");
        app.with_token("nonsense").delete(&format!("{TASKS}/1")).await.fails(401, "token_malformed");
        for path in [TASKS.to_owned(), format!("{TASKS}/1"), format!("{TASKS}/99")] {
            bob.get(&path).await.fails(403, "not_your_path");
        }
        bob.get("/api/nobody/tasks").await.fails(403, "not_your_path");
        bob.post(TASKS, json!({ "title": "for her" })).await.fails(403, "not_your_path");
        bob.delete(&format!("{TASKS}/1")).await.fails(403, "not_your_path");
        toggle(&bob, 1, true).await.fails(403, "not_your_path");
        assert_eq!(titles(&alice, "").await, ["hers"]);

        for (who, title) in [(&alice, "hers"), (&bob, "his")] {
            assert_eq!(who.get("/api/me/tasks").await.has(200).body[0]["title"], title);
            assert_eq!(who.get("/api/me/tasks/1").await.has(200).body["title"], title);
            who.get("/api/me/tasks/2").await.fails(404, "task_not_found");
        }
        alice.get(&format!("{TASKS}/0")).await.has(400);
        // A `sub` can be anything that a path can carry, once it is encoded.
        for (sub, path) in [("auth0|7 ü", "auth0%7C7%20%C3%BC"), ("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("v1", "v1"), ("me", "me")] {
            let strange = app.user(sub);
            strange.create("Buy milk").await;
            strange.get(&format!("/api/{path}/tasks/1")).await.has(200);
            assert_eq!(toggle_of(&strange, path).await.has(200).body["user_id"], sub);
        }
    }

    async fn slashes_at_the_end_are_served(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.post(&format!("{TASKS}/"), json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!(titles(&alice, "/").await, ["Buy milk"]);
        assert_eq!(titles(&alice, "/?status=completed").await, [""; 0]);
        alice.get(&format!("{TASKS}/1/")).await.has(200);
        put(&alice, &format!("{TASKS}/1/"), json!({ "title": "Buy tea" })).await.has(200);
        let path = format!("{TASKS}/1/complete/");
        alice.send(alice.request(Method::PATCH, &path)).await.has(200);
        alice.delete(&format!("{TASKS}/1/")).await.has(200);
    }

    async fn health_is_plain(on: Backend) {
        let app = on.app().await;
        for path in ["/health", "/health/"] {
            assert_eq!(app.anon().get(path).await.has(200).body, json!({ "status": "ok" }));
        }
    }

    async fn a_page_elsewhere_may_send_cookies(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let origin = "http://localhost:3000";
        let path = format!("{TASKS}/1/complete");
        let preflight = alice.request(Method::OPTIONS, &path)
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,content-type");
        let answers = [
            alice.send(preflight).await,
            alice.send(alice.request(Method::GET, TASKS).header(header::ORIGIN, origin)).await.has(200),
            app.anon().send(app.anon().request(Method::GET, TASKS).header(header::ORIGIN, origin)).await.has(401),
            alice.send(alice.request(Method::PATCH, &path).header(header::ORIGIN, origin)).await.has(404),
            alice.send(alice.request(Method::GET, "/api/bob/tasks").header(header::ORIGIN, origin)).await.has(403),
        ];
        for answer in answers {
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{answer}");
            assert_eq!(answer.header("access-control-allow-credentials"), "true", "{answer}");
        }
    }
}

async fn toggle_of(who: &Actor, owner: &str) -> Answer {
    let path = format!("/api/{owner}/tasks/1/complete");
    who.send(who.request(Method::PATCH, &path)).await
}
