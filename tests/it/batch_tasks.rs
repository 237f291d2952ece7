//! `batchTasks`: many operations in one commit.

mod atomic;
mod faults;
mod operations;

use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";
pub const BATCH: &str = "/api/v1/tasks/batch";
pub const UID: &str = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";

pub async fn batch(actor: &Actor, operations: Value) -> Answer {
    actor
        .post(BATCH, json!({ "operations": operations }))
        .await
        .has(200)
}

pub async fn atomic(actor: &Actor, operations: Value) -> Answer {
    let body = json!({ "operations": operations, "atomic": true });
    actor.post(BATCH, body).await.has(200)
}

/// The results, each as its status, and its code or the title and version of the task.
pub fn told(answer: &Answer) -> Vec<String> {
    let results = answer.body["results"].as_array().unwrap();
    let failed = results.iter().filter(|result| !result["problem"].is_null());
    assert_eq!(answer.body["failed"], failed.count(), "{answer}");
    let result = |result: &Value| {
        let (task, problem) = (&result["task"], &result["problem"]);
        let what = match (task, problem) {
            (Value::Null, Value::Null) => String::new(),
            (Value::Null, problem) => {
                assert_eq!(problem["status"], result["status"], "{answer}");
                assert_eq!(problem["request_id"], answer.header("x-request-id"));
                format!(" {}", problem["code"].as_str().unwrap())
            }
            (task, _) => {
                assert!(problem.is_null(), "{answer}");
                format!(" {} v{}", task["title"].as_str().unwrap(), task["version"])
            }
        };
        let replayed = if result["replayed"] == true {
            " replayed"
        } else {
            ""
        };
        format!("{}{what}{replayed}", result["status"])
    };
    results.iter().map(result).collect()
}

fn create(title: &str) -> Value {
    json!({ "op": "create", "task": { "title": title } })
}

pub fn create_as(uid: &str, title: &str) -> Value {
    json!({ "op": "create", "task": { "title": title, "uid": uid } })
}
