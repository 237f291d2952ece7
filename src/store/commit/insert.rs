//! New tasks as one statement of SQLite.

use sea_orm::{
    prelude::DateTimeUtc,
    sea_query::{Expr, InsertStatement, Query, Value},
};

use super::{RowWrite, Set};
use crate::store::entity::{task, task::Column as Task};

/// Inserts new tasks, each with its user and the time of its creation. All of them have the same columns.
pub(super) fn insert<'a>(
    rows: impl IntoIterator<Item = (&'a str, DateTimeUtc, RowWrite)>,
) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table(task::Entity);
    for (place, (user, moment, row)) in rows.into_iter().enumerate() {
        let own: [(Task, Value); 5] = [
            (Task::UserId, user.into()),
            (Task::Id, row.id.into()),
            (Task::CreatedAt, moment.into()),
            (Task::UpdatedAt, moment.into()),
            (Task::Revision, row.revision.into()),
        ];
        let once = row.new.unwrap_or_default().columns();
        let once = once.into_iter().filter_map(|assignment| match assignment {
            (column, Set::To(value)) => Some((column, value)),
            _ => None,
        });
        let (columns, values): (Vec<Task>, Vec<Expr>) = own
            .into_iter()
            .chain(once)
            .chain(row.values)
            .map(|(column, value)| (column, Expr::val(value)))
            .unzip();
        if place == 0 {
            insert.columns(columns);
        }
        insert.values_panic(values);
    }
    insert
}
