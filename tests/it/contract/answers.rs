//! The real answers of the operations, compared with the contract: documented statuses,
//! media types, headers and schemas, and no undocumented member.

use std::{collections::BTreeSet, num::NonZeroU32, sync::Mutex};

use jsonschema::{Draft, Validator};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};
use taskward::{access::RateLimit, api::ListShape};

use crate::support::{
    Actor, Answer, Backend, Settings, TestApp,
    app::client,
    contract::{contract, media_types, operations},
    events::Event,
    on_both,
};

/// What cannot be provoked here: a server that fails, a database that is away, a body that takes 30 s.
/// The list may only shrink.
const NOT_PROVOKED: [u16; 3] = [408, 500, 503];

/// A schema of the contract that refuses what it does not name, so that an answer cannot have more.
pub fn closed(schema: &Value) -> Validator {
    let mut components = contract()["components"].clone();
    for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
        if schema["type"] == "object" {
            schema["additionalProperties"] = false.into();
        }
    }
    let mut whole = schema.clone();
    whole["components"] = components;
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    options.should_validate_formats(true).build(&whole).unwrap()
}

#[track_caller]
pub fn check(schema: &Validator, value: &Value) {
    let faults: Vec<_> = schema
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

/// Sends requests and checks each answer against its operation.
struct Inspector {
    client: reqwest::Client,
    seen: Mutex<BTreeSet<(&'static str, u16)>>,
}

impl Inspector {
    async fn send(&self, who: &Actor, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let operation = operations()
            .into_iter()
            .find(|operation| operation.is(&method, &path));
        let operation = operation.expect("an operation");
        let request = RequestBuilder::from_parts(self.client.clone(), request);
        let answer = who.send(request).await;
        let said = operation
            .answers()
            .into_iter()
            .find(|(status, _)| *status == answer.status);
        let Some((status, said)) = said else {
            panic!("{} does not say that it can answer {answer}", operation.id);
        };
        match media_types(said).first() {
            None => assert_eq!(answer.text, "", "{answer}"),
            Some((media_type, of)) => {
                assert_eq!(answer.header("content-type"), *media_type, "{answer}");
                match answer.body.as_str() {
                    Some(events) if *media_type == "text/event-stream" => {
                        for event in Event::all_of(events) {
                            check(&closed(&of["schema"]), &event.data);
                        }
                    }
                    Some(lines) if *media_type == "application/x-ndjson" => {
                        for line in lines.lines() {
                            check(&closed(&of["schema"]), &serde_json::from_str(line).unwrap());
                        }
                    }
                    _ => check(&closed(&of["schema"]), &answer.body),
                }
                let code = of["examples"].get(answer.code());
                assert!(status < 400 || code.is_some(), "no example of {answer}");
            }
        }
        let headers = said["headers"].as_object();
        for (name, of) in headers.into_iter().flatten() {
            let value = answer.header(name);
            assert!(
                !value.is_empty() || of["required"] != true,
                "{name} is missing: {answer}"
            );
            if !value.is_empty() && of["schema"]["type"] != "string" {
                check(&closed(&of["schema"]), &value.parse().unwrap());
            }
        }
        for name in [
            "etag",
            "location",
            "link",
            "retry-after",
            "www-authenticate",
            "idempotency-replayed",
            "accept",
            "accept-encoding",
        ] {
            let said = headers.is_some_and(|headers| {
                headers.keys().any(|other| other.eq_ignore_ascii_case(name))
            });
            assert!(
                said || answer.header(name).is_empty(),
                "{name} is not documented: {answer}"
            );
        }
        self.seen.lock().unwrap().insert((operation.id, status));
        answer
    }

    async fn ask(
        &self,
        who: &Actor,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request = who.request(method.parse::<Method>().unwrap(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        self.send(who, request).await
    }
}

const TASKS: &str = "/api/v1/tasks";

/// What a front end does on the paths with the owner in them.
async fn on_the_owner_path(inspector: &Inspector, app: &TestApp) {
    let alice = app.user("alice");
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)], body: Value| {
        let path = format!("/api/alice/tasks{path}");
        inspector.ask(&alice, method, &path, headers, body).await
    };
    let none = json!(null);
    ask("GET", "", &[], none.clone()).await;
    let new = json!({ "title": "Buy milk", "due_date": "2026-02-06T09:00", "subtasks": [] });
    ask("POST", "", &[], new.clone()).await;
    ask("POST", "", &[], new).await;
    ask("GET", "?status=Pending&limit=10&page=1", &[], none.clone()).await;
    let task = ask("GET", "/1", &[], none.clone()).await;
    let tag = task.header("etag").to_owned();
    ask("GET", "/1", &[("If-None-Match", &tag)], none.clone()).await;
    for method in ["PUT", "PATCH"] {
        ask(method, "/1", &[], json!({ "title": "Buy tea" })).await;
    }
    let stale = [("If-Match", &*tag)];
    for (method, path) in [("PUT", "/1"), ("PATCH", "/1"), ("PATCH", "/1/complete")] {
        ask(method, path, &stale, json!({ "completed": true })).await;
    }
    ask("DELETE", "/1", &stale, none.clone()).await;
    ask("PATCH", "/1/complete", &[], none.clone()).await;
    ask("PATCH", "/1/complete", &[], json!({ "completed": true })).await;
    ask(
        "DELETE",
        "/1",
        &[("Prefer", "return=minimal")],
        none.clone(),
    )
    .await;
    ask("POST", "", &[], json!({ "title": "Call mum" })).await;
    for id in ["/2", "/3"] {
        ask("DELETE", id, &[], none.clone()).await;
    }
    inspector
        .ask(&alice, "GET", "/api/bob/tasks", &[], none)
        .await;
}

on_both! {
    /// Every operation, with every status that it documents.
    async fn answers_are_as_documented(on: Backend) {
        let inspector = Inspector { client: client(), seen: Mutex::default() };
        let ask = async |who: &Actor, method: &str, path: &str, headers: &[(&str, &str)], body: Value| {
            inspector.ask(who, method, path, headers, body).await
        };
        let app = on.app_with(|settings| settings.limits.tasks = 3).await;
        let alice = app.user("alice");

        // As it should be.
        let full = json!({
            "title": "Buy milk", "description": "Two litres", "completed": true, "priority": "low",
            "due_date": "2026-02-06T10:00:00.5+01:00", "tags": ["shopping", "Ü"],
        });
        ask(&alice, "POST", TASKS, &[("Idempotency-Key", "one")], full.clone()).await;
        ask(&alice, "POST", TASKS, &[("Idempotency-Key", "one")], full.clone()).await;
        ask(&alice, "POST", TASKS, &[], json!({ "title": "x", "due_date": "0001-01-01" })).await;
        ask(&alice, "PATCH", &format!("{TASKS}/1"), &[], json!({ "due_date": "9999-12-31" })).await;
        ask(&alice, "PATCH", &format!("{TASKS}/1"), &[], json!({ "completed": false, "due_date": null })).await;
        let list = ask(&alice, "GET", &format!("{TASKS}?limit=1"), &[], json!(null)).await;
        ask(&alice, "GET", TASKS, &[], json!(null)).await;
        ask(&alice, "GET", TASKS, &[("If-None-Match", list.header("etag"))], json!(null)).await;
        let task = ask(&alice, "GET", &format!("{TASKS}/1"), &[], json!(null)).await;
        let tag = [("If-None-Match", task.header("etag"))];
        ask(&alice, "GET", &format!("{TASKS}/1"), &tag, json!(null)).await;
        ask(&alice, "DELETE", &format!("{TASKS}/2"), &[], json!(null)).await;
        ask(&alice, "POST", &format!("{TASKS}/2/restore"), &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/me", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/me?x=1", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/me/export", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/me/export?x=1", &[], json!(null)).await;
        ask(&app.user("leaving"), "DELETE", "/api/v1/me", &[], json!(null)).await;
        ask(&app.user("leaving"), "DELETE", "/api/v1/me?x=1", &[], json!(null)).await;
        ask(&app.anon(), "GET", "/healthz", &[], json!(null)).await;
        ask(&app.anon(), "GET", "/readyz", &[], json!(null)).await;
        ask(&app.anon(), "GET", "/health", &[], json!(null)).await;
        on_the_owner_path(&inspector, &on.app_with(|settings| settings.limits.tasks = 1).await).await;
        let settled = |settings: &mut Settings| settings.owner_list = ListShape::Tasks;
        on_the_owner_path(&inspector, &on.app_with(settled).await).await;

        ask(&alice, "GET", "/api/v1/changes", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/changes?limit=1", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/changes?since=99", &[], json!(null)).await;

        ask(&alice, "GET", "/api/v1/events", &[], json!(null)).await;
        ask(&alice, "GET", "/api/v1/events?since=99", &[], json!(null)).await;

        // Many at once, and by uid.
        let roomy = on.app().await;
        let owner = roomy.user("owner");
        let uid = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";
        let many = json!([
            { "op": "create", "task": { "title": "x", "uid": uid } }, { "op": "create", "task": { "title": "x", "uid": uid } },
            { "op": "update", "uid": uid, "patch": {} }, { "op": "update", "uid": uid, "if_version": 9, "patch": {} },
            { "op": "create", "task": { "title": "y", "uid": uid } }, { "op": "delete", "id": 1 }, { "op": "delete", "id": 1 },
            { "op": "restore", "id": 1 }, { "op": "create" },
        ]);
        for atomic in [false, true] {
            let body = json!({ "operations": many, "atomic": atomic });
            ask(&owner, "POST", "/api/v1/tasks/batch", &[], body).await;
        }
        ask(&owner, "POST", "/api/v1/tasks/batch", &[("If-Match", "*")], json!({ "operations": [] })).await;
        ask(&owner, "POST", TASKS, &[], json!({ "title": "y", "uid": uid })).await;
        ask(&owner, "DELETE", &format!("{TASKS}/1"), &[], json!(null)).await;
        ask(&owner, "POST", TASKS, &[], json!({ "title": "y", "uid": uid })).await;

        // Conflicts.
        ask(&alice, "POST", TASKS, &[("Idempotency-Key", "one")], json!({ "title": "other" })).await;
        ask(&alice, "POST", TASKS, &[("Idempotency-Key", "gone")], full.clone()).await;
        ask(&alice, "POST", TASKS, &[], json!({ "title": "too many" })).await;
        ask(&alice, "DELETE", &format!("{TASKS}/3"), &[], json!(null)).await;
        ask(&alice, "POST", TASKS, &[("Idempotency-Key", "gone")], full).await;
        ask(&alice, "POST", TASKS, &[], json!({ "title": "in its place" })).await;
        ask(&alice, "POST", &format!("{TASKS}/3/restore"), &[], json!(null)).await;
        for method in ["PATCH", "DELETE"] {
            let old = [("If-Match", "\"1\"")];
            let body = if method == "PATCH" { json!({ "title": "x" }) } else { json!(null) };
            ask(&alice, method, &format!("{TASKS}/1"), &old, body).await;
        }
        ask(&alice, "POST", &format!("{TASKS}/1/restore"), &[("If-Match", "\"1\"")], json!(null)).await;
        ask(&alice, "GET", &format!("{TASKS}?cursor=AAAA"), &[], json!(null)).await;
        let small = on.app_with(|settings| settings.limits.bytes = Some(1_000)).await;
        let carol = small.user("carol");
        carol.create("Buy milk").await;
        let long = json!({ "title": "Buy milk", "description": "x".repeat(500) });
        for (method, path) in [("PATCH", "/api/v1/tasks/1"), ("PATCH", "/api/carol/tasks/1"), ("PUT", "/api/carol/tasks/1")] {
            ask(&carol, method, path, &[], long.clone()).await;
        }

        // What every operation can meet.
        let two = NonZeroU32::new(2).unwrap();
        let hasty = on.app_with(|settings| settings.rate_limit = Some(RateLimit { per_second: two, burst: two })).await;
        let bob = hasty.user("bob");
        let drain = async || while bob.get(TASKS).await.status == 200 {};
        for operation in operations().iter().filter(|operation| operation.needs_a_token()) {
            let (method, path) = (operation.method.as_str(), operation.path_of(99));
            let body = || if operation.bodies().is_empty() { json!(null) } else { json!({ "title": "x" }) };
            ask(&app.anon(), method, &path, &[], body()).await;
            ask(&app.with_token(&app.expired("alice")), method, &path, &[], body()).await;
            ask(&app.user_with_scope("alice", ""), method, &path, &[], body()).await;
            let mut limited = 0;
            while limited != 429 {
                drain().await;
                limited = ask(&bob, method, &path, &[], body()).await.status;
            }
            if operation.is_about_one() {
                ask(&alice, method, &path, &[], body()).await;
                ask(&alice, method, &operation.path_with("me", "0"), &[], body()).await;
            }
            for parameter in operation.spec["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                match parameter["in"].as_str().unwrap() {
                    "header" => { ask(&alice, method, &operation.path_of(1), &[(name, "a b")], body()).await; }
                    "query" => { ask(&alice, method, &format!("{path}?{name}=%00"), &[], body()).await; }
                    _ => {}
                }
            }
            if operation.bodies().is_empty() {
                continue;
            }
            ask(&alice, method, &path, &[], json!({ "title": "", "tags": [1, "a", "A"], "completed": "maybe", "nonsense": {} })).await;
            let with = |media_type: &str, body: Vec<u8>| {
                let request = alice.request(operation.method.clone(), &path);
                request.header(header::CONTENT_TYPE, media_type).body(body)
            };
            for request in [
                with("application/json", b"{".to_vec()),
                with("application/json", b"\xff".to_vec()),
                with("text/plain", b"{}".to_vec()),
                with("application/json", vec![b' '; 1024 * 1024 + 1]),
            ] {
                inspector.send(&alice, request).await;
            }
        }

        let seen = inspector.seen.into_inner().unwrap();
        let documented = operations().into_iter().flat_map(|operation| {
            operation.answers().into_iter().map(move |(status, _)| (operation.id, status))
        });
        let unseen: Vec<_> = documented
            .filter(|(_, status)| !NOT_PROVOKED.contains(status))
            .filter(|pair| !seen.contains(pair))
            .collect();
        assert!(unseen.is_empty(), "{unseen:?} are documented, but nothing here makes them happen");
    }
}
