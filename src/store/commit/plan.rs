//! What one user changes at once, where it depends on what is there: many tasks, one move of the clock, or nothing.
//!
//! Clock and tasks are read by one statement. The plan decides in memory what to write, and that goes into one more
//! statement, which counts only if the clock is still at the revision that was read: every write of a user moves the
//! clock, so nothing has changed since. Otherwise all begins again. So no transaction is ever open on PostgreSQL, and a
//! connection that breaks leaves all or nothing. Nobody is waited for (`NOWAIT`), as by a lone write.
//!
//! A plan that needs room is shown the user's tombstones, too, and decides which of them go with the same write.
//!
//! On SQLite both are part of the transaction of the one writer. What is specific to a database is in
//! `plan/postgres.rs` and `plan/sqlite.rs`.

mod postgres;
mod sqlite;

use std::fmt;

use sea_orm::{DbErr, QueryResult, prelude::DateTimeUtc, sea_query::Value};

use super::{Once, Sizes, Tombstone};
use crate::{
    auth::UserId,
    store::{
        entity::{task::Column as Task, user_clock},
        row::{COLUMNS, TaskRow},
    },
};

pub(super) use postgres::on_postgres;
pub(super) use sqlite::on_sqlite;

/// Decides what is written. It keeps what it has to tell; that counts when the write has succeeded.
pub(in crate::store) trait Plan: fmt::Debug + Send + Sync {
    /// What it must see.
    fn wanted(&self) -> &Wanted;

    /// Decides. It may be asked again, and then the last time counts.
    fn decide(&self, before: &Before) -> Decision;

    /// Whether it may be done again when it may have been done already.
    fn repeats(&self) -> bool;
}

/// Which tasks a plan must see, deleted or not.
#[derive(Debug, Default)]
pub(in crate::store) struct Wanted {
    pub(in crate::store) ids: Vec<i64>,
    pub(in crate::store) uids: Vec<String>,
    /// The keys that the tasks were created with.
    pub(in crate::store) keys: Vec<String>,
}

/// What is there.
#[derive(Debug)]
pub(in crate::store) struct Before {
    pub(in crate::store) clock: user_clock::Model,
    /// In no order; a task that is wanted by two names is there twice.
    pub(in crate::store) found: Vec<FoundTask>,
    /// All tombstones, the oldest first; `None` until the plan needs room.
    pub(in crate::store) tombstones: Option<Vec<Tombstone>>,
}

/// What becomes of a plan.
#[derive(Debug)]
pub(in crate::store) enum Decision {
    /// Nothing is written.
    Nothing,
    /// This is written.
    Write(Writes),
    /// There is no room, and the plan must see the tombstones to find some.
    NeedsRoom,
}

/// A task that is there.
#[derive(Debug, Clone)]
pub(in crate::store) struct FoundTask {
    pub(in crate::store) row: TaskRow,
    pub(in crate::store) key: Option<String>,
    /// Of the request that created it.
    pub(in crate::store) digest: Option<String>,
    pub(in crate::store) sizes: Sizes,
}

/// What is written.
#[derive(Debug)]
pub(in crate::store) struct Writes {
    /// The clock afterwards.
    pub(in crate::store) clock: user_clock::Model,
    pub(in crate::store) rows: Vec<RowWrite>,
    /// Which rows go for good.
    pub(in crate::store) purged: Vec<i64>,
}

/// What becomes of one row.
#[derive(Debug)]
pub(in crate::store) struct RowWrite {
    pub(in crate::store) id: i64,
    pub(in crate::store) revision: i64,
    /// Of a task that is new. Its values are those of all columns that a client writes.
    pub(in crate::store) new: Option<Once>,
    pub(in crate::store) values: Vec<(Task, Value)>,
}

/// The clock of a user who has never written.
fn first_clock(user: &UserId, now: DateTimeUtc) -> user_clock::Model {
    user_clock::Model {
        user_id: user.as_str().to_owned(),
        revision: 0,
        last_task_id: 0,
        task_count: 0,
        updated_at: now.into(),
        row_count: 0,
        stored_bytes: 0,
        purged_revision: 0,
        erased_revision: 0,
    }
}

/// Reads a task that has [`COLUMNS`] from an index on, and then its key, digest and sizes.
fn found(row: &QueryResult, first: usize) -> Result<FoundTask, DbErr> {
    Ok(FoundTask {
        row: TaskRow::read_from(row, first)?,
        key: row.try_get_by_index(first + COLUMNS.len())?,
        digest: row.try_get_by_index(first + COLUMNS.len() + 1)?,
        sizes: Sizes::read(row, first + COLUMNS.len() + 2)?,
    })
}
