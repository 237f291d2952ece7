//! The tombstones of a user, of which the oldest go when a write needs room.

use sea_orm::{
    DbErr, ExprTrait as _, QueryResult,
    sea_query::{Condition, Expr, JoinType, Order, Query, SelectStatement},
};

use super::size::row_bytes;
use crate::store::{
    Usage,
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
};

/// A tombstone, as far as it takes room.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Tombstone {
    pub(in crate::store) id: i64,
    /// That of the deletion.
    pub(in crate::store) revision: i64,
    pub(in crate::store) bytes: i64,
}

/// What a user stores, and all of the user's tombstones, at one moment.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Stored {
    pub(in crate::store) revision: i64,
    pub(in crate::store) usage: Usage,
    /// The oldest first.
    pub(in crate::store) tombstones: Vec<Tombstone>,
}

impl Stored {
    /// What is to be read for [`read`](Self::read).
    pub(in crate::store) fn of(user: &str) -> SelectStatement {
        let task = |column: Task| Expr::col((task::Entity, column));
        let clock = |column: Clock| Expr::col((user_clock::Entity, column));
        let is_tombstone = Condition::all()
            .add(task(Task::UserId).eq(clock(Clock::UserId)))
            .add(task(Task::DeletedAt).is_not_null());
        Query::select()
            .expr(clock(Clock::Revision))
            .exprs(Usage::COLUMNS.map(clock))
            .expr(task(Task::Id))
            .expr(task(Task::Revision))
            .expr(row_bytes().cast_as("bigint"))
            .from(user_clock::Entity)
            .join(JoinType::LeftJoin, task::Entity, is_tombstone)
            .and_where(clock(Clock::UserId).eq(user))
            .order_by((task::Entity, Task::Revision), Order::Asc)
            .take()
    }

    /// Reads all rows.
    pub(in crate::store) fn read(rows: &[QueryResult]) -> Result<Self, DbErr> {
        // The user has never written.
        let Some(first) = rows.first() else {
            return Ok(Self::default());
        };
        let mut stored = Self {
            revision: first.try_get_by_index(0)?,
            usage: Usage::read(first, 1)?,
            tombstones: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            // Without a tombstone there is a row for the clock.
            if let Some(id) = row.try_get_by_index(4)? {
                stored.tombstones.push(Tombstone {
                    id,
                    revision: row.try_get_by_index(5)?,
                    bytes: row.try_get_by_index(6)?,
                });
            }
        }
        Ok(stored)
    }
}
