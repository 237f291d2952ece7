//! What one user changes at once: many tasks with consecutive revisions, in one transaction, or nothing.
//!
//! The order is that of a lone write: the user's clock is locked first, and held until the commit. So the revisions of a
//! change of many tasks are in no way mixed with those of other writes.

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set as To,
    ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QuerySelect as _,
    prelude::DateTimeUtc,
    sea_query::{LockType, Query},
};

use super::{Assignment, Once, Set, size};
use crate::store::entity::{task, task::Column as Task, user_clock};

/// Rows in one statement. SQLite takes 32,766 parameters, PostgreSQL 65,535, and a row has 19.
const ROWS: usize = 1_000;

/// Revisions that are left out where the last one that was given is not known for sure: as many writes as a user can send in
/// some hours.
pub(in crate::store) const GAP: i64 = 1_000_000;

/// What was committed: everything of this user up to this revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The user.
    pub user_id: String,
    /// The user's revision since.
    pub revision: i64,
}

/// A task that was kept elsewhere, with times of its own.
pub(in crate::store) struct NewRow {
    /// Its id; `None`: the next one.
    pub(in crate::store) id: Option<i64>,
    /// Its version elsewhere, which orders tasks that were changed at the same time.
    pub(in crate::store) version: Option<i64>,
    /// The columns that a client writes.
    pub(in crate::store) values: Vec<Assignment>,
    pub(in crate::store) once: Once,
    pub(in crate::store) created_at: DateTimeUtc,
    pub(in crate::store) updated_at: DateTimeUtc,
    /// Of a tombstone.
    pub(in crate::store) deleted_at: Option<DateTimeUtc>,
}

/// Where all tasks of a user come from: another Taskward, or this one before they were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The user's revision there.
    pub revision: i64,
    /// The highest id that was given to a task there.
    pub last_id: i64,
}

/// A change of many tasks of a user, who has the lock of the clock.
pub(in crate::store) struct Change<'a> {
    transaction: &'a DatabaseTransaction,
    clock: user_clock::Model,
}

impl<'a> Change<'a> {
    /// Locks the user's clock, and makes it if there is none.
    pub(in crate::store) async fn begin(
        transaction: &'a DatabaseTransaction,
        user_id: &str,
        now: DateTimeUtc,
    ) -> Result<Self, DbErr> {
        let first = user_clock::Model {
            user_id: user_id.to_owned(),
            revision: 0,
            last_task_id: 0,
            task_count: 0,
            updated_at: now.into(),
            row_count: 0,
            stored_bytes: 0,
            purged_revision: 0,
            erased_revision: 0,
        };
        user_clock::Entity::insert(first.into_active_model())
            .on_conflict_do_nothing()
            .exec_without_returning(transaction)
            .await?;
        let clock = user_clock::Entity::find_by_id(user_id)
            .lock(LockType::Update)
            .one(transaction)
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("the clock that was just made".to_owned()))?;
        Ok(Self { transaction, clock })
    }

    /// Whether the user has no rows, not even tombstones.
    pub(in crate::store) async fn is_empty(&self) -> Result<bool, DbErr> {
        let any: Option<i64> = task::Entity::find()
            .select_only()
            .column(Task::Id)
            .filter(Task::UserId.eq(self.clock.user_id.as_str()))
            .into_tuple()
            .one(self.transaction)
            .await?;
        Ok(any.is_none())
    }

    /// Goes on behind all that a user has had elsewhere. Ids are those from there, and revisions begin beyond those that were
    /// given there, also after `origin` was noted: so no version and no copy from there fits here by chance, and every copy
    /// is told to begin again.
    pub(in crate::store) fn go_on_from(&mut self, origin: Origin) {
        let Origin { revision, last_id } = origin;
        let clock = &mut self.clock;
        clock.revision = clock.revision.max(revision + GAP);
        clock.purged_revision = clock.revision;
        clock.last_task_id = clock.last_task_id.max(last_id);
    }

    /// Creates tasks. They get ids in this order if they have none, and revisions in that of their last change.
    pub(in crate::store) async fn create(&mut self, rows: Vec<NewRow>) -> Result<(), DbErr> {
        let mut changed: Vec<usize> = (0..rows.len()).collect();
        changed.sort_by_key(|index| (rows[*index].updated_at, rows[*index].version));
        let mut revisions = vec![0; rows.len()];
        for (revision, index) in (self.clock.revision + 1..).zip(&changed) {
            revisions[*index] = revision;
        }
        let Some(last) = changed.last().map(|index| rows[*index].updated_at) else {
            return Ok(());
        };
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let bytes = |row: &NewRow| size::of_new(&row.values, &row.once);
        self.clock.stored_bytes += rows.iter().map(bytes).sum::<i64>();
        let live = rows.iter().filter(|row| row.deleted_at.is_none());
        self.clock.task_count += i64::try_from(live.count()).unwrap_or(i64::MAX);
        let mut columns = Vec::with_capacity(rows.len());
        for (row, revision) in rows.into_iter().zip(revisions) {
            let id = row.id.unwrap_or(self.clock.last_task_id + 1);
            self.clock.last_task_id = self.clock.last_task_id.max(id);
            columns.push(self.columns(id, revision, row));
        }
        let mut rows = columns.into_iter().peekable();
        while let Some(first) = rows.peek() {
            let columns: Vec<Task> = first.iter().map(|(column, _)| *column).collect();
            let mut insert = Query::insert();
            insert.into_table(task::Entity).columns(columns);
            for row in rows.by_ref().take(ROWS) {
                insert.values_panic(row.into_iter().map(|(column, set)| set.into_expr(column)));
            }
            self.transaction.execute(&insert).await?;
        }
        self.clock.revision += count;
        self.clock.row_count += count;
        self.clock.updated_at = self.clock.updated_at.max(last.into());
        Ok(())
    }

    /// The columns of a row, always the same and in the same order.
    fn columns(&self, id: i64, revision: i64, row: NewRow) -> Vec<Assignment> {
        let NewRow {
            values,
            once,
            created_at,
            updated_at,
            deleted_at,
            id: _,
            version: _,
        } = row;
        let own = [
            (Task::UserId, Set::to(self.clock.user_id.as_str())),
            (Task::Id, Set::to(id)),
            (Task::CreatedAt, Set::to(created_at)),
            (Task::UpdatedAt, Set::to(updated_at)),
            (Task::Revision, Set::to(revision)),
            (Task::DeletedAt, Set::to(deleted_at)),
        ];
        own.into_iter()
            .chain(once.columns())
            .chain(values)
            .collect()
    }

    /// Moves the clock. It counts when the transaction is committed.
    pub(in crate::store) async fn end(self) -> Result<Committed, DbErr> {
        let Self { transaction, clock } = self;
        let committed = Committed {
            user_id: clock.user_id.clone(),
            revision: clock.revision,
        };
        let user_clock::Model {
            user_id,
            revision,
            last_task_id,
            task_count,
            updated_at,
            row_count,
            stored_bytes,
            purged_revision,
            erased_revision: _,
        } = clock;
        let moved = user_clock::ActiveModel {
            user_id: sea_orm::ActiveValue::Unchanged(user_id),
            revision: To(revision),
            last_task_id: To(last_task_id),
            task_count: To(task_count),
            updated_at: To(updated_at),
            row_count: To(row_count),
            stored_bytes: To(stored_bytes),
            purged_revision: To(purged_revision),
            erased_revision: sea_orm::ActiveValue::NotSet,
        };
        moved.update(transaction).await?;
        Ok(committed)
    }
}
