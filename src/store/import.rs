//! Tasks of another backend, written as if they had been made here at the time.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    DatabaseTransaction, DbErr, EntityTrait as _, TransactionTrait as _, TryInsertResult,
};

use super::{
    Database, StoreError,
    create::folded,
    entity::{task, user_clock},
    row::{StoredTags, rank},
    write::immediate,
};
use crate::{
    contract::{Description, DueDate, ImportedTask, Title},
    unicode::fold,
};

/// Rows in one statement. SQLite takes 32,766 parameters, PostgreSQL 65,535, and a row has 18.
const ROWS: usize = 1_000;

impl Database {
    /// Writes all tasks of one user, or none if that user has a clock, and so has or had tasks, already:
    /// `false`. Past the rule that only a token opens a user's tasks: for the operator's command line,
    /// never for a request.
    ///
    /// The ids count from 1 in the order in which the tasks were made and the revisions in that in which
    /// they were changed, as everywhere, since lists rely on both.
    ///
    /// # Errors
    /// If the database is away. Then nothing of this user is written.
    pub async fn import_for_operator(
        &self,
        user_id: String,
        tasks: Vec<ImportedTask>,
    ) -> Result<bool, StoreError> {
        let database = self.clone();
        // In a task of its own, to its end, as all transactions.
        let work = tokio::spawn(async move {
            let transaction = database.writer().begin_with_options(immediate()).await?;
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
        user_id: Set(user_id.clone()),
        revision: Set(count),
        last_task_id: Set(count),
        task_count: Set(count),
        updated_at: Set(last.get().into()),
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
        .map(|((id, task), revision)| row(user_id.clone(), id, revision, task))
        .peekable();
    while rows.peek().is_some() {
        task::Entity::insert_many(rows.by_ref().take(ROWS))
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(true)
}

fn row(user_id: String, id: i64, revision: i64, task: ImportedTask) -> task::ActiveModel {
    let ImportedTask {
        user_id: _,
        title,
        description,
        completed_at,
        priority,
        due_date,
        tags,
        created_at,
        updated_at,
    } = task;
    let title = Title::into_string(title);
    let description = description.map(Description::into_string);
    task::ActiveModel {
        user_id: Set(user_id),
        id: Set(id),
        title_fold: Set(fold(&title)),
        title: Set(title),
        description_fold: Set(description.as_deref().map(fold)),
        description: Set(description),
        completed_at: Set(completed_at.map(|time| time.get().into())),
        priority: Set(rank(priority)),
        due_at: Set(due_date.map(|due| due.instant().into())),
        due_is_date: Set(due_date.is_some_and(DueDate::is_date)),
        tags_fold: Set(folded(&tags)),
        tags: Set(StoredTags::from(tags).into_json()),
        create_key: NotSet,
        create_hash: NotSet,
        created_at: Set(created_at.get().into()),
        updated_at: Set(updated_at.get().into()),
        revision: Set(revision),
        deleted_at: NotSet,
    }
}
