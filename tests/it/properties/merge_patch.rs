//! Patches against RFC 7396, word for word, on the JSON of the task.

use chrono::{DateTime, SecondsFormat, Utc};
use proptest::{collection::vec, prelude::*, sample::select};
use reqwest::{Method, header};
use serde_json::{Map, Value, json};

use super::try_on;
use crate::support::{Backend, on_both};

/// What can be changed; the others are the server's.
const MEMBERS: [&str; 6] = [
    "title",
    "description",
    "completed",
    "priority",
    "due_date",
    "tags",
];

/// `MergePatch` of RFC 7396 §2.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let members = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge_patch(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Values, null where that clears, and what each member refuses.
fn member(name: &'static str) -> BoxedStrategy<Value> {
    let values = |values: &[Value]| select(values.to_vec()).boxed();
    match name {
        "title" => values(&[
            json!("Buy milk"),
            json!(" x "),
            json!("😀\u{308}"),
            json!("a".repeat(500)),
        ]),
        "description" => values(&[
            json!(null),
            json!(""),
            json!("two\nlines"),
            json!("é"),
            json!("ä".repeat(10_000)),
        ]),
        "completed" => values(&[json!(true), json!(false)]),
        "priority" => values(&[json!("low"), json!("medium"), json!("high")]),
        "due_date" => values(&[
            json!(null),
            json!("2026-02-06"),
            json!("2024-02-29"),
            json!("2026-02-06T00:00:00Z"),
            json!("2026-02-06T09:00:00.123456+05:30"),
            json!("2026-02-06t09:00:00.5z"),
        ]),
        _ => values(&[json!([]), json!(["b", "a"]), json!(["Ä", "😀 x"])]),
    }
}

fn refused() -> impl Strategy<Value = (&'static str, Value)> {
    select(vec![
        ("title", json!(null)),
        ("title", json!("")),
        ("completed", json!(null)),
        ("completed", json!("true")),
        ("priority", json!(null)),
        ("tags", json!(null)),
        ("tags", json!(["a", "A"])),
        ("due_date", json!("2026-02-30")),
        ("description", json!("\0")),
        ("id", json!(1)),
        ("version", json!(1)),
    ])
}

/// One patch of a sequence.
#[derive(Debug, Clone)]
struct Step {
    patch: Map<String, Value>,
    refused: Option<(&'static str, Value)>,
    /// With the tag of the task as it is, with that of the step before, or without.
    if_match: Option<bool>,
    media_type: &'static str,
}

fn step() -> impl Strategy<Value = Step> {
    let members = MEMBERS.map(|name| proptest::option::weighted(0.4, member(name)));
    let media_types = ["application/json", "application/merge-patch+json"];
    (
        members,
        proptest::option::weighted(0.1, refused()),
        proptest::option::weighted(0.4, proptest::bool::weighted(0.7)),
        select(media_types.to_vec()),
    )
        .prop_map(|(values, refused, if_match, media_type)| {
            let patch = MEMBERS.iter().zip(values);
            let patch = patch.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            Step {
                patch: patch.collect(),
                refused,
                if_match,
                media_type,
            }
        })
}

/// What the answer must have for the members: a member that is not there is null, and a time is in UTC.
fn shown(model: &Value) -> Value {
    let mut shown = Map::new();
    for name in MEMBERS {
        let value = match (&model[name], name) {
            (Value::String(text), "due_date") if text.len() > 10 => {
                let time: DateTime<Utc> = text.to_ascii_uppercase().parse().unwrap();
                json!(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            (value, _) => value.clone(),
        };
        shown.insert(name.to_owned(), value);
    }
    shown.into()
}

fn of(task: &Value) -> Value {
    MEMBERS
        .iter()
        .map(|name| ((*name).to_owned(), task[name].clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn time(task: &Value, member: &str) -> DateTime<Utc> {
    task[member].as_str().unwrap().parse().unwrap()
}

on_both! {
    async fn patches_are_merge_patches(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let input = (vec(step(), 1..12), any::<bool>());
        tokio::task::block_in_place(|| try_on(on, input, async |(steps, completed)| {
            let created = alice.create_with(json!({ "title": "Buy milk", "completed": completed })).await;
            let mut model = json!({ "title": "Buy milk", "completed": completed, "priority": "medium", "tags": [] });
            let (mut task, mut stale) = (created.task.clone(), "\"0\"".to_owned());
            assert_eq!(of(&task), shown(&model));
            for step in steps {
                let mut patch = step.patch.clone();
                patch.extend(step.refused.clone().map(|(name, value)| (name.to_owned(), value)));
                let patch = Value::Object(patch);
                let tag = format!("\"{}\"", task["version"]);
                let mut request = alice.request(Method::PATCH, &created.location);
                if let Some(current) = step.if_match {
                    request = request.header(header::IF_MATCH, if current { &tag } else { &stale });
                }
                let request = request.header(header::CONTENT_TYPE, step.media_type).body(patch.to_string());
                let answer = alice.send(request).await;
                let now = alice.get(&created.location).await.body;
                if step.refused.is_some() {
                    assert_eq!((answer.status, &now), (422, &task), "{answer}");
                    continue;
                }
                if step.if_match == Some(false) {
                    assert_eq!((answer.status, &now), (412, &task), "{answer}");
                    assert_eq!(answer.body["current"], task);
                    continue;
                }
                assert_eq!((answer.status, &answer.body), (200, &now), "{answer}");
                assert_eq!(answer.header("etag"), format!("\"{}\"", now["version"]));
                merge_patch(&mut model, &patch);
                assert_eq!(of(&now), shown(&model), "{patch} on {task}");
                for name in ["id", "user_id", "created_at"] {
                    assert_eq!(now[name], task[name], "{name}");
                }
                if patch == json!({}) {
                    assert_eq!(now, task);
                } else {
                    assert!(now["version"].as_i64() > task["version"].as_i64());
                    assert!(time(&now, "updated_at") >= time(&task, "updated_at"));
                }
                let (was, is) = (&task["completed_at"], &now["completed_at"]);
                match (task["completed"] == true, now["completed"] == true) {
                    (true, true) => assert_eq!(was, is, "completed once"),
                    (false, true) => assert_eq!(is, &now["updated_at"]),
                    (_, false) => assert_eq!(is, &json!(null)),
                }
                if now != task {
                    stale = tag;
                }
                task = now;
            }
        }));
    }
}
