//! Writes of many users together.
//!
//! On PostgreSQL they are one statement. It locks what it writes with `SKIP LOCKED`, in the order in which a lone write
//! does: the task, then the clock. So it never waits, and is part of no deadlock. A write is left out if another transaction
//! has its locks, if its conditions or its user's limits do not hold, or if it is the first of its user; it then goes alone,
//! and the lone statement decides. On SQLite creations go together in two statements of the transaction of the one writer.

mod change;
mod create;
mod sqlite;

use std::{borrow::Borrow, collections::HashMap, sync::Arc};

use sea_orm::{DbErr, QueryResult, sqlx::PgConnection};

use super::{
    Assignment, Count, Expected, Lone, State, What, Write,
    arrays::{PgQuery, bind_columns},
};
use crate::store::{UserLimits, engine::fetch, row::COLUMNS};

pub(super) use change::change;
pub(super) use create::create;
pub(super) use sqlite::{create_on_sqlite, joins};

/// Whether a write can be part of a group. A creation with a key or a uid cannot: a unique index may make it wait.
pub(super) fn can_join(write: &Write) -> bool {
    match &write.what {
        What::One(Lone::Create { once, .. }) => !once.is_some(),
        What::One(Lone::Change {
            state,
            expected,
            count,
            ..
        }) => {
            let one_version = match expected {
                Expected::Any => true,
                Expected::OneOf(versions) => versions.len() == 1,
                Expected::NoneOf(_) | Expected::Nothing => false,
            };
            one_version
                && matches!(state, State::Live)
                && matches!(count, Count::Same | Count::Less)
        }
        What::Many(_) => false,
    }
}

/// Binds the columns of the rows, and after them what is the same for all: the limits on live tasks or tombstones and on
/// bytes, and what time it is. Then sends the query.
async fn send<'q>(
    connection: &mut PgConnection,
    query: PgQuery<'q>,
    rows: &[&[Assignment]],
    writes: &[Arc<Write>],
) -> Result<Vec<QueryResult>, DbErr> {
    let limits = writes.first().map(|write| write.limits);
    let UserLimits { tasks, bytes } = limits.unwrap_or(UserLimits {
        tasks: 0,
        bytes: Some(0),
    });
    let query = bind_columns(query, rows)?
        .bind(tasks)
        .bind(bytes.unwrap_or(i64::MAX))
        .bind(writes.iter().map(|write| write.now).max());
    fetch(connection, query).await
}

/// Gives each write the row of its user, of whom there is one write in a group. `None` for those that were left out.
pub(super) fn hand_back(
    writes: &[impl Borrow<Write>],
    rows: Vec<QueryResult>,
) -> Result<Vec<Option<Option<QueryResult>>>, DbErr> {
    let mut by_user = HashMap::with_capacity(rows.len());
    for row in rows {
        let user: String = row.try_get_by_index(COLUMNS.len())?;
        by_user.insert(user, row);
    }
    let answers: Result<Vec<_>, DbErr> = writes
        .iter()
        .map(|write| {
            let write = write.borrow();
            let row = by_user.remove(write.user.as_str());
            if let (Some(row), What::One(Lone::Change { id, .. })) = (&row, &write.what)
                && row.try_get_by_index::<i64>(0)? != *id
            {
                return Err(DbErr::Custom("a group wrote another task".to_owned()));
            }
            Ok(row.map(Some))
        })
        .collect();
    match by_user.is_empty() {
        true => answers,
        false => Err(DbErr::Custom("a group wrote for another user".to_owned())),
    }
}
