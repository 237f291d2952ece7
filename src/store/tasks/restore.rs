//! Bringing a deleted task back.

use sea_orm::prelude::DateTimeUtc;

use super::{Named, Tasks, Unchanged, room::Attempts};
use crate::{
    contract::{self, TaskId},
    store::{
        StoreError,
        commit::{Count, Expected, Lone, Set, State},
        entity::task::Column as Task,
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
        let what = Lone::Change {
            id: id.get(),
            state: State::DeletedAfter(self.store.oldest_tombstone()),
            expected: expected.clone(),
            values: vec![(Task::DeletedAt, Set::to(None::<DateTimeUtc>))],
            count: Count::More,
        };
        let mut attempts = Attempts::default();
        loop {
            attempts.next()?;
            if let Some(row) = self.write(what.clone()).await? {
                return row.into_task(self.user.as_str()).map(Restored::Now);
            }
            let row = self.row(id).await?.filter(|row| {
                row.deleted_at
                    .is_none_or(|deleted| deleted > self.store.oldest_tombstone())
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
                // There is no room; or another request has just deleted it, or made room, and now it can be restored.
                Some(_) => self.make_room(&what, &mut attempts).await?,
                None => return Err(StoreError::NotFound(id)),
            }
        }
    }
}
