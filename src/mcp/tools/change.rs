//! Changing a task so that it can be changed back.

use serde_json::{Map, Value, json};

use crate::{
    contract::{Change, Flag, Maybe, Task, TaskId, TaskPatch, Version},
    mcp::{
        date::Dates,
        outcome::ItemResult,
        row::{Row, name},
        tool_error::ToolError,
    },
    store::{Changes, Expected, ReadWrite, Scope, StoreError},
};

/// A task after a change.
pub(super) struct ChangeOutcome {
    pub(super) task: Task,
    /// What was changed, as it was.
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

/// How often somebody else may be faster before a change is given up.
const ATTEMPTS: usize = 5;

/// Changes a task, and tells what it replaced. The change is made only to the version that was looked at,
/// so that `before` is what was there, whoever else changes it; one that would change nothing is not made.
pub(super) async fn change(
    tasks: &Scope<ReadWrite>,
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
        "task {} is being changed by others all the time; try again",
        id.get()
    )))
}

fn stale(now: &Task, dates: &Dates) -> ToolError {
    ToolError(format!(
        "task {} has changed since you saw it, and was left alone; now it is {}",
        now.id.get(),
        Row::of(now, dates),
    ))
}

/// The members that a patch would change, as they are.
fn replaced(old: &Task, patch: &TaskPatch, dates: &Dates) -> Map<String, Value> {
    let TaskPatch {
        title,
        description,
        completed,
        priority,
        due_date,
        tags,
    } = patch;
    let mut before = Map::new();
    let mut note = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            before.insert(name.to_owned(), value);
        }
    };
    note(
        "title",
        differs(title, &old.title).then(|| json!(old.title)),
    );
    note(
        "description",
        changes(description, old.description.0.as_ref()).then(|| json!(old.description)),
    );
    note(
        "completed",
        differs(completed, &old.completed).then(|| json!(old.completed)),
    );
    note(
        "priority",
        differs(priority, &old.priority).then(|| json!(name(old.priority))),
    );
    let due = || json!(old.due_date.0.map(|due| dates.show(due)));
    note(
        "due_date",
        changes(due_date, old.due_date.0.as_ref()).then(due),
    );
    note("tags", differs(tags, &old.tags).then(|| json!(old.tags)));
    before
}

fn differs<T: PartialEq>(new: &Maybe<T>, old: &T) -> bool {
    new.0.as_ref().is_some_and(|new| new != old)
}

fn changes<T: PartialEq>(new: &Change<T>, old: Option<&T>) -> bool {
    match new {
        Change::Keep => false,
        Change::Clear => old.is_some(),
        Change::Set(new) => old != Some(new),
    }
}

/// The patch that changes nothing.
pub(super) fn nothing() -> TaskPatch {
    TaskPatch {
        title: Maybe(None),
        description: Change::Keep,
        completed: Maybe(None),
        priority: Maybe(None),
        due_date: Change::Keep,
        tags: Maybe(None),
    }
}

/// The patch that completes a task, or takes that back.
pub(super) fn completion(completed: bool) -> TaskPatch {
    TaskPatch {
        completed: Maybe(Some(Flag(completed))),
        ..nothing()
    }
}
