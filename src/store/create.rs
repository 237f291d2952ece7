//! Creating a task, once, however often the request comes.

use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    prelude::DateTimeUtc,
    sea_query::{Expr, Func, OnConflict, Query},
};
use sha2::{Digest, Sha256};

use super::{
    Scope, StoreError,
    entity::{task, user_clock},
    entity::{task::Column as Task, user_clock::Column as Clock},
    error::{Outage, is_duplicate, is_lost},
    row::{COLUMNS, StoredTags, TaskRow, rank},
    scope::CanWrite,
    write::{With, Write},
};
use crate::{
    contract::{self, Flag, Maybe, NewTask, Priority, Tags},
    unicode::fold,
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

#[derive(Debug, FromQueryResult)]
struct Keyed {
    create_hash: Option<String>,
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
        let hash = key.as_ref().map(|_| fingerprint(&new));
        self.create_of(new, key, hash).await
    }

    /// The same for a part of a request: the key is that of the part, and `hash` stands for the whole
    /// request, so that it tells another one with the same keys.
    ///
    /// # Errors
    /// As of [`create`](Self::create).
    pub async fn create_part(
        &self,
        new: NewTask,
        key: IdempotencyKey,
        hash: String,
    ) -> Result<Created, StoreError> {
        self.create_of(new, Some(key), Some(hash)).await
    }

    /// Whether a request can be made with these keys of its parts: none of them came with another hash.
    ///
    /// # Errors
    /// [`StoreError::KeyReused`].
    pub async fn check_keys(&self, keys: &[IdempotencyKey], hash: &str) -> Result<(), StoreError> {
        let query = Query::select()
            .expr(Expr::value(1))
            .from(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(Task::CreateKey).is_in(keys.iter().map(|key| key.0.as_str())))
            .and_where(Expr::col(Task::CreateHash).ne(hash))
            .limit(1)
            .to_owned();
        let other = self
            .read(|| self.database.reader().query_one(&query))
            .await?;
        other.map_or(Ok(()), |_| Err(StoreError::KeyReused))
    }

    async fn create_of(
        &self,
        new: NewTask,
        key: Option<IdempotencyKey>,
        hash: Option<String>,
    ) -> Result<Created, StoreError> {
        let write = self.insertion(new, key.as_ref(), hash.as_deref());
        let mut result = self.database.write(&write).await;
        if let Err(error) = &result {
            // With a key it is safe to send it again even if it may have been done.
            let again = match Outage::of(error) {
                Some(Outage::NotDone) => is_lost(error),
                Some(Outage::Unknown) => key.is_some(),
                Some(Outage::Unable) | None => false,
            };
            if again {
                result = self.database.write(&write).await;
            }
        }
        match (result, key) {
            (Ok(Some(row)), _) => Ok(Created {
                task: row.into_task(self.user.as_str())?,
                replayed: false,
            }),
            // The limit is judged before the key: what the key made is looked for all the same.
            (Ok(None), Some(key)) => match self.replay(&key, hash.as_deref()).await? {
                Some(created) => Ok(created),
                None => Err(StoreError::LimitReached(self.database.max_tasks())),
            },
            (Ok(None), None) => Err(StoreError::LimitReached(self.database.max_tasks())),
            (Err(error), Some(key)) if is_duplicate(&error) => {
                let replayed = self.replay(&key, hash.as_deref()).await?;
                replayed.ok_or_else(|| StoreError::Internal(error.to_string()))
            }
            (Err(error), _) => Err(StoreError::of_write(&error)),
        }
    }

    /// The task that an earlier request with this key made, if there is one; `hash` is that of
    /// [`create_part`](Self::create_part).
    ///
    /// # Errors
    /// [`StoreError::KeyReused`] if it came with another hash, [`StoreError::KeyOfDeleted`] if the task was
    /// deleted since.
    pub async fn replay(
        &self,
        key: &IdempotencyKey,
        hash: Option<&str>,
    ) -> Result<Option<Created>, StoreError> {
        let query = self
            .select(Task::CreateKey, key.0.as_str())
            .column(Task::CreateHash)
            .to_owned();
        let Some(found) = self
            .read(|| self.database.reader().query_one(&query))
            .await?
        else {
            return Ok(None);
        };
        let Keyed { create_hash } = Keyed::from_query_result(&found, "")?;
        if create_hash.as_deref() != hash {
            return Err(StoreError::KeyReused);
        }
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
    fn insertion(&self, new: NewTask, key: Option<&IdempotencyKey>, hash: Option<&str>) -> Write {
        let NewTask {
            title,
            description,
            completed,
            priority,
            due_date,
            tags,
        } = new;
        let description = description.value().map(contract::Description::into_string);
        let due_date = due_date.value();
        let tags = tags.0.unwrap_or_default();
        let done = matches!(completed, Maybe(Some(Flag(true))));
        let moment = || Expr::col(With::Moment);
        let completed_at = if done {
            moment()
        } else {
            Expr::val(None::<DateTimeUtc>)
        };
        let values: [(Task, Expr); 17] = [
            (Task::UserId, self.user.as_str().into()),
            (Task::Id, Expr::col(With::LastId)),
            (Task::TitleFold, fold(title.as_str()).into()),
            (Task::Title, title.into_string().into()),
            (
                Task::DescriptionFold,
                Expr::val(description.as_deref().map(fold)),
            ),
            (Task::Description, Expr::val(description)),
            (Task::CompletedAt, completed_at),
            (
                Task::Priority,
                rank(priority.0.unwrap_or(Priority::Medium)).into(),
            ),
            (
                Task::DueAt,
                Expr::val(due_date.map(contract::DueDate::instant)),
            ),
            (
                Task::DueIsDate,
                due_date.is_some_and(contract::DueDate::is_date).into(),
            ),
            (Task::TagsFold, folded(&tags).into()),
            (Task::Tags, Expr::val(StoredTags::from(tags))),
            (Task::CreateKey, Expr::val(key.map(|key| key.0.clone()))),
            (Task::CreateHash, Expr::val(hash.map(str::to_owned))),
            (Task::CreatedAt, moment()),
            (Task::UpdatedAt, moment()),
            (Task::Revision, Expr::col(With::Tick)),
        ];
        let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let select = Query::select().exprs(values).from(With::Clock).to_owned();
        let task = Query::insert()
            .into_table(task::Entity)
            .columns(columns)
            .select_from(select)
            .expect("as many values as columns: they come in pairs")
            .returning(Query::returning().columns(COLUMNS))
            .to_owned();
        Write {
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

/// The tags as they are searched: each folded, between line feeds, which no tag contains.
pub(super) fn folded(tags: &Tags) -> String {
    let mut text = String::from("\n");
    for tag in &tags.0 {
        text.push_str(&fold(tag.as_str()));
        text.push('\n');
    }
    text
}

/// What a body says, whatever its white space and the order of its members.
fn fingerprint(new: &NewTask) -> String {
    let NewTask {
        title,
        description,
        completed,
        priority,
        due_date,
        tags,
    } = new;
    // With the defaults: a retry that spells them out is the same request.
    let body = serde_json::json!([
        title,
        description.clone().value(),
        completed.0.is_some_and(|Flag(done)| done),
        priority.0.unwrap_or(Priority::Medium),
        due_date.value(),
        tags.0.clone().unwrap_or_default(),
    ]);
    digest(&body.to_string())
}

/// The SHA-256 of what a request says, in hexadecimal, to be kept beside its key.
pub(crate) fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<Tags> for StoredTags {
    fn from(tags: Tags) -> Self {
        Self::new(tags.0.into_iter().map(contract::Tag::into_string).collect())
    }
}
