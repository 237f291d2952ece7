//! Writes tasks of another backend, with the times that they had there.

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, TransactionTrait as _};

use super::{RequestDigest, TaskStore, derived};
use crate::{
    contract::{NewTask, Timestamp, Uid},
    store::{
        StoreError,
        commit::{Change, Committed, NewRow, Once, Origin, Set, bytes_of_new, move_ahead},
        engine::immediate,
    },
};

/// A task that was kept elsewhere.
#[derive(Debug, Clone)]
pub struct ImportedTask {
    /// What a client writes of a task.
    pub task: NewTask,
    /// When it was completed; `None` while it is not.
    pub completed_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed; never before it was created.
    pub updated_at: Timestamp,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
    /// Its id, if it keeps that.
    pub id: Option<i64>,
    /// Its version elsewhere, which orders tasks that were changed at the same time.
    pub version: Option<i64>,
}

/// All tasks of a user that were kept elsewhere.
#[derive(Debug, Default)]
pub struct ImportedUser {
    /// The tasks.
    pub tasks: Vec<ImportedTask>,
    /// Of an export of Taskward, where ids are kept.
    pub origin: Option<Origin>,
}

impl ImportedTask {
    /// What its row will count in bytes.
    pub fn bytes(&self) -> i64 {
        let row = self.clone().into_row();
        bytes_of_new(&row.values, &row.once)
    }

    fn into_row(self) -> NewRow {
        let completed_at = Set::to(self.completed_at.map(Timestamp::get));
        // The client that chose the uid may still repeat its creation.
        let uid = self.task.uid.clone().value().map(Uid::into_string);
        let digest = uid.as_ref().map(|_| RequestDigest::of_new_task(&self.task));
        let once = Once {
            key: None,
            uid,
            digest: digest.map(RequestDigest::into_string),
        };
        NewRow {
            once,
            values: derived::of_new_task(self.task, completed_at),
            created_at: self.created_at.get(),
            updated_at: self.updated_at.get(),
            deleted_at: self.deleted_at.map(Timestamp::get),
            id: self.id,
            version: self.version,
        }
    }
}

impl TaskStore {
    /// Writes all tasks of one user. Writes none, and returns `None`, if that user has tasks already, deleted ones included. It
    /// needs no token: it is for the operator, never for a request.
    ///
    /// Ids count in the order of creation, and revisions in that of the last change, since lists rely on both. Tasks of an
    /// export keep their ids.
    ///
    /// # Errors
    /// If the database is away. Then nothing of this user is written.
    pub async fn import(
        &self,
        user_id: String,
        ImportedUser { mut tasks, origin }: ImportedUser,
    ) -> Result<Option<Committed>, StoreError> {
        tasks.sort_by_key(|task| (task.id, task.created_at));
        let rows = tasks.into_iter().map(ImportedTask::into_row).collect();
        let engine = self.engine.clone();
        let now = self.clock.now();
        // In a task of its own, which runs to its end, as every transaction does.
        let work = tokio::spawn(async move {
            let transaction = engine.operator().begin_with_options(immediate()).await?;
            let mut change = Change::begin(&transaction, &user_id, now).await?;
            if !change.is_empty().await? {
                transaction.rollback().await?;
                return Ok(None);
            }
            if let Some(origin) = origin {
                change.go_on_from(origin);
            }
            change.create(rows).await?;
            let committed = change.end().await?;
            transaction.commit().await?;
            Ok(Some(committed))
        });
        let done = work
            .await
            .map_err(|e| StoreError::Internal(e.to_string()))?;
        done.map_err(|error: DbErr| StoreError::of_write(&error))
    }

    /// Lets every user go on beyond all that was given out since the state that was restored: copies are told to begin again,
    /// and no version, cursor or id from before is given a second time. Returns how many users there are.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn go_on_after_restore(&self) -> Result<u64, StoreError> {
        let moved = move_ahead(&self.engine).await;
        moved.map_err(|error| StoreError::of_write(&error))
    }

    /// Has PostgreSQL look at what its tables hold, after they were filled at once. Until it has, it plans lists
    /// for empty tables, which costs ten times as much. `false` where that is not needed.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn analyze(&self) -> Result<bool, StoreError> {
        if self.engine.backend() != DbBackend::Postgres {
            return Ok(false);
        }
        let analyze = r#"ANALYZE "task", "user_clock""#;
        self.engine.operator().execute_unprepared(analyze).await?;
        Ok(true)
    }
}
