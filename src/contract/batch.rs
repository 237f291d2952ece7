//! Many operations in one request: the body, and the result of each.

mod read;
mod results;
mod schema;

use super::{Fault, Maybe, NewTask, TaskId, TaskPatch, Uid, Version};

pub use results::{BatchResults, OperationResult};

/// The most operations of one batch.
const MAX_OPERATIONS: usize = 100;

/// The body of `batchTasks`.
#[derive(Debug)]
pub struct BatchRequest {
    /// In their order, each read by itself.
    pub operations: Vec<Result<BatchOperation, Vec<Fault>>>,
    /// All or nothing.
    pub atomic: bool,
}

/// One operation of a batch.
#[derive(Debug)]
pub enum BatchOperation {
    /// Creates a task.
    Create(NewTask),
    /// Changes a task.
    Update(Target, Maybe<Version>, TaskPatch),
    /// Deletes a task.
    Delete(Target, Maybe<Version>),
    /// Restores a deleted task.
    Restore(Target, Maybe<Version>),
}

/// Which task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By its number.
    Id(TaskId),
    /// By the id that its client chose.
    Uid(Uid),
}
