//! Deleting a task.

use super::Tasks;
use crate::{
    contract::{self, TaskId},
    store::{
        StoreError,
        commit::{Count, Expected, Set},
        entity::task::Column as Task,
        kind::CanWrite,
    },
};

impl<A: CanWrite> Tasks<A> {
    /// Deletes a task, and gives it as it was. A tombstone stays, from which [`restore`](Self::restore) brings it back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] if it is not in the version expected.
    pub async fn delete(
        &self,
        id: TaskId,
        expected: &Expected,
    ) -> Result<contract::Task, StoreError> {
        let values = vec![(Task::DeletedAt, Set::Moment)];
        self.change(id, expected, values, Count::Less).await
    }
}
