//! What became of a batch.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use crate::contract::{Flag, Nullable, Problem, ProblemCode, ProblemDetail, Revision, Task, Total};

/// What became of a batch.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct BatchResults {
    /// The result of each operation, in their order.
    pub results: Vec<OperationResult>,
    /// How many operations were refused.
    pub failed: Total,
    /// The revision of your tasks: that of the last operation that changed one.
    pub revision: Revision,
}

/// The result of one operation of a batch: what it would be answered with alone.
#[derive(Debug, Object, Serialize)]
pub struct OperationResult {
    /// The status: 201 for a task that was created, 200 for one that was changed or restored, 204 for one that was deleted;
    /// otherwise that of the problem.
    #[oai(validator(minimum(value = "200"), maximum(value = "599")))]
    pub status: u16,
    /// The task as it is after this operation. Null if it was deleted or the operation was refused, and if nothing was written
    /// and your token may not read.
    pub task: Nullable<Task>,
    /// Whether the task was created by an earlier request with the same `uid`.
    pub replayed: Flag,
    /// Why the operation was refused. Null if it was done.
    pub problem: Nullable<ProblemDetail>,
}

impl OperationResult {
    /// Of an operation that was done.
    pub fn done(status: u16, task: Option<Task>, replayed: bool) -> Self {
        Self {
            status,
            task: Nullable(task),
            replayed: Flag(replayed),
            problem: Nullable(None),
        }
    }

    /// Of one that was refused.
    pub fn refused(problem: ProblemDetail) -> Self {
        Self {
            status: problem.status,
            task: Nullable(None),
            replayed: Flag(false),
            problem: Nullable(Some(problem)),
        }
    }
}

impl Example for BatchResults {
    fn example() -> Self {
        let problem = Problem::new(
            ProblemCode::TaskNotFound,
            ProblemCode::TaskNotFound.example(),
        );
        Self {
            results: vec![
                OperationResult::done(201, Some(Task::example()), false),
                OperationResult::refused(problem.into_detail("9f0c1a52b7d84e36")),
                OperationResult::done(204, None, false),
            ],
            failed: Total::of(1),
            revision: Revision::of(13),
        }
    }
}
