//! Changing, deleting and restoring a task.

use chrono::{TimeDelta, Utc};
use sea_orm::{
    ExprTrait as _,
    prelude::DateTimeUtc,
    sea_query::{Expr, Query},
};

use super::{
    Named, Tasks, Unchanged,
    derived::{self, completion},
};
use crate::contract::{self, TaskId, TaskPatch};
use crate::store::{
    StoreError,
    commit::{Assignment, Condition, Count, Expected, Set, What, Write},
    entity::{task::Column as Task, user_clock, user_clock::Column as Clock},
    kind::CanRead,
    kind::CanWrite,
    row::TaskRow,
};

impl Expected {
    /// The error for a task in another version.
    fn not_met(&self, task: contract::Task) -> StoreError {
        let now = task.version.get();
        let named = match self {
            Self::OneOf(versions) if versions.is_empty() => Named::Nothing,
            Self::OneOf(versions) if versions.iter().all(|version| *version > now) => Named::Later,
            _ => Named::Earlier,
        };
        let task = Box::new(task);
        StoreError::Changed(Unchanged { task, named })
    }
}

/// What a patch changes: at least one member. A patch that names none is no write, so it needs a scope that can read.
#[derive(Debug, Clone)]
pub struct Changes(Vec<Assignment>);

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

/// What [`Scope::restore`] found.
#[derive(Debug)]
pub enum Restored {
    /// The task was deleted, and is back.
    Now(contract::Task),
    /// The task is not deleted; nothing was written.
    Already(Unchanged),
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
        match expected {
            Expected::OneOf(versions) if !versions.contains(&task.version.get()) => {
                Err(expected.not_met(task))
            }
            _ => Ok(task),
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
        let write = self.change(id, expected, values, Count::Same);
        match self.write(write).await? {
            Some(row) => row.into_task(self.user.as_str()),
            None => Err(self.refusal(id, expected).await),
        }
    }

    /// Completes a task or takes that back; `None` changes it to the other side.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn complete(
        &self,
        id: TaskId,
        completed: Option<bool>,
        expected: &Expected,
    ) -> Result<contract::Task, StoreError> {
        let value = completed.map_or(Set::Turned, completion);
        let values = vec![(Task::CompletedAt, value)];
        let write = self.change(id, expected, values, Count::Same);
        match self.write(write).await? {
            Some(row) => row.into_task(self.user.as_str()),
            None => Err(self.refusal(id, expected).await),
        }
    }

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
        let write = self.change(id, expected, values, Count::Less);
        match self.write(write).await? {
            Some(row) => row.into_task(self.user.as_str()),
            None => Err(self.refusal(id, expected).await),
        }
    }

    /// Restores a deleted task. One that is not deleted stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is neither the task nor a tombstone younger than the
    /// retention; [`StoreError::LimitReached`].
    pub async fn restore(&self, id: TaskId) -> Result<Restored, StoreError> {
        let restorable = Condition::DeletedAfter(self.oldest_tombstone());
        let values = vec![(Task::DeletedAt, Set::to(None::<DateTimeUtc>))];
        let count = Count::More(self.store.limit);
        let write = self.change_if(id, restorable, values, count);
        loop {
            if let Some(row) = self.write(write.clone()).await? {
                return row.into_task(self.user.as_str()).map(Restored::Now);
            }
            match self.row(id).await? {
                Some(row) if row.deleted_at.is_none() => {
                    let task = Box::new(row.into_task(self.user.as_str())?);
                    return Ok(Restored::Already(Unchanged {
                        task,
                        named: Named::Earlier,
                    }));
                }
                Some(row) if row.deleted_at > Some(self.oldest_tombstone()) => {
                    if self.is_full().await? {
                        return Err(StoreError::LimitReached(self.store.limit));
                    }
                    // Another request has just deleted it, or made room: now it can be restored.
                }
                _ => return Err(StoreError::NotFound(id)),
            }
        }
    }

    /// Whether the user has as many tasks as one may have.
    async fn is_full(&self) -> Result<bool, StoreError> {
        let limit = self.store.limit;
        let full = Query::select()
            .expr(Expr::value(1))
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Clock::TaskCount).gte(limit))
            .to_owned();
        Ok(!self.rows(&full).await?.is_empty())
    }

    fn oldest_tombstone(&self) -> DateTimeUtc {
        Utc::now() - TimeDelta::from_std(self.store.tombstone_retention).unwrap_or(TimeDelta::MAX)
    }

    /// Why a change was refused: the task was not there, or not as expected.
    async fn refusal(&self, id: TaskId, expected: &Expected) -> StoreError {
        // It was deleted when the change was tried, even if somebody has restored it since.
        if *expected == Expected::Any {
            return StoreError::NotFound(id);
        }
        match self.find(id).await {
            Ok(task) => expected.not_met(task),
            Err(error) => error,
        }
    }

    async fn write(&self, write: Write) -> Result<Option<TaskRow>, StoreError> {
        let written = self.store.writing.send(write).await;
        let row = written.map_err(|error| StoreError::of_write(&error))?;
        Ok(row.map(|row| TaskRow::read(&row)).transpose()?)
    }

    /// A change of a task that is not deleted.
    fn change(
        &self,
        id: TaskId,
        expected: &Expected,
        values: Vec<Assignment>,
        count: Count,
    ) -> Write {
        let condition = Condition::Live(expected.clone());
        self.change_if(id, condition, values, count)
    }

    fn change_if(
        &self,
        id: TaskId,
        condition: Condition,
        values: Vec<Assignment>,
        count: Count,
    ) -> Write {
        Write {
            user: self.user.clone(),
            what: What::Change {
                id: id.get(),
                condition,
                values,
                count,
            },
        }
    }
}
