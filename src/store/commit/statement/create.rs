//! The statements that create one task.

use sea_orm::{
    ExprTrait as _,
    sea_query::{
        Alias, Asterisk, Condition, Expr, Func, InsertStatement, OnConflict, Query, SelectStatement,
    },
};

use super::{With, WriteStatement, exprs, moved};
use crate::store::{
    commit::{Assignment, Once, Write, size},
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    row::COLUMNS,
};

/// A new task, if the user may have one more. On PostgreSQL; on SQLite those of many users go together.
#[expect(clippy::expect_used, reason = "columns and values come in pairs")]
pub(super) fn create(
    write: &Write,
    values: &[Assignment],
    once: &Once,
    mine: SelectStatement,
) -> WriteStatement {
    let bytes = size::of_new(values, once);
    let own = [
        (Task::UserId, write.user.as_str().into()),
        (Task::Id, Expr::col(With::LastId)),
        (Task::CreatedAt, Expr::col(With::Moment)),
        (Task::UpdatedAt, Expr::col(With::Moment)),
        (Task::Revision, Expr::col(With::Tick)),
    ];
    let once = once.columns();
    let (names, values): (Vec<_>, Vec<_>) = own
        .into_iter()
        .chain(exprs(&once))
        .chain(exprs(values))
        .unzip();
    let select = Query::select().exprs(values).from(With::Clock).take();
    let task = Query::insert()
        .into_table(task::Entity)
        .columns(names)
        .select_from(select)
        .expect("as many values as columns: they come in pairs")
        .returning(Query::returning().columns(COLUMNS))
        .take();
    WriteStatement {
        target: None,
        clock: first_tick(&[(write, bytes)], true).into(),
        mine: Some(mine),
        task: task.into(),
    }
}

/// Moves the clocks of users for a new task each, of so many bytes; the first write of a user makes it. The limits are those
/// of the first write.
#[expect(
    clippy::expect_used,
    reason = "there are seven columns and seven values"
)]
pub(in crate::store::commit) fn first_tick(
    writes: &[(&Write, i64)],
    after_mine: bool,
) -> InsertStatement {
    let own = |column: Clock| Expr::col((user_clock::Entity, column));
    let excluded = |column: Clock| Expr::col((Alias::new("excluded"), column));
    let next = |column: Clock| own(column).add(1);
    let stored = || own(Clock::StoredBytes).add(excluded(Clock::StoredBytes));
    let moment = Func::greatest([own(Clock::UpdatedAt), excluded(Clock::UpdatedAt)]);
    let limits = writes.first().map(|(write, _)| write.limits);
    let below_limits = Condition::all()
        .add_option(limits.map(|limits| own(Clock::TaskCount).lt(limits.tasks)))
        .add_option(
            limits
                .and_then(|limits| limits.bytes)
                .map(|most| stored().lte(most)),
        );
    let rows = writes.iter().map(|(write, bytes)| {
        [
            Expr::val(write.user.as_str()),
            Expr::val(1i64),
            Expr::val(1i64),
            Expr::val(1i64),
            Expr::val(1i64),
            Expr::val(*bytes),
            Expr::val(write.now),
        ]
    });
    let mut insert = Query::insert();
    insert.into_table(user_clock::Entity).columns([
        Clock::UserId,
        Clock::Revision,
        Clock::LastTaskId,
        Clock::TaskCount,
        Clock::RowCount,
        Clock::StoredBytes,
        Clock::UpdatedAt,
    ]);
    if after_mine {
        // A count is one row, whether the clock is there or not.
        let count = Query::select()
            .expr(Func::count(Expr::col(Asterisk)))
            .from(With::Mine)
            .take();
        let select = Query::select()
            .exprs(rows.flatten())
            .from_subquery(count, Alias::new("locked"))
            .take();
        insert
            .select_from(select)
            .expect("as many values as columns");
    } else {
        for row in rows {
            insert.values_panic(row);
        }
    }
    let mut on_conflict = OnConflict::column(Clock::UserId);
    on_conflict
        .value(Clock::Revision, next(Clock::Revision))
        .value(Clock::LastTaskId, next(Clock::LastTaskId))
        .value(Clock::TaskCount, next(Clock::TaskCount))
        .value(Clock::RowCount, next(Clock::RowCount))
        .value(Clock::StoredBytes, stored())
        .value(Clock::UpdatedAt, moment)
        .action_cond_where(below_limits);
    insert.on_conflict(on_conflict).returning(moved()).take()
}
