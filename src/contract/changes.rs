//! What has changed since a revision.

use poem_openapi::{Object, types::Example};
use serde::Serialize;
use serde_json::json;

use super::{Nullable, Revision, Scalar as _, Task, TaskId, Uid, Version};

/// A task that was deleted.
#[derive(Debug, Clone, Object, Serialize)]
#[oai(example)]
pub struct DeletedTask {
    /// Its number among your tasks.
    pub id: TaskId,
    /// The UUID that its client chose for it; null if it chose none.
    pub uid: Nullable<Uid>,
    /// The revision of its deletion.
    pub version: Version,
}

/// A page of changes. Tasks and deletions are each in the order of their versions.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct ChangeList {
    /// The tasks that were created, changed or restored, as they are now.
    pub tasks: Vec<Task>,
    /// The tasks that were deleted.
    pub deleted: Vec<DeletedTask>,
    /// Where the next page begins, for the parameter `cursor`; null on the last page.
    pub cursor: Nullable<String>,
    /// The revision of your tasks when the first page was read. When you have read all pages, keep it for the `since` of
    /// the next sync: what changed while you were reading comes then.
    pub next: Revision,
}

#[expect(
    clippy::expect_used,
    reason = "a test prints the document, and so makes the examples"
)]
impl Example for DeletedTask {
    fn example() -> Self {
        let version = Version::new(15).expect("a version");
        Self {
            id: TaskId::new(3).expect("an id"),
            uid: Nullable(Uid::from_json(&json!("0b9d6d5e-3c8e-4b0a-a1a4-6f0b1a6e9c11")).ok()),
            version,
        }
    }
}

impl Example for ChangeList {
    fn example() -> Self {
        Self {
            tasks: vec![Task::example()],
            deleted: vec![DeletedTask::example()],
            cursor: Nullable(None),
            next: Revision::of(15),
        }
    }
}
