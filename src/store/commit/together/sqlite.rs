//! Creating tasks of different users at once on SQLite: their clocks move in one statement, and another inserts the tasks.

use std::collections::HashMap;

use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbErr, FromQueryResult as _, QueryResult,
    prelude::DateTimeUtc,
    sea_query::{Query, Value},
};

use super::{can_join, hand_back};
use crate::store::{
    commit::{
        Assignment, Lone, RowWrite, Set, What, Write,
        insert::insert,
        size,
        statement::{Moved, first_tick},
    },
    entity::{task::Column as Task, user_clock::Column as Clock},
    row::COLUMNS,
};

/// The most tasks in one statement. Each number of them is a statement of its own, and SQLite keeps those in memory.
const MOST: usize = 16;

/// Whether a creation can go with others, none of which is of its user.
pub(in crate::store::commit) fn joins<'a>(
    write: &Write,
    mut others: impl ExactSizeIterator<Item = &'a Write>,
) -> bool {
    let creates = |write: &Write| matches!(write.what, What::One(Lone::Create { .. }));
    let alike = |other: &Write| other.limits == write.limits && other.user != write.user;
    let goes = |write: &Write| creates(write) && can_join(write);
    others.len() < MOST && goes(write) && others.all(|other| goes(other) && alike(other))
}

/// Creates tasks of different users. No row for whom the limits do not allow one.
pub(in crate::store::commit) async fn create_on_sqlite(
    transaction: &DatabaseTransaction,
    writes: &[&Write],
) -> Result<Vec<Vec<QueryResult>>, DbErr> {
    let creations = || {
        writes.iter().filter_map(|write| match &write.what {
            What::One(Lone::Create { values, once }) => Some((*write, values, once)),
            _ => None,
        })
    };
    let sizes: Vec<_> = creations()
        .map(|(write, values, once)| (write, size::of_new(values, once)))
        .collect();
    let mut clocks = first_tick(&sizes, false);
    clocks.returning(Query::returning().columns([
        Clock::Revision,
        Clock::LastTaskId,
        Clock::UpdatedAt,
        Clock::UserId,
    ]));
    let mut moved = HashMap::with_capacity(writes.len());
    for row in transaction.query_all(&clocks).await? {
        let user: String = row.try_get_by_index(3)?;
        moved.insert(user, Moved::from_query_result(&row, "")?);
    }
    let rows: Vec<_> = creations()
        .filter_map(|(write, values, once)| {
            let Moved {
                revision,
                last_task_id: id,
                updated_at: moment,
            } = *moved.get(write.user.as_str())?;
            let new = Some(once.clone());
            let values = values.iter().map(|assignment| set(assignment, moment));
            let values = values.collect();
            let row = RowWrite {
                id,
                revision,
                new,
                values,
            };
            Some((write.user.as_str(), moment, row))
        })
        .collect();
    if rows.is_empty() {
        return Ok(writes.iter().map(|_| Vec::new()).collect());
    }
    let mut insert = insert(rows);
    let returned = COLUMNS.into_iter().chain([Task::UserId]);
    insert.returning(Query::returning().columns(returned));
    let created = transaction.query_all(&insert).await?;
    // The clocks moved for them in the same transaction.
    if created.len() != moved.len() {
        return Err(DbErr::Custom("a clock moved without a task".to_owned()));
    }
    let created = hand_back(writes, created)?;
    let rows = |row: Option<Option<QueryResult>>| row.flatten().into_iter().collect();
    Ok(created.into_iter().map(rows).collect())
}

/// What a column of a new task becomes.
fn set((column, set): &Assignment, moment: DateTimeUtc) -> (Task, Value) {
    let value = match set {
        Set::To(value) => value.clone(),
        // The column of a task that is not there yet is null.
        Set::Moment | Set::MomentIfNull | Set::Turned => moment.into(),
    };
    (*column, value)
}
