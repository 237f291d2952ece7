//! What the operations on tasks answer.

use poem_openapi::ApiResponse;

use crate::{
    api::conditions::etag,
    contract::{Json, RenderedJson, Task, TaskList},
};

/// A page, or 304.
#[derive(ApiResponse)]
pub(super) enum TaskListResponse {
    /// A page of your tasks.
    #[oai(status = 200)]
    Page(
        RenderedJson<TaskList>,
        /// The revision of your tasks, in quotes.
        #[oai(header = "ETag")]
        String,
        /// Where the next page is (RFC 8288, `rel="next"`); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
    /// None of your tasks has changed since.
    #[oai(status = 304)]
    NotModified(
        /// The revision of your tasks, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A new task.
#[derive(ApiResponse)]
pub(super) enum CreatedTask {
    /// The task, created by this request or by an earlier one with the same key or uid.
    #[oai(status = 201)]
    Task(
        Json<Task>,
        /// The path of the task.
        #[oai(header = "Location")]
        String,
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
        /// Present, and `true`, if an earlier request with this Idempotency-Key or `uid` created the task.
        #[oai(header = "Idempotency-Replayed")]
        Option<String>,
    ),
}

/// A task, or 304.
#[derive(ApiResponse)]
pub(super) enum Found {
    /// The task.
    #[oai(status = 200)]
    Task(
        Json<Task>,
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
    /// The task has not changed since.
    #[oai(status = 304)]
    NotModified(
        /// Its version, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
}

/// A task as it is after a change.
#[derive(ApiResponse)]
pub(super) enum ChangedTask {
    /// The task as it is now.
    #[oai(status = 200)]
    Task(
        Json<Task>,
        /// Its version now, in quotes.
        #[oai(header = "ETag")]
        String,
    ),
}

impl ChangedTask {
    pub(super) fn task(task: Task) -> Self {
        let etag = etag(task.version.get());
        Self::Task(Json(task), etag)
    }
}

/// A task was deleted.
#[derive(ApiResponse)]
pub(super) enum Deleted {
    /// The task is deleted; `restoreTask` can restore it.
    #[oai(status = 204)]
    Gone,
}
