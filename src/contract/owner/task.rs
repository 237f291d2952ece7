//! Tasks as the owner paths answer with them.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use crate::contract::{Flag, Task};

/// One of your tasks, which tells by two names whether it is done: existing front ends know either.
#[derive(Debug, Clone, Object, Serialize)]
#[oai(example)]
pub struct OwnerTask {
    /// The task.
    #[oai(flatten)]
    #[serde(flatten)]
    pub task: Task,
    /// The same as `completed`.
    pub is_completed: Flag,
}

impl From<Task> for OwnerTask {
    fn from(task: Task) -> Self {
        let is_completed = task.completed;
        Self { task, is_completed }
    }
}

impl Example for OwnerTask {
    fn example() -> Self {
        Task::example().into()
    }
}
