//! Changing, deleting and restoring a task.

use chrono::{TimeDelta, Utc};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    prelude::DateTimeUtc,
    sea_query::{Condition, Expr, Func, IntoCondition, LockType, Query},
};

use super::{
    Scope, StoreError,
    columns::{self, Assignment, completion, other_completion},
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    error::{Outage, is_lost},
    row::{COLUMNS, TaskRow},
    scope::{CanRead, CanWrite, Named, Unchanged},
    write::{With, WriteStatement},
};
use crate::contract::{self, TaskId, TaskPatch, Timestamp};

/// The version in which a task must be to be changed (RFC 9110 §13.1.1, `If-Match`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Any: last write wins.
    Any,
    /// One of these.
    OneOf(Vec<i64>),
}

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

/// What a change does to the number of live tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Same,
    Less,
    More,
}

/// What a patch changes: at least one member. A patch that names none is no write, so it needs a scope that can read.
#[derive(Debug, Clone)]
pub struct Changes(Vec<(Task, Expr)>);

impl Changes {
    /// The changes that a patch names; `None` if it names none.
    pub fn of(patch: TaskPatch) -> Option<Self> {
        let values = columns::of_patch(patch);
        (!values.is_empty()).then_some(Self(values))
    }

    /// The changes that a patch names, and the completion turned to its other side.
    pub fn with_other_completion(patch: TaskPatch) -> Self {
        let mut values = columns::of_patch(patch);
        values.retain(|(column, _)| !matches!(column, Task::CompletedAt));
        values.push((Task::CompletedAt, other_completion()));
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

impl<A: CanRead> Scope<A> {
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

impl<A: CanWrite> Scope<A> {
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
        let write = self.change(id, live(expected), values, Count::Same);
        match self.attempt(&write).await? {
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
        let value = completed.map_or_else(other_completion, completion);
        let values = vec![(Task::CompletedAt, value)];
        let write = self.change(id, live(expected), values, Count::Same);
        match self.attempt(&write).await? {
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
        let values = vec![(Task::DeletedAt, Expr::col(With::Moment))];
        let write = self.change(id, live(expected), values, Count::Less);
        match self.attempt(&write).await? {
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
        let restorable = Expr::col(Task::DeletedAt).gt(self.oldest_tombstone());
        let values = vec![(Task::DeletedAt, Expr::val(None::<DateTimeUtc>))];
        let write = self.change(id, restorable.into_condition(), values, Count::More);
        loop {
            if let Some(row) = self.attempt(&write).await? {
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
                        return Err(StoreError::LimitReached(self.database.max_tasks()));
                    }
                    // Another request has just deleted it, or made room: now it can be restored.
                }
                _ => return Err(StoreError::NotFound(id)),
            }
        }
    }

    /// Whether the user has as many tasks as one may have.
    async fn is_full(&self) -> Result<bool, StoreError> {
        let limit = self.database.max_tasks();
        let full = Query::select()
            .expr(Expr::value(1))
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Clock::TaskCount).gte(limit))
            .to_owned();
        let row = self.read(|| self.database.pool().query_one(&full)).await?;
        Ok(row.is_some())
    }

    fn oldest_tombstone(&self) -> DateTimeUtc {
        Utc::now()
            - TimeDelta::from_std(self.database.tombstone_retention()).unwrap_or(TimeDelta::MAX)
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

    /// Runs a change, once more if the first attempt surely was not done.
    async fn attempt(&self, write: &WriteStatement) -> Result<Option<TaskRow>, StoreError> {
        let result = match self.database.write(write).await {
            Err(e) if is_lost(&e) && Outage::of(&e) == Some(Outage::NotDone) => {
                self.database.write(write).await
            }
            result => result,
        };
        result.map_err(|error| StoreError::of_write(&error))
    }

    /// A change of one task: if the condition holds, the clock moves and the values are set.
    fn change(
        &self,
        id: TaskId,
        condition: Condition,
        values: Vec<Assignment>,
        count: Count,
    ) -> WriteStatement {
        let this_task = || {
            Condition::all()
                .add(Expr::col(Task::UserId).eq(self.user.as_str()))
                .add(Expr::col(Task::Id).eq(id.get()))
        };
        let target = Query::select()
            .column(Task::Id)
            .from(task::Entity)
            .cond_where(this_task().add(condition))
            .lock(LockType::Update)
            .to_owned();
        let now = Func::greatest([
            Expr::col((user_clock::Entity, Clock::UpdatedAt)),
            Timestamp::now().get().into(),
        ]);
        let mut clock = Query::update()
            .table(user_clock::Entity)
            .value(
                Clock::Revision,
                Expr::col((user_clock::Entity, Clock::Revision)).add(1),
            )
            .value(Clock::UpdatedAt, now)
            .from(With::Target)
            .and_where(Expr::col((user_clock::Entity, Clock::UserId)).eq(self.user.as_str()))
            .returning(Query::returning().columns([
                Clock::Revision,
                Clock::LastTaskId,
                Clock::UpdatedAt,
            ]))
            .to_owned();
        let task_count = Expr::col((user_clock::Entity, Clock::TaskCount));
        match count {
            Count::Same => {}
            Count::Less => {
                clock.value(Clock::TaskCount, task_count.sub(1));
            }
            Count::More => {
                let limit = self.database.max_tasks();
                clock.and_where(task_count.clone().lt(limit));
                clock.value(Clock::TaskCount, task_count.add(1));
            }
        }
        let task = Query::update()
            .table(task::Entity)
            .values(values)
            .value(Task::UpdatedAt, Expr::col(With::Moment))
            .value(Task::Revision, Expr::col(With::Tick))
            .from(With::Clock)
            .cond_where(this_task())
            .returning(Query::returning().columns(COLUMNS))
            .to_owned();
        WriteStatement {
            target: Some(target),
            clock: clock.into(),
            task: task.into(),
        }
    }
}

/// A task that is not deleted, in a version that is expected.
fn live(expected: &Expected) -> Condition {
    let live = Condition::all().add(Expr::col(Task::DeletedAt).is_null());
    match expected {
        Expected::Any => live,
        Expected::OneOf(versions) => {
            live.add(Expr::col(Task::Revision).is_in(versions.iter().copied()))
        }
    }
}
