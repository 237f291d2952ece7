//! Front ends that were written for other backends: each request that one of them can send, as recorded
//! in `tests/front-ends/`, is sent and its answer must hold what that front end reads.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    fs,
    path::Path,
};

use expect_test::expect;
use reqwest::{Method, header};
use serde_json::{Value, json};
use taskward::api::ListShape;

use crate::support::{
    Actor, Answer, Backend,
    contract::{Operation, contract, operations},
    on_both,
};

/// A task path with the owner in it; other paths (chat, sign-in, …) are not for a task API.
const TASKS: &str = "/api/{user_id}/tasks";

on_both! {
    /// With a good token, which not all of them send, and the list in the shape that they want.
    async fn recorded_front_ends_get_the_members_that_they_read(on: Backend) {
        let mut report = String::new();
        for (name, recorded) in recorded() {
            let app = on
                .app_with(|settings| {
                    if recorded["needs"]["OWNER_PATHS_LIST"] == "tasks" {
                        settings.owner_list = ListShape::Tasks;
                    }
                })
                .await;
            let alice = app.user("alice");
            let mut found = Found::default();
            for request in recorded["requests"].as_array().unwrap() {
                if is_task_path(request["path"].as_str().unwrap()) {
                    found.replay(&alice, request).await;
                } else {
                    found.not_served.insert(request["name"].as_str().unwrap().to_owned());
                }
            }
            writeln!(report, "{name}: {found}").unwrap();
        }
        expect![[r#"
            abdulwahidchohan: reads all but tags as string|null; ignored: recurring_rule; not served: chat
            aftabahmed4: reads all but items, total_pages; ignored: status; not served: chat, messages, sign_in, sign_up
            ahmedsaeed4: reads all but category, createdAt, status, updatedAt; ignored: ?category, category, dueDate; not served: stats
            aliraza4278: reads all
            alishbaaslam: reads all; not served: sign_in, sign_up
            anumahte: reads all
            aqsagull99: reads all
            arooj-26: reads all; refused: no title; ignored: ?_t, recurrence; not served: sign_in, sign_out, sign_up, toggle
            bakhtawarabbasi: reads all but task; not served: sign_in, sign_out, sign_up
            bilalalisyed0184: reads all; not served: me, sign_in, sign_up, toggle
            bilalinit: reads all but category, completed_count, pending_count, task; ignored: ?category, category; not served: profile, profile_update
            ghulammustafa119: reads all; refused: priority=urgent; ignored: recurrence_rule; not served: chat, notification_read, notifications, task_events
            idreeskhan12: reads all; ignored: ?user_id; not served: sign_in, sign_up
            iqra-ikram: reads all; not served: chat, dashboard
            jawarianoor: reads all
            jiyanaveed: reads all; not served: chat, me, sign_in, sign_up
            m-fatimazohra: reads all but createdAt; refused: priority=urgent; not served: chat
            maheen939: reads all but completed, pending
            malikasadjaved: reads all but priority as LOW|MEDIUM|HIGH, recurrence, status; ignored: recurrence, status; not served: set_status, sign_in, sign_up, tag_create, tag_delete, tags
            mehtabalikhan: reads all but task; ignored: dueDate; not served: sign_in, sign_up
            mohsinmirzamaad: reads all; not served: chat
            moinuddin2406: reads all; not served: sign_in, sign_up
            muhammadowais1412: reads all
            muhammadtalha678: reads all
            muhammadyasir678: reads all; ignored: recurrence_interval, recurrence_pattern, reminder_time; not served: list, sign_in, sign_up
            nabeerak: reads all; not served: sign_in, sign_out, sign_up
            rao-faizan: reads all; not served: sign_in, sign_up
            samiceto: reads all; refused: priority=urgent; ignored: ?due_date_end, ?due_date_start, recurrence_rule, reminder_offset; not served: chat, sign_in, sign_up, tag_add, tag_remove
            shahzaib1233: reads all but createdAt; not served: sign_in, sign_up
            shazilk-dev: reads all but status, tags as object[]; refused: priority=critical; ignored: ?status_filter, status; not served: chat, focus_active, focus_end, focus_start, messages, statistics, status, tag_create, tags, task_tags
            shehreen43: reads all; not served: me, sign_in, sign_out, sign_up
            subhana123: reads all; not served: sign_in, sign_up
            sunaina-ismail: reads all but data; refused: sort_by=alphabetical_az, sort_by=due_date_soonest, sort_by=priority_high_low; not served: tags
            tahasiraj1: reads all
            talharafique1: reads all but createdAt; not served: me, sign_in, sign_up
            ucdexpert: reads all; not served: chat, conversations, forgot_password, messages, sign_in, sign_up
            umer-ali7: reads all; not served: chat, profile, profile_update, sign_in, sign_up, stats
            uneezaismail: reads all but data
            waseem9842: reads all; not served: sign_in, sign_up
            yasmin191: reads all but tags as object[]; refused: priority=urgent; ignored: ?overdue, recurrence_rule; not served: chat, messages, sign_in, tags
            zakia-baig: reads all; not served: sign_in, sign_up
        "#]].assert_eq(&report);
    }
}

/// What a front end misses, each thing once.
#[derive(Default)]
struct Found {
    /// Parameters and members with values that are refused.
    refused: BTreeSet<String>,
    /// Members of an answer that it reads and that are not there, or not as it reads them.
    missed: BTreeSet<String>,
    /// Parameters and members that it sends, and that have no effect.
    ignored: BTreeSet<String>,
    /// What it asks for outside of the task paths.
    not_served: BTreeSet<String>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        match self.missed.is_empty() {
            true => f.write_str("reads all")?,
            false => write!(f, "reads all but {}", list(&self.missed))?,
        }
        for (what, names) in [
            ("refused", &self.refused),
            ("ignored", &self.ignored),
            ("not served", &self.not_served),
        ] {
            if !names.is_empty() {
                write!(f, "; {what}: {}", list(names))?;
            }
        }
        Ok(())
    }
}

/// The front ends that call task paths with an owner, by name.
fn recorded() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/front-ends");
    let mut recorded = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let front_end: Value =
                serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let requests = front_end["requests"].as_array().unwrap();
            if requests
                .iter()
                .any(|request| is_task_path(request["path"].as_str().unwrap()))
            {
                recorded.push((
                    path.file_stem().unwrap().to_str().unwrap().to_owned(),
                    front_end,
                ));
            }
        }
    }
    recorded.sort_by(|a, b| a.0.cmp(&b.0));
    recorded
}

/// With or without a trailing slash, which Taskward serves both.
fn is_task_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    path == TASKS || path == format!("{TASKS}/{{id}}") || path == format!("{TASKS}/{{id}}/complete")
}

impl Found {
    /// Sends a request, once for each value of its query, and notes what was wrong with the answers.
    async fn replay(&mut self, alice: &Actor, request: &Value) {
        let parameters = operation("listOwnerTasks").spec["parameters"]
            .as_array()
            .unwrap();
        for name in request["query"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if !parameters
                .iter()
                .any(|parameter| parameter["in"] == "query" && parameter["name"] == **name)
            {
                self.ignored.insert(format!("?{name}"));
            }
        }
        let members = &contract()["components"]["schemas"]["OwnerTask"]["properties"];
        for (name, _) in request["body"].as_object().into_iter().flatten() {
            if members.get(name).is_none() {
                self.ignored.insert(name.clone());
            }
        }
        for query in queries(&request["query"]) {
            // Each acts on a task of its own, with something in every member.
            let task = alice
                .create_with(json!({
                    "title": "Buy milk", "description": "two litres", "due_date": "2026-02-06", "tags": ["home"],
                }))
                .await;
            let path = request["path"]
                .as_str()
                .unwrap()
                .replace("{user_id}", "alice");
            let path = path.replace("{id}", &task.id.to_string());
            let method: Method = request["method"].as_str().unwrap().parse().unwrap();
            let mut sent = alice.request(method, &format!("{path}?{query}"));
            for (header, value) in request["headers"].as_object().unwrap() {
                if !header.eq_ignore_ascii_case("authorization") && header != "Content-Type" {
                    sent = sent.header(header, value.as_str().unwrap());
                }
            }
            // Nearly all say so even when there is no body.
            sent = sent.header(header::CONTENT_TYPE, "application/json");
            if !request["body"].is_null() {
                sent = sent.body(request["body"].to_string());
            }
            let answer = alice.send(sent).await;
            self.judge(request, &query, &answer);
        }
    }

    fn judge(&mut self, request: &Value, query: &str, answer: &Answer) {
        if !(200..300).contains(&answer.status) {
            let faults = answer.body["errors"].as_array();
            assert!(
                faults.is_some_and(|faults| !faults.is_empty()),
                "{request:#} {answer}"
            );
            for fault in faults.into_iter().flatten() {
                self.refused.insert(match fault["pointer"].as_str() {
                    Some(pointer) => match request["body"].pointer(pointer) {
                        Some(value) => format!("{}={}", &pointer[1..], value.as_str().unwrap()),
                        None => format!("no {}", &pointer[1..]),
                    },
                    None => {
                        let name = fault["parameter"].as_str().unwrap();
                        query
                            .split('&')
                            .find(|part| part.starts_with(name))
                            .unwrap()
                            .to_owned()
                    }
                });
            }
            return;
        }
        let expects = &request["expects"];
        let fits = match expects["shape"].as_str().unwrap() {
            "array" => answer.body.is_array(),
            "tasks_total" => answer.body["tasks"].is_array(),
            "task" => answer.body.is_object(),
            "json" => answer.body.is_object() || answer.body.is_array(),
            "none" => true,
            other => panic!("{other}"),
        };
        assert!(fits, "{request:#} {answer}");
        if answer.body.is_object() && request["body"]["title"].is_string() {
            assert_eq!(answer.body["title"], request["body"]["title"], "{answer}");
        }
        for read in expects["reads"].as_array().unwrap() {
            self.missed
                .extend(missed(&answer.body, read.as_str().unwrap()));
        }
    }
}

fn operation(id: &str) -> Operation {
    operations()
        .into_iter()
        .find(|operation| operation.id == id)
        .unwrap()
}

/// No query, one for each value that each name can have, and one with all names.
fn queries(query: &Value) -> Vec<String> {
    let (mut queries, mut all) = (vec![String::new()], Vec::new());
    for (name, values) in query.as_object().into_iter().flatten() {
        let values: Vec<String> = match values {
            Value::Array(values) => values
                .iter()
                .map(|value| value.as_str().unwrap().to_owned())
                .collect(),
            Value::String(kind) if kind == "number" => vec!["1".to_owned()],
            _ => vec!["milk".to_owned()],
        };
        all.push(format!("{name}={}", values[0]));
        queries.extend(values.iter().map(|value| format!("{name}={value}")));
    }
    queries.push(all.join("&"));
    queries.dedup();
    queries
}

/// What the answer lacks of that which `member:type` names. A `?` after the type lets it be absent, and
/// what may be null may be absent as well: to a script that is nearly the same.
fn missed(body: &Value, read: &str) -> Option<String> {
    let (path, kind) = read.split_once(':').unwrap_or((read, "any"));
    let kind = kind.split(" (").next().unwrap();
    let (kind, optional) = kind
        .strip_suffix('?')
        .map_or((kind, false), |kind| (kind, true));
    let kinds: Vec<&str> = kind.split('|').collect();
    let optional = optional || kinds.contains(&"null");
    let mut values = vec![body];
    for step in path.split('.') {
        let (name, each) = step
            .strip_suffix("[]")
            .map_or((step, false), |name| (name, true));
        if !name.is_empty() {
            values = values.iter().map(|value| &value[name]).collect();
        }
        if !optional && values.iter().any(|value| value.is_null()) {
            return Some(name.to_owned());
        }
        if each {
            values = values
                .iter()
                .filter_map(|value| value.as_array())
                .flatten()
                .collect();
        }
    }
    let name = path.rsplit('.').next().unwrap();
    let is = |kind: &str, value: &Value| match kind {
        // Ids are only ever compared and put into paths: a number does where a string is declared.
        _ if name == "id" || name.ends_with("_id") => value.is_number() || value.is_string(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "string[]" => value
            .as_array()
            .is_some_and(|items| items.iter().all(Value::is_string)),
        "any" => true,
        word => value == word,
    };
    let fits =
        |value: &&Value| (optional && value.is_null()) || kinds.iter().any(|kind| is(kind, value));
    (!values.iter().all(fits)).then(|| format!("{name} as {kind}"))
}
