//! Everything that a user stores, as lines of JSON (NDJSON): what `exportTasks` sends and `taskward import` reads.

use std::borrow::Cow;

use poem::{Body, IntoResponse, Response};
use poem_openapi::{
    Enum, Object,
    payload::Payload,
    types::{Example, ToJSON, Type},
};
use serde::Serialize;

use super::{
    Description, DueDate, Flag, Nullable, Priority, Revision, Tags, Task, TaskId, Timestamp, Title,
    Total, Uid, UserIdText, Version,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline},
};

/// The version of the form of an export. A reader refuses those that it does not know.
pub const EXPORT_FORMAT: i64 = 1;

/// Which line of an export it is, if it is no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ExportMark {
    /// The first.
    Begin,
    /// The last. An export without it was cut.
    End,
}

/// The first line of an export.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct ExportBegin {
    /// `begin`.
    pub export: ExportMark,
    /// The version of this form: 1.
    pub format: Total,
    /// Whose tasks they are.
    pub user_id: UserIdText,
    /// The revision at which the export began.
    pub revision: Revision,
    /// The highest `id` that was ever given to a task of the user.
    pub last_id: Total,
    /// When the export began.
    pub exported_at: Timestamp,
}

/// A task in an export, with all its members, and `deleted_at`.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct ExportedTask {
    /// Its number among your tasks.
    pub id: TaskId,
    /// The UUID that its client chose for it; null if it chose none.
    pub uid: Nullable<Uid>,
    /// Whose it is.
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
    /// When it is due; null if it need not be done by any time.
    pub due_date: Nullable<DueDate>,
    /// Labels, in your order.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed; of a deleted task, when it was deleted.
    pub updated_at: Timestamp,
    /// The revision of your tasks at its last change.
    pub version: Version,
    /// When it was deleted; null while it is not. A deleted task is kept for a while, so that it can be restored.
    pub deleted_at: Nullable<Timestamp>,
}

/// The last line of an export.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct ExportEnd {
    /// `end`.
    pub export: ExportMark,
    /// How many tasks were exported that are not deleted.
    pub tasks: Total,
    /// How many deleted tasks.
    pub deleted_tasks: Total,
    /// The revision at the end. If it is that of the first line, nothing was changed meanwhile, and the export is everything
    /// as it was at one moment.
    pub revision: Revision,
}

impl ExportedTask {
    /// A task, and when it was deleted if it was.
    pub fn new(task: Task, deleted_at: Option<Timestamp>) -> Self {
        let Task {
            id,
            uid,
            user_id,
            title,
            description,
            completed,
            completed_at,
            priority,
            due_date,
            tags,
            created_at,
            updated_at,
            version,
        } = task;
        Self {
            id,
            uid,
            user_id,
            title,
            description,
            completed,
            completed_at,
            priority,
            due_date,
            tags,
            created_at,
            updated_at,
            version,
            deleted_at: Nullable(deleted_at),
        }
    }
}

impl Example for ExportBegin {
    fn example() -> Self {
        let Task {
            user_id,
            updated_at,
            version,
            ..
        } = Task::example();
        Self {
            export: ExportMark::Begin,
            format: Total::of(EXPORT_FORMAT),
            user_id,
            revision: Revision::of(version.get()),
            last_id: Total::of(9),
            exported_at: updated_at,
        }
    }
}

impl Example for ExportedTask {
    fn example() -> Self {
        Self::new(Task::example(), None)
    }
}

impl Example for ExportEnd {
    fn example() -> Self {
        Self {
            export: ExportMark::End,
            tasks: Total::of(7),
            deleted_tasks: Total::of(1),
            revision: Revision::of(Task::example().version.get()),
        }
    }
}

/// A line of an export, for the document.
#[derive(Debug)]
pub struct ExportLine;

// By hand, because poem-openapi's derive macro for unions wants a tag in each object.
impl Type for ExportLine {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "ExportLine".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            description: Some(
                "A line: the first one, a task, or the last one. Each is a JSON object, and ends with a line feed.",
            ),
            any_of: vec![
                ExportBegin::schema_ref(),
                ExportedTask::schema_ref(),
                ExportEnd::schema_ref(),
            ],
            example: ExportedTask::example().to_json(),
            ..MetaSchema::ANY
        })
    }

    fn register(registry: &mut Registry) {
        ExportBegin::register(registry);
        ExportedTask::register(registry);
        ExportEnd::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// An export as it is sent.
#[derive(Debug)]
pub struct ExportLines(pub Body);

impl Payload for ExportLines {
    const CONTENT_TYPE: &'static str = "application/x-ndjson";

    fn schema_ref() -> MetaSchemaRef {
        ExportLine::schema_ref()
    }

    fn register(registry: &mut Registry) {
        ExportLine::register(registry);
    }
}

impl IntoResponse for ExportLines {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type(Self::CONTENT_TYPE)
            .body(self.0)
    }
}
