//! Changing a task.

use super::{
    Tasks,
    derived::{self, completion},
};
use crate::{
    contract::{self, TaskId, TaskPatch},
    store::{
        StoreError,
        commit::{Assignment, Count, Expected, Set},
        entity::task::Column as Task,
        kind::{CanRead, CanWrite},
    },
};

/// What a patch changes: at least one member. A patch that names none is no write, so it needs a scope that can read.
#[derive(Debug, Clone)]
pub struct Changes(pub(super) Vec<Assignment>);

impl Changes {
    /// The changes that a patch names; `None` if it names none.
    pub fn of(patch: TaskPatch) -> Option<Self> {
        let values = derived::of_patch(patch);
        (!values.is_empty()).then_some(Self(values))
    }

    /// The changes that a patch names, and the completion turned to its other side.
    pub fn with_other_completion(patch: TaskPatch) -> Self {
        let mut values = derived::of_patch(patch);
        values.retain(|(column, _)| !matches!(column, Task::CompletedAt));
        values.push((Task::CompletedAt, Set::Turned));
        Self(values)
    }
}

impl<A: CanRead> Tasks<A> {
    /// One task, in a version that is expected: what a patch that names no member comes to.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] if it is not in the version expected.
    pub async fn get_expected(
        &self,
        id: TaskId,
        expected: &Expected,
    ) -> Result<contract::Task, StoreError> {
        let task = self.find(id).await?;
        match expected.is_met_by(task.version.get()) {
            true => Ok(task),
            false => Err(expected.not_met(task)),
        }
    }
}

impl<A: CanWrite> Tasks<A> {
    /// Changes what the patch names and leaves the rest as it is, whoever else changes it meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] if it is not in the version expected.
    pub async fn update(
        &self,
        id: TaskId,
        Changes(values): Changes,
        expected: &Expected,
    ) -> Result<contract::Task, StoreError> {
        self.change(id, expected, values, Count::Same).await
    }

    /// Completes a task or takes that back; `None` changes it to the other side.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] if it is not in the version expected.
    pub async fn complete(
        &self,
        id: TaskId,
        completed: Option<bool>,
        expected: &Expected,
    ) -> Result<contract::Task, StoreError> {
        let value = completed.map_or(Set::Turned, completion);
        let values = vec![(Task::CompletedAt, value)];
        self.change(id, expected, values, Count::Same).await
    }
}
