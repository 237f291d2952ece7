//! Writes tasks of another backend, with the times that they had there.

use sea_orm::{
    ActiveValue, ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    TransactionTrait as _, TryInsertResult, sea_query::Query,
};

use super::TaskStore;
use super::derived;
use crate::contract::{NewTask, Timestamp};
use crate::store::{
    StoreError,
    commit::{Assignment, Set},
    engine::immediate,
    entity::{task, task::Column as Task, user_clock},
};

/// Rows in one statement. SQLite takes 32,766 parameters, PostgreSQL 65,535, and a row has 15.
const ROWS: usize = 1_000;

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
}

impl TaskStore {
    /// Writes all tasks of one user. Writes none, and returns `false`, if that user has a clock, and so has or
    /// had tasks, already. It needs no token: it is for the operator, never for a request.
    ///
    /// Ids count from 1 in the order of creation, and revisions in that of the last change, since lists
    /// rely on both.
    ///
    /// # Errors
    /// If the database is away. Then nothing of this user is written.
    pub async fn import(
        &self,
        user_id: String,
        tasks: Vec<ImportedTask>,
    ) -> Result<bool, StoreError> {
        let engine = self.engine.clone();
        // In a task of its own, which runs to its end, as every transaction does.
        let work = tokio::spawn(async move {
            let transaction = engine.operator().begin_with_options(immediate()).await?;
            let imported = write(&transaction, user_id, tasks).await?;
            match imported {
                true => transaction.commit().await?,
                false => transaction.rollback().await?,
            }
            Ok(imported)
        });
        let done = work
            .await
            .map_err(|e| StoreError::Internal(e.to_string()))?;
        done.map_err(|error: DbErr| StoreError::of_write(&error))
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

async fn write(
    transaction: &DatabaseTransaction,
    user_id: String,
    mut tasks: Vec<ImportedTask>,
) -> Result<bool, DbErr> {
    tasks.sort_by_key(|task| task.created_at);
    let mut changed: Vec<usize> = (0..tasks.len()).collect();
    changed.sort_by_key(|index| tasks[*index].updated_at);
    let Some(last) = changed.last().map(|index| tasks[*index].updated_at) else {
        return Ok(false);
    };
    let mut revisions = vec![0; tasks.len()];
    for (revision, index) in (1..).zip(changed) {
        revisions[index] = revision;
    }
    let count = i64::try_from(tasks.len()).unwrap_or(i64::MAX);
    let clock = user_clock::ActiveModel {
        user_id: ActiveValue::Set(user_id.clone()),
        revision: ActiveValue::Set(count),
        last_task_id: ActiveValue::Set(count),
        task_count: ActiveValue::Set(count),
        updated_at: ActiveValue::Set(last.get().into()),
    };
    // The lock on this row is what keeps the user's own writes out until the commit.
    let fresh = user_clock::Entity::insert(clock)
        .on_conflict_do_nothing()
        .exec_without_returning(transaction)
        .await?;
    if !matches!(fresh, TryInsertResult::Inserted(1)) {
        return Ok(false);
    }
    let mut rows = (1..)
        .zip(tasks)
        .zip(revisions)
        .map(|((id, task), revision)| row(&user_id, id, revision, task))
        .peekable();
    while let Some(first) = rows.peek() {
        let columns: Vec<Task> = first.iter().map(|(column, _)| *column).collect();
        let mut insert = Query::insert();
        insert.into_table(task::Entity).columns(columns);
        for row in rows.by_ref().take(ROWS) {
            insert.values_panic(row.into_iter().map(|(column, set)| set.into_expr(column)));
        }
        transaction.execute(&insert).await?;
    }
    Ok(true)
}

/// The columns of a row, always the same and in the same order.
fn row(user_id: &str, id: i64, revision: i64, imported: ImportedTask) -> Vec<Assignment> {
    let ImportedTask {
        task,
        completed_at,
        created_at,
        updated_at,
    } = imported;
    let own = [
        (Task::UserId, Set::to(user_id)),
        (Task::Id, Set::to(id)),
        (Task::CreatedAt, Set::to(created_at.get())),
        (Task::UpdatedAt, Set::to(updated_at.get())),
        (Task::Revision, Set::to(revision)),
    ];
    let completed_at = Set::to(completed_at.map(Timestamp::get));
    own.into_iter()
        .chain(derived::of_new_task(task, completed_at))
        .collect()
}
