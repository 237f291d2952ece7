//! Creating a task, once, however often the request comes.

use sea_orm::{
    ExprTrait as _,
    sea_query::{Expr, Query},
};

use super::{Named, Tasks, Unchanged, derived, digest::RequestDigest, get::select, room::Attempts};
use crate::contract::{self, NewTask, Uid};
use crate::store::{
    StoreError, Work,
    commit::{Lone, Once, written_bytes},
    entity::{task, task::Column as Task},
    error::is_duplicate,
    kind::CanWrite,
    row::TaskRow,
};

/// How often a creation is tried again that met a task which is gone when it is looked for: its tombstone was purged
/// meanwhile.
const AGAIN: u8 = 3;

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
    /// Creates a task. With a key or a uid, a retry finds what the first request made.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`], [`StoreError::StorageFull`]; with a key that came before [`StoreError::KeyReused`] if
    /// the body differs, [`StoreError::KeyOfDeleted`] if the task was deleted since; with a uid that came before
    /// [`StoreError::UidTaken`] and [`StoreError::UidOfDeleted`]. Either is known for as long as its task or the tombstone
    /// of it is there.
    pub async fn create(
        &self,
        new: NewTask,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, StoreError> {
        let mark = Mark::of(&new, key, None);
        let values = derived::of_new_task_now(new);
        self.has_read(Work::writing(written_bytes(&values)));
        let what = Lone::Create {
            values,
            once: mark.once(),
        };
        let (mut again, mut attempts) = (AGAIN, Attempts::default());
        loop {
            attempts.next()?;
            let error = match self.try_to_write(what.clone()).await {
                Ok(Some(row)) => {
                    return Ok(Created {
                        task: row.into_task(self.user.as_str())?,
                        replayed: false,
                    });
                }
                Ok(None) => None,
                Err(error) if is_duplicate(&error) => Some(StoreError::Internal(error.to_string())),
                Err(error) => return Err(StoreError::of_write(&error)),
            };
            // The limits are checked before the key and the uid: a task of them may be there all the same.
            if let Some(created) = self.recognized(&mark).await? {
                return Ok(created);
            }
            match error {
                Some(error) if again == 0 => return Err(error),
                Some(_) => again -= 1,
                None => self.make_room(&what, &mut attempts).await?,
            }
        }
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
        let found = self.store.rows(&query).await?;
        for row in found {
            let stored: Option<String> = row.try_get("", "create_hash")?;
            if !is_same(stored.as_deref(), digest) {
                return Err(StoreError::KeyReused);
            }
        }
        Ok(())
    }

    /// The task that an earlier request created, if there is one.
    async fn recognized(&self, mark: &Mark) -> Result<Option<Created>, StoreError> {
        let Some(digest) = &mark.digest else {
            return Ok(None);
        };
        if let Some(key) = &mark.key
            && let Some(created) = self.replay(key, digest).await?
        {
            return Ok(Some(created));
        }
        match &mark.uid {
            Some(uid) => self.created_as(By::Uid, uid.as_str(), digest).await,
            None => Ok(None),
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
        self.created_as(By::Key, &key.0, digest).await
    }

    async fn created_as(
        &self,
        by: By,
        value: &str,
        digest: &RequestDigest,
    ) -> Result<Option<Created>, StoreError> {
        let column = match by {
            By::Key => Task::CreateKey,
            By::Uid => Task::Uid,
        };
        let query = select(&self.user, column, value)
            .column(Task::CreateHash)
            .to_owned();
        let Some(found) = self.store.rows(&query).await?.pop() else {
            return Ok(None);
        };
        let stored: Option<String> = found.try_get("", "create_hash")?;
        let same = is_same(stored.as_deref(), digest);
        let row = TaskRow::read(&found)?;
        by.judge(row, same, self.user.as_str()).map(Some)
    }
}

/// What a creation is recognized by when it comes again.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) key: Option<IdempotencyKey>,
    pub(super) uid: Option<Uid>,
    /// Of the request, if there is one of the two.
    pub(super) digest: Option<RequestDigest>,
}

impl Mark {
    /// `digest`: that of the request, if the task is only a part of it.
    pub(super) fn of(
        new: &NewTask,
        key: Option<IdempotencyKey>,
        digest: Option<RequestDigest>,
    ) -> Self {
        let uid = new.uid.clone().value();
        let is_marked = key.is_some() || uid.is_some();
        let of_task = || is_marked.then(|| RequestDigest::of_new_task(new));
        Self {
            digest: digest.or_else(of_task),
            key,
            uid,
        }
    }

    /// What is stored of it.
    pub(super) fn once(&self) -> Once {
        Once {
            key: self.key.as_ref().map(|key| key.0.clone()),
            uid: self.uid.as_ref().map(|uid| uid.as_str().to_owned()),
            digest: self
                .digest
                .as_ref()
                .map(|digest| digest.as_str().to_owned()),
        }
    }
}

/// By what a creation finds a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Key,
    Uid,
}

impl By {
    /// The answer to a creation that finds a task. `same`: whether that was created by the same request.
    pub(super) fn judge(
        self,
        row: TaskRow,
        same: bool,
        user_id: &str,
    ) -> Result<Created, StoreError> {
        let deleted = row.deleted_at.is_some();
        let task = row.into_task(user_id)?;
        match self {
            Self::Key if !same => Err(StoreError::KeyReused),
            Self::Key if deleted => Err(StoreError::KeyOfDeleted(task.id)),
            Self::Uid if deleted => Err(StoreError::UidOfDeleted(task.id)),
            Self::Uid if !same => Err(StoreError::UidTaken(Unchanged {
                task: Box::new(task),
                named: Named::Nothing,
            })),
            Self::Key | Self::Uid => Ok(Created {
                task,
                replayed: true,
            }),
        }
    }
}

/// Whether the request whose digest was stored is this one.
pub(super) fn is_same(stored: Option<&str>, digest: &RequestDigest) -> bool {
    stored.is_some_and(|stored| digest.is(stored))
}
