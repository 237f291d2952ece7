//! Changes a task, and shows what it replaced, so that the change can be undone.

use serde_json::{Map, Value, json};

use crate::{
    contract::{Flag, Maybe, Task, TaskId, TaskPatch, Version},
    mcp::{date::Dates, outcome::ItemResult, row::Row, tool_error::ToolError},
    store::{Changes, Expected, ReadWrite, StoreError, Tasks},
};

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

/// How often a change is tried when other clients change the task at the same time.
const ATTEMPTS: usize = 5;

/// Changes a task. The change is made only to the version that was read, so that `before` is exactly what it replaced,
/// even if other clients change the task. A change that would change nothing is not made.
pub(super) async fn change(
    tasks: &Tasks<ReadWrite>,
    id: TaskId,
    patch: &TaskPatch,
    expected: Option<Version>,
    dates: &Dates,
) -> Result<ChangeOutcome, ToolError> {
    for _ in 0..ATTEMPTS {
        let old = tasks.get(id).await?;
        if expected.is_some_and(|version| version != old.version) {
            return Err(stale(&old, dates));
        }
        let before = replaced(&old, patch, dates);
        let changes = Changes::of(patch.clone()).filter(|_| !before.is_empty());
        let Some(changes) = changes else {
            return Ok(ChangeOutcome { task: old, before });
        };
        let this = Expected::OneOf(vec![old.version.get()]);
        match tasks.update(id, changes, &this).await {
            Ok(task) => return Ok(ChangeOutcome { task, before }),
            Err(StoreError::Changed(now)) if expected.is_some() => {
                return Err(stale(&tasks.show(&now), dates));
            }
            Err(StoreError::Changed(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ToolError(format!(
        "other clients keep changing task {}; try again",
        id.get()
    )))
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
