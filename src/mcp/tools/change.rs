//! Changes a task, and shows what it replaced, so that the change can be undone.

use serde_json::{Map, Value, json};

use super::items::none;
use crate::{
    contract::{Flag, Maybe, Target, Task, TaskId, TaskPatch, Version},
    mcp::{date::Dates, outcome::ItemResult, row::Row, tool_error::ToolError},
    store::{
        Batch, CanRead, CanWrite, Changes, Created, Expected, Operation, OperationOutcome,
        StoreError, Tasks,
    },
};

/// A change of one task. One that would change nothing is not made.
#[derive(Debug, Clone)]
pub(super) struct TaskChange {
    pub(super) id: TaskId,
    pub(super) patch: TaskPatch,
    /// In which version the task must be.
    pub(super) expected: Option<Version>,
}

/// A task after a change.
pub(super) struct ChangeOutcome {
    pub(super) task: Task,
    /// The old values of what changed.
    pub(super) before: Map<String, Value>,
}

impl ChangeOutcome {
    pub(super) fn into_item(self, dates: &Dates) -> ItemResult {
        ItemResult {
            unchanged: self.before.is_empty().then_some(true),
            before: self.before,
            ..ItemResult::task(Row::of(&self.task, dates))
        }
    }
}

impl TaskChange {
    pub(super) fn operation(&self) -> Operation {
        Operation::Update {
            target: Target::Id(self.id),
            changes: Changes::of(self.patch.clone()),
            expected: match self.expected {
                Some(version) => Expected::OneOf(vec![version.get()]),
                None => Expected::Any,
            },
            if_different: true,
        }
    }

    /// What became of it. `before` is exactly what was replaced, even if other clients change the task: it is the task as
    /// the same commit found it.
    pub(super) fn outcome<A: CanRead>(
        &self,
        tasks: &Tasks<A>,
        result: Result<OperationOutcome, StoreError>,
        dates: &Dates,
    ) -> Result<ChangeOutcome, ToolError> {
        let (task, before) = match result {
            Ok(OperationOutcome::Updated { task, before }) => {
                let before = replaced(&tasks.show(&before), &self.patch, dates);
                (task, before)
            }
            Ok(OperationOutcome::Nothing(task)) => (tasks.show(&task), Map::new()),
            Ok(
                OperationOutcome::Created(Created { task, .. })
                | OperationOutcome::Deleted(task)
                | OperationOutcome::Restored(task),
            ) => (task, Map::new()),
            Err(StoreError::Changed(now)) => return Err(stale(&tasks.show(&now), dates)),
            Err(error) => return Err(error.into()),
        };
        Ok(ChangeOutcome { task, before })
    }
}

/// Changes one task.
pub(super) async fn change<A: CanRead + CanWrite>(
    tasks: &Tasks<A>,
    change: &TaskChange,
    dates: &Dates,
) -> Result<ChangeOutcome, ToolError> {
    let batch = Batch {
        operations: vec![change.operation()],
        atomic: false,
    };
    let mut results = tasks.batch(batch).await?.results;
    let result = results.pop().unwrap_or_else(none);
    change.outcome(tasks, result, dates)
}

fn stale(now: &Task, dates: &Dates) -> ToolError {
    ToolError(format!(
        "task {} has changed since you read it, so this was not done; it is now {}",
        now.id.get(),
        Row::of(now, dates),
    ))
}

/// The current values of the members that a patch would change; the due date is in the caller's local time.
fn replaced(old: &Task, patch: &TaskPatch, dates: &Dates) -> Map<String, Value> {
    let mut before = patch.replaced(old);
    if let Some(due) = before.get_mut("due_date") {
        *due = json!(old.due_date.0.map(|due| dates.show(due)));
    }
    before
}

/// The patch that completes or reopens a task.
pub(super) fn completion(completed: bool) -> TaskPatch {
    TaskPatch {
        completed: Maybe(Some(Flag(completed))),
        ..TaskPatch::default()
    }
}
