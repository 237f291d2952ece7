//! Tasks as clients see them.

use poem_openapi::{Enum, Object, types::Type};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Change, Description, DueDate, Flag, Maybe, Members, Nullable, RequestBody, Tags, TaskId,
    Timestamp, Title, UserIdText, Version,
    read::take_members,
    registry::MetaSchemaRef,
    scalar::{Scalar, mismatch},
};

/// How urgent a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Can wait.
    Low,
    /// As usual.
    Medium,
    /// First.
    High,
}

impl Scalar for Priority {
    const EXPECTED: &'static str = "\"low\", \"medium\" or \"high\"";

    fn schema_ref() -> MetaSchemaRef {
        <Self as Type>::schema_ref()
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("low") => Ok(Self::Low),
            Some("medium") => Ok(Self::Medium),
            Some("high") => Ok(Self::High),
            Some(_) => Err(format!("must be {}", Self::EXPECTED)),
            None => Err(mismatch::<Self>(value)),
        }
    }
}

/// One of your tasks.
#[derive(Debug, Clone, Object, Serialize)]
#[oai(example)]
pub struct Task {
    /// Its number among your tasks: 1, 2, 3 …, never used again.
    pub id: TaskId,
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

/// A task to be created. Only the title is required; other members than these are refused.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct NewTask {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    #[oai(default = "no_description")]
    pub description: Change<Description>,
    /// Whether it is done already.
    #[oai(default = "not_done")]
    pub completed: Maybe<Flag>,
    /// How urgent it is.
    #[oai(default = "medium")]
    pub priority: Maybe<Priority>,
    /// When it is due.
    #[oai(default = "no_due_date")]
    pub due_date: Change<DueDate>,
    /// Labels, unique ignoring case.
    #[oai(default = "no_tags")]
    pub tags: Maybe<Tags>,
}

// What the document shows as defaults; the store applies them.

fn no_description() -> Change<Description> {
    Change::Clear
}

fn no_due_date() -> Change<DueDate> {
    Change::Clear
}

fn not_done() -> Maybe<Flag> {
    Maybe(Some(Flag(false)))
}

fn medium() -> Maybe<Priority> {
    Maybe(Some(Priority::Medium))
}

fn no_tags() -> Maybe<Tags> {
    Maybe(Some(Tags::default()))
}

impl RequestBody for NewTask {
    const NAME: &'static str = "a new task";
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];

    fn read(members: &mut Members) -> Option<Self> {
        take_members!(members: title, description, completed, priority, due_date, tags)
    }
}

/// Changes to a task, as a JSON Merge Patch (RFC 7396): what is absent stays as it is, null clears. Other
/// members than these are refused.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TaskPatch {
    /// A new title.
    pub title: Maybe<Title>,
    /// A new description, or null for none.
    pub description: Change<Description>,
    /// Done or not; sets or clears `completed_at`.
    pub completed: Maybe<Flag>,
    /// A new priority.
    pub priority: Maybe<Priority>,
    /// A new due date, or null for none.
    pub due_date: Change<DueDate>,
    /// New tags, instead of all that were there; unique ignoring case.
    pub tags: Maybe<Tags>,
}

impl RequestBody for TaskPatch {
    const NAME: &'static str = "a task that can be changed";
    const MEDIA_TYPES: &'static [&'static str] =
        &["application/merge-patch+json", "application/json"];

    fn read(members: &mut Members) -> Option<Self> {
        take_members!(members: title, description, completed, priority, due_date, tags)
    }
}

/// The examples are read by the types that they are examples of, so they cannot be invalid.
#[expect(
    clippy::expect_used,
    reason = "a test prints the document, and so makes the examples"
)]
fn read<T: Scalar>(value: Value) -> T {
    T::from_json(&value).expect("a valid example")
}

impl poem_openapi::types::Example for Task {
    fn example() -> Self {
        Self {
            id: read(json!(7)),
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

impl poem_openapi::types::Example for TaskList {
    fn example() -> Self {
        Self {
            items: vec![Task::example()],
            next_cursor: Nullable(Some("WzEsMTIsN10".to_owned())),
        }
    }
}

impl poem_openapi::types::Example for NewTask {
    fn example() -> Self {
        Self {
            title: read(json!("Buy milk")),
            description: Change::Set(read(json!("Two litres, the organic one"))),
            completed: Maybe(None),
            priority: Maybe(Some(Priority::High)),
            due_date: Change::Set(read(json!("2026-02-06"))),
            tags: Maybe(Some(read(json!(["shopping", "home"])))),
        }
    }
}

impl poem_openapi::types::Example for TaskPatch {
    fn example() -> Self {
        Self {
            title: Maybe(None),
            description: Change::Clear,
            completed: Maybe(Some(Flag(true))),
            priority: Maybe(None),
            due_date: Change::Keep,
            tags: Maybe(None),
        }
    }
}
