//! Creating a task, once, however often the request comes.

use sea_orm::{
    ConnectionTrait, ExprTrait, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, Func, OnConflict, Query},
};

use super::{
    Scope, StoreError, columns,
    digest::RequestDigest,
    entity::{task, user_clock},
    entity::{task::Column as Task, user_clock::Column as Clock},
    error::{Outage, is_duplicate, is_lost},
    row::{COLUMNS, TaskRow},
    scope::CanWrite,
    write::{With, WriteStatement},
};
use crate::contract::{self, Flag, Maybe, NewTask};

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

impl<A: CanWrite> Scope<A> {
    /// Creates a task. With a key, a retry finds what the first request made.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`]; with a key that came before [`StoreError::KeyReused`] if the body
    /// differs, [`StoreError::KeyOfDeleted`] if the task was deleted since.
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
        let found = self.read(|| self.database.pool().query_all(&query)).await?;
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
        let write = self.insertion(new, keyed);
        let mut result = self.database.write(&write).await;
        if let Err(error) = &result {
            // With a key it is safe to send it again even if it may have been done.
            let again = match Outage::of(error) {
                Some(Outage::NotDone) => is_lost(error),
                Some(Outage::Unknown) => keyed.is_some(),
                Some(Outage::Unable) | None => false,
            };
            if again {
                result = self.database.write(&write).await;
            }
        }
        match (result, keyed) {
            (Ok(Some(row)), _) => Ok(Created {
                task: row.into_task(self.user.as_str())?,
                replayed: false,
            }),
            // The limit is checked before the key: a task of this key may be there all the same.
            (Ok(None), Some((key, digest))) => match self.replay(key, digest).await? {
                Some(created) => Ok(created),
                None => Err(StoreError::LimitReached(self.database.max_tasks())),
            },
            (Ok(None), None) => Err(StoreError::LimitReached(self.database.max_tasks())),
            (Err(error), Some((key, digest))) if is_duplicate(&error) => {
                let replayed = self.replay(key, digest).await?;
                replayed.ok_or_else(|| StoreError::Internal(error.to_string()))
            }
            (Err(error), _) => Err(StoreError::of_write(&error)),
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
        let query = self
            .select(Task::CreateKey, key.0.as_str())
            .column(Task::CreateHash)
            .to_owned();
        let Some(found) = self.read(|| self.database.pool().query_one(&query)).await? else {
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

    #[expect(clippy::expect_used, reason = "columns and values come in pairs")]
    fn insertion(
        &self,
        new: NewTask,
        keyed: Option<(&IdempotencyKey, &RequestDigest)>,
    ) -> WriteStatement {
        let moment = || Expr::col(With::Moment);
        let completed_at = match new.completed {
            Maybe(Some(Flag(true))) => moment(),
            _ => Expr::val(None::<DateTimeUtc>),
        };
        let values = [
            (Task::UserId, self.user.as_str().into()),
            (Task::Id, Expr::col(With::LastId)),
            (
                Task::CreateKey,
                Expr::val(keyed.map(|(key, _)| key.0.as_str())),
            ),
            (
                Task::CreateHash,
                Expr::val(keyed.map(|(_, digest)| digest.as_str())),
            ),
            (Task::CreatedAt, moment()),
            (Task::UpdatedAt, moment()),
            (Task::Revision, Expr::col(With::Tick)),
        ];
        let values = values
            .into_iter()
            .chain(columns::of_new_task(new, completed_at));
        let (names, values): (Vec<_>, Vec<_>) = values.unzip();
        let select = Query::select().exprs(values).from(With::Clock).to_owned();
        let task = Query::insert()
            .into_table(task::Entity)
            .columns(names)
            .select_from(select)
            .expect("as many values as columns: they come in pairs")
            .returning(Query::returning().columns(COLUMNS))
            .to_owned();
        WriteStatement {
            target: None,
            clock: self.first_tick().into(),
            task: task.into(),
        }
    }

    /// Moves the clock for a new task; the first write of a user makes it.
    fn first_tick(&self) -> sea_orm::sea_query::InsertStatement {
        let next = |column: Clock| Expr::col((user_clock::Entity, column)).add(1);
        let excluded = Expr::cust(r#""excluded"."updated_at""#);
        let now = Func::greatest([Expr::col((user_clock::Entity, Clock::UpdatedAt)), excluded]);
        let below_limit =
            Expr::col((user_clock::Entity, Clock::TaskCount)).lt(self.database.max_tasks());
        Query::insert()
            .into_table(user_clock::Entity)
            .columns([
                Clock::UserId,
                Clock::Revision,
                Clock::LastTaskId,
                Clock::TaskCount,
                Clock::UpdatedAt,
            ])
            .values_panic([
                self.user.as_str().into(),
                1i64.into(),
                1i64.into(),
                1i64.into(),
                contract::Timestamp::now().get().into(),
            ])
            .on_conflict(
                OnConflict::column(Clock::UserId)
                    .value(Clock::Revision, next(Clock::Revision))
                    .value(Clock::LastTaskId, next(Clock::LastTaskId))
                    .value(Clock::TaskCount, next(Clock::TaskCount))
                    .value(Clock::UpdatedAt, now)
                    .action_and_where(below_limit)
                    .to_owned(),
            )
            .returning(Query::returning().columns([
                Clock::Revision,
                Clock::LastTaskId,
                Clock::UpdatedAt,
            ]))
            .to_owned()
    }
}

/// Whether the request that a row was created by is this one.
fn check_digest(row: &QueryResult, digest: &RequestDigest) -> Result<(), StoreError> {
    let stored: Option<String> = row.try_get("", "create_hash")?;
    let same = stored.is_some_and(|stored| digest.is(&stored));
    same.then_some(()).ok_or(StoreError::KeyReused)
}
