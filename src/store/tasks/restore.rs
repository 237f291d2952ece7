//! Bringing a deleted task back.

use chrono::TimeDelta;
use sea_orm::{
    ExprTrait as _,
    prelude::DateTimeUtc,
    sea_query::{Expr, Query},
};

use super::{Named, Tasks, Unchanged};
use crate::{
    contract::{self, TaskId},
    store::{
        StoreError,
        commit::{Count, Expected, Set, State, What},
        entity::{task::Column as Task, user_clock, user_clock::Column as Clock},
        kind::CanWrite,
    },
};

/// What [`Tasks::restore`] found.
#[derive(Debug)]
pub enum Restored {
    /// The task was deleted, and is back.
    Now(contract::Task),
    /// The task is not deleted; nothing was written.
    Already(Unchanged),
}

impl<A: CanWrite> Tasks<A> {
    /// Restores a deleted task. One that is not deleted stays as it is. The version of a deleted task is that of its
    /// deletion.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is neither the task nor a tombstone younger than the
    /// retention; [`StoreError::Changed`] if it is not in the version expected; [`StoreError::LimitReached`].
    pub async fn restore(&self, id: TaskId, expected: &Expected) -> Result<Restored, StoreError> {
        let what = What::Change {
            id: id.get(),
            state: State::DeletedAfter(self.oldest_tombstone()),
            expected: expected.clone(),
            values: vec![(Task::DeletedAt, Set::to(None::<DateTimeUtc>))],
            count: Count::More(self.store.limit),
        };
        loop {
            if let Some(row) = self.write(what.clone()).await? {
                return row.into_task(self.user.as_str()).map(Restored::Now);
            }
            let row = self.row(id).await?.filter(|row| {
                row.deleted_at
                    .is_none_or(|deleted| deleted > self.oldest_tombstone())
            });
            match row {
                Some(row) if !expected.is_met_by(row.revision) => {
                    return Err(expected.not_met(row.into_task(self.user.as_str())?));
                }
                Some(row) if row.deleted_at.is_none() => {
                    let task = Box::new(row.into_task(self.user.as_str())?);
                    return Ok(Restored::Already(Unchanged {
                        task,
                        named: Named::Earlier,
                    }));
                }
                Some(_) => {
                    if self.is_full().await? {
                        return Err(StoreError::LimitReached(self.store.limit));
                    }
                    // Another request has just deleted it, or made room: now it can be restored.
                }
                None => return Err(StoreError::NotFound(id)),
            }
        }
    }

    /// Whether the user has as many tasks as one may have.
    async fn is_full(&self) -> Result<bool, StoreError> {
        let full = Query::select()
            .expr(Expr::value(1))
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Clock::TaskCount).gte(self.store.limit))
            .to_owned();
        Ok(!self.rows(&full).await?.is_empty())
    }

    fn oldest_tombstone(&self) -> DateTimeUtc {
        self.store.clock.now()
            - TimeDelta::from_std(self.store.tombstone_retention).unwrap_or(TimeDelta::MAX)
    }
}
