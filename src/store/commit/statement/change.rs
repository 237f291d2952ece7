//! The statements that change one task.

use sea_orm::{
    ExprTrait as _,
    sea_query::{
        Condition, Expr, Func, IntoCondition as _, LockBehavior, LockType, Query, SelectStatement,
    },
};

use super::{With, WriteStatement, exprs, moved};
use crate::store::{
    commit::{Assignment, Count, Expected, State, Write, size},
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    row::COLUMNS,
};

/// A change of one task: if the condition and the limits hold, the clock moves and the values are set.
pub(super) fn change(
    Write {
        user, now, limits, ..
    }: &Write,
    id: i64,
    condition: Condition,
    values: &[Assignment],
    count: Count,
    mine: Option<SelectStatement>,
) -> WriteStatement {
    let this_task = || {
        Condition::all()
            .add(Expr::col(Task::UserId).eq(user.as_str()))
            .add(Expr::col(Task::Id).eq(id))
    };
    let growth = size::growth(values);
    let mut target = Query::select()
        .column(Task::Id)
        .from(task::Entity)
        .cond_where(this_task().add(condition))
        .lock_with_behavior(LockType::Update, LockBehavior::Nowait)
        .take();
    let of_clock = |column| Expr::col((user_clock::Entity, column));
    let moment = Func::greatest([of_clock(Clock::UpdatedAt), (*now).into()]);
    let mut clock = Query::update()
        .table(user_clock::Entity)
        .value(Clock::Revision, of_clock(Clock::Revision).add(1))
        .value(Clock::UpdatedAt, moment)
        .from(With::Target)
        .and_where(of_clock(Clock::UserId).eq(user.as_str()))
        .returning(moved())
        .take();
    if mine.is_some() {
        clock.from(With::Mine);
    }
    if let Some(growth) = growth {
        target.expr_as(growth, With::Growth);
        let growth = || Expr::col((With::Target, With::Growth));
        let stored = || of_clock(Clock::StoredBytes).add(growth());
        clock.value(Clock::StoredBytes, stored());
        // A user who is over the limit may still write less.
        let fits = |most| stored().lte(most).or(growth().lte(0));
        clock.cond_where(Condition::all().add_option(limits.bytes.map(fits)));
    }
    match count {
        Count::Same => {}
        Count::Less => {
            let tombstones = of_clock(Clock::RowCount).sub(of_clock(Clock::TaskCount));
            clock.and_where(tombstones.lt(limits.tasks));
            clock.value(Clock::TaskCount, of_clock(Clock::TaskCount).sub(1));
        }
        Count::More => {
            clock.and_where(of_clock(Clock::TaskCount).lt(limits.tasks));
            clock.value(Clock::TaskCount, of_clock(Clock::TaskCount).add(1));
        }
    }
    let task = Query::update()
        .table(task::Entity)
        .values(exprs(values))
        .value(Task::UpdatedAt, Expr::col(With::Moment))
        .value(Task::Revision, Expr::col(With::Tick))
        .from(With::Clock)
        .cond_where(this_task())
        .returning(Query::returning().columns(COLUMNS))
        .take();
    WriteStatement {
        target: Some(target),
        mine,
        clock: clock.into(),
        task: task.into(),
    }
}

/// What must hold of the task.
pub(super) fn condition(state: &State, expected: &Expected) -> Condition {
    in_state(state).add(as_expected(expected))
}

fn in_state(state: &State) -> Condition {
    let deleted_at = Expr::col(Task::DeletedAt);
    Condition::all().add(match state {
        State::Live => deleted_at.is_null(),
        State::DeletedAfter(time) => deleted_at.gt(*time),
    })
}

fn as_expected(expected: &Expected) -> Condition {
    let version = Expr::col(Task::Revision);
    match expected {
        Expected::Any => Condition::all(),
        Expected::OneOf(versions) => version.is_in(versions.iter().copied()).into_condition(),
        Expected::NoneOf(versions) => version.is_not_in(versions.iter().copied()).into_condition(),
        Expected::Nothing => Expr::val(false).into_condition(),
    }
}
