//! Tasks as clients see them.

use std::collections::BTreeMap;

use poem_openapi::{Object, types::Example};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Change, Description, DueDate, Flag, Lenient, Maybe, Members, Nullable, Priority, RequestBody,
    Scalar, Tags, TaskId, Timestamp, Title, Uid, UserIdText, Version,
    bodies::{Optional, Written, none, note, request_body, task_bodies, usual},
    read::take_members,
};

/// One of your tasks.
#[derive(Debug, Clone, Object, Serialize)]
#[oai(example)]
pub struct Task {
    /// Its number among your tasks: 1, 2, 3 …, never used again.
    pub id: TaskId,
    /// The UUID that its client chose for it; null if it chose none.
    pub uid: Nullable<Uid>,
    /// Whose it is: the `sub` of your token.
    pub user_id: UserIdText,
    /// What is to be done.
    pub title: Title,
    /// More about it; null if there is nothing.
    pub description: Nullable<Description>,
    /// Whether it is done.
    pub completed: Flag,
    /// When it was completed; null while it is not.
    pub completed_at: Nullable<Timestamp>,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is due; null if it need not be done by any time. A date stays a date, and a time comes back
    /// as the same instant in UTC.
    pub due_date: Nullable<DueDate>,
    /// Labels, unique ignoring case, in your order.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The revision of your tasks at its last change. Its ETag is this number in quotes.
    pub version: Version,
}

/// A page of tasks.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct TaskList {
    /// The tasks, in the order asked for.
    pub items: Vec<Task>,
    /// Where the next page begins, for the parameter `cursor`; null on the last page.
    pub next_cursor: Nullable<String>,
}

task_bodies! {
    /// More about it; null for nothing.
    description: Change<Description> = "none::<Description>";
    /// Whether it is done; sets or clears `completed_at`.
    completed: Maybe<Flag> = "usual::<Flag>";
    /// How urgent it is.
    priority: Maybe<Priority> = "usual::<Priority>";
    /// When it is due; null for no due date.
    due_date: Change<DueDate> = "none::<DueDate>";
    /// Labels, unique ignoring case. In a change, they replace all that were there.
    tags: Maybe<Tags> = "usual::<Tags>";
}

/// The examples are read by the types that they are examples of, so they cannot be invalid.
#[expect(
    clippy::expect_used,
    reason = "a test prints the document, and so makes the examples"
)]
fn read<T: Scalar>(value: Value) -> T {
    T::from_json(&value).expect("a valid example")
}

impl Example for Task {
    fn example() -> Self {
        Self {
            id: read(json!(7)),
            uid: Nullable(Some(read(json!("5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a")))),
            user_id: read(json!("k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1")),
            title: read(json!("Buy milk")),
            description: Nullable(Some(read(json!("Two litres, the organic one")))),
            completed: Flag(false),
            completed_at: Nullable(None),
            priority: Priority::High,
            due_date: Nullable(Some(read(json!("2026-02-06")))),
            tags: read(json!(["shopping", "home"])),
            created_at: read(json!("2026-02-01T08:30:00Z")),
            updated_at: read(json!("2026-02-01T08:30:00Z")),
            version: read(json!(12)),
        }
    }
}

impl Example for TaskList {
    fn example() -> Self {
        Self {
            items: vec![Task::example()],
            next_cursor: Nullable(Some("WzEsMTIsN10".to_owned())),
        }
    }
}

/// A body's example, read as a body is.
#[expect(
    clippy::expect_used,
    reason = "a test prints the document, and so makes the examples"
)]
fn body<T: RequestBody>(example: Value) -> T {
    let object = example.as_object().cloned().expect("an object");
    let mut members = Members::of(object).expect("few members");
    let body = T::read(&mut members);
    let unknown = |name: &str| Some(format!("{name} is not a member"));
    members.finish(body, unknown).expect("a valid example")
}

impl Example for NewTask {
    fn example() -> Self {
        body(json!({
            "title": "Buy milk",
            "description": "Two litres, the organic one",
            "priority": "high",
            "due_date": "2026-02-06",
            "tags": ["shopping", "home"],
        }))
    }
}

impl Example for TaskPatch {
    fn example() -> Self {
        body(json!({ "description": null, "completed": true }))
    }
}

impl Example for OwnerNewTask {
    fn example() -> Self {
        body(json!({ "title": "Buy milk", "description": "Two litres, the organic one" }))
    }
}

impl Example for OwnerTaskChanges {
    fn example() -> Self {
        body(json!({ "title": "Buy milk", "completed": true }))
    }
}
