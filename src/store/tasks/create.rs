//! Creating a task, once, however often the request comes.

use sea_orm::{
    ExprTrait as _, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, Query},
};

use super::{Tasks, derived, digest::RequestDigest, get::select};
use crate::contract::{self, Flag, Maybe, NewTask};
use crate::store::{
    StoreError,
    commit::{Set, What, Write},
    entity::{task, task::Column as Task},
    error::is_duplicate,
    kind::CanWrite,
    row::TaskRow,
};

/// The key by which a client marks its retries (draft-ietf-httpapi-idempotency-key-header).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

/// A task that was created, now or by an earlier request with the same key.
#[derive(Debug)]
pub struct Created {
    /// The task as it is now.
    pub task: contract::Task,
    /// Whether an earlier request created it.
    pub replayed: bool,
}

impl<A: CanWrite> Tasks<A> {
    /// Creates a task. With a key, a retry finds what the first request made.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`], [`StoreError::StorageFull`]; with a key that came before [`StoreError::KeyReused`] if
    /// the body differs, [`StoreError::KeyOfDeleted`] if the task was deleted since. A key is known for as long as its task
    /// or the tombstone of it is there.
    pub async fn create(
        &self,
        new: NewTask,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        let digest = key.as_ref().map(|_| RequestDigest::of_new_task(&new));
        self.create_of(new, key.as_ref().zip(digest.as_ref())).await
    }

    /// Creates a task that is one part of a request. The key is that of the part; `digest` is that of the
    /// whole request, so that another request with the same keys is noticed.
    ///
    /// # Errors
    /// Those of [`create`](Self::create).
    pub async fn create_part(
        &self,
        new: NewTask,
        key: &IdempotencyKey,
        digest: &RequestDigest,
    ) -> Result<Created, StoreError> {
        self.create_of(new, Some((key, digest))).await
    }

    /// Checks that none of these keys, those of the parts of one request, came with another request.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`].
    pub async fn check_keys(
        &self,
        keys: &[IdempotencyKey],
        digest: &RequestDigest,
    ) -> Result<(), StoreError> {
        let query = Query::select()
            .column(Task::CreateHash)
            .distinct()
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::CreateKey).is_in(keys.iter().map(|key| key.0.as_str())))
            .to_owned();
        let found = self.rows(&query).await?;
        for row in found {
            check_digest(&row, digest)?;
        }
        Ok(())
    }

    async fn create_of(
        &self,
        new: NewTask,
        keyed: Option<(&IdempotencyKey, &RequestDigest)>,
    ) -> Result<Created, StoreError> {
        let completed_at = match new.completed {
            Maybe(Some(Flag(true))) => Set::Moment,
            _ => Set::to(None::<DateTimeUtc>),
        };
        let what = What::Create {
            values: derived::of_new_task(new, completed_at),
            key: keyed.map(|(key, digest)| (key.0.clone(), digest.as_str().to_owned())),
        };
        loop {
            let write = Write {
                user: self.user.clone(),
                now: self.store.clock.now(),
                limits: self.store.limits,
                what: what.clone(),
            };
            let error = match self.store.writing.send(write).await {
                Ok(Some(row)) => {
                    return Ok(Created {
                        task: TaskRow::read(&row)?.into_task(self.user.as_str())?,
                        replayed: false,
                    });
                }
                Ok(None) => None,
                Err(error) if is_duplicate(&error) => Some(StoreError::Internal(error.to_string())),
                Err(error) => return Err(StoreError::of_write(&error)),
            };
            // The limits are checked before the key: a task of this key may be there all the same.
            if let Some((key, digest)) = keyed
                && let Some(created) = self.replay(key, digest).await?
            {
                return Ok(created);
            }
            match error {
                Some(error) => return Err(error),
                None => self.make_room(&what).await?,
            }
        }
    }

    /// The task that an earlier request with this key created, if there is one.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`] if that was another request, [`StoreError::KeyOfDeleted`] if the task was
    /// deleted since.
    pub async fn replay(
        &self,
        key: &IdempotencyKey,
        digest: &RequestDigest,
    ) -> Result<Option<Created>, StoreError> {
        let query = select(&self.user, Task::CreateKey, key.0.as_str())
            .column(Task::CreateHash)
            .to_owned();
        let Some(found) = self.rows(&query).await?.pop() else {
            return Ok(None);
        };
        check_digest(&found, digest)?;
        let row = TaskRow::read(&found)?;
        let deleted = row.deleted_at.is_some();
        let task = row.into_task(self.user.as_str())?;
        if deleted {
            return Err(StoreError::KeyOfDeleted(task.id));
        }
        Ok(Some(Created {
            task,
            replayed: true,
        }))
    }
}

/// Whether the request that a row was created by is this one.
fn check_digest(row: &QueryResult, digest: &RequestDigest) -> Result<(), StoreError> {
    let stored: Option<String> = row.try_get("", "create_hash")?;
    let same = stored.is_some_and(|stored| digest.is(&stored));
    same.then_some(()).ok_or(StoreError::KeyReused)
}
