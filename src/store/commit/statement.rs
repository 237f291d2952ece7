//! One write as statements: one on PostgreSQL, two in a transaction on SQLite.

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, DeriveIden, ExprTrait as _,
    FromQueryResult, QueryResult, Statement,
    prelude::DateTimeUtc,
    sea_query::{
        Alias, Asterisk, CommonTableExpression, Condition, Expr, Func, InsertStatement,
        IntoCondition as _, LockBehavior, LockType, OnConflict, Query, SelectStatement,
        SubQueryStatement, WithClause, WithQuery,
    },
};

use super::{Assignment, Count, Expected, Lone, Once, Set, State, What, Write, plan, size};
use crate::store::{
    engine::SqliteWrite,
    entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    row::COLUMNS,
};

/// The table expressions that the statements of a write name.
#[derive(Debug, Clone, Copy, DeriveIden)]
pub(super) enum With {
    /// The task that a change is about, if it is there and as expected; locked.
    Target,
    /// The clock before its move, if there is one; locked. On PostgreSQL only.
    Mine,
    /// The clock after its move: one row, or none if the write is refused.
    Clock,
    /// The new revision.
    Tick,
    /// The last id given.
    LastId,
    /// When this write happens.
    Moment,
    /// By how many bytes the task grows.
    Growth,
}

/// The statements of one write. They run in this order, each over the result of the one before.
///
/// On PostgreSQL they never wait for a lock that another transaction holds (`NOWAIT`, SQLSTATE 55P03): the write is
/// tried again later, and holds no connection meanwhile. One case is left: two first writes of a user.
#[derive(Debug, Clone)]
pub(super) struct WriteStatement {
    /// Finds and locks the task to be changed.
    pub(super) target: Option<SelectStatement>,
    /// Finds and locks the clock.
    pub(super) mine: Option<SelectStatement>,
    /// Moves the clock, from [`With::Target`] and [`With::Mine`] if there are any; returns revision, id and time.
    pub(super) clock: SubQueryStatement,
    /// Writes the task from [`With::Clock`]; returns its [`COLUMNS`].
    pub(super) task: SubQueryStatement,
}

/// The clock after its move.
#[derive(Debug, FromQueryResult)]
struct Moved {
    revision: i64,
    last_task_id: i64,
    updated_at: DateTimeUtc,
}

impl WriteStatement {
    /// All of it as one statement. PostgreSQL alone can write in a table expression.
    pub(super) fn into_one(self) -> Statement {
        let target = self.target.map(|target| named(With::Target, target));
        let mine = self.mine.map(|mine| named(With::Mine, mine));
        let before = target.into_iter().chain(mine);
        let all = before.chain([clock(self.clock)]);
        DbBackend::Postgres.build(&with(all, self.task))
    }

    /// The statements of a write.
    pub(super) fn of(write: &Write, what: &Lone, backend: DbBackend) -> Self {
        let mine = (backend == DbBackend::Postgres).then(|| lock_of_clock(write.user.as_str()));
        match what {
            Lone::Create { values, once } => creation(write, values, once, mine),
            Lone::Change {
                id,
                state,
                expected,
                values,
                count,
            } => {
                let condition = in_state(state).add(as_expected(expected));
                change(write, *id, condition, values, *count, mine)
            }
        }
    }
}

impl SqliteWrite for Write {
    fn run<'a>(
        &'a self,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let WriteStatement {
                target,
                mine: _,
                clock: move_clock,
                task,
            } = match &self.what {
                What::One(one) => WriteStatement::of(self, one, DbBackend::Sqlite),
                What::Many(plan) => {
                    plan::on_sqlite(transaction, &self.user, self.now, &**plan).await?;
                    return Ok(Vec::new());
                }
            };
            let target = target.map(|target| named(With::Target, target));
            let moved = match (target, &move_clock) {
                (None, SubQueryStatement::InsertStatement(insert)) => {
                    transaction.query_one(insert).await?
                }
                (target, _) => transaction.query_one(&with(target, move_clock)).await?,
            };
            let Some(moved) = moved else {
                return Ok(Vec::new());
            };
            let Moved {
                revision,
                last_task_id,
                updated_at,
            } = Moved::from_query_result(&moved, "")?;
            let values = Query::select()
                .exprs([revision.into(), last_task_id.into(), Expr::val(updated_at)])
                .take();
            let row = transaction.query_one(&with([clock(values)], task)).await?;
            // The clock moves for a task that was found in the same transaction.
            let row =
                row.ok_or_else(|| DbErr::Custom("the clock moved without a task".to_owned()))?;
            Ok(vec![row])
        })
    }
}

/// A new task, if the user may have one more.
#[expect(clippy::expect_used, reason = "columns and values come in pairs")]
fn creation(
    write: &Write,
    values: &[Assignment],
    once: &Once,
    mine: Option<SelectStatement>,
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
        clock: first_tick(write, bytes, mine.is_some()).into(),
        mine,
        task: task.into(),
    }
}

/// Locks the clock of a user.
pub(super) fn lock_of_clock(user: &str) -> SelectStatement {
    Query::select()
        .column(Clock::UserId)
        .from(user_clock::Entity)
        .and_where(Expr::col(Clock::UserId).eq(user))
        .lock_with_behavior(LockType::Update, LockBehavior::Nowait)
        .take()
}

/// Moves the clock for a new task of so many bytes; the first write of a user makes it.
#[expect(
    clippy::expect_used,
    reason = "there are seven columns and seven values"
)]
fn first_tick(
    Write {
        user, now, limits, ..
    }: &Write,
    bytes: i64,
    after_mine: bool,
) -> InsertStatement {
    let next = |column: Clock| Expr::col((user_clock::Entity, column)).add(1);
    let stored = || Expr::col((user_clock::Entity, Clock::StoredBytes)).add(bytes);
    let excluded = Expr::cust(r#""excluded"."updated_at""#);
    let moment = Func::greatest([Expr::col((user_clock::Entity, Clock::UpdatedAt)), excluded]);
    let below_limits = Condition::all()
        .add(Expr::col((user_clock::Entity, Clock::TaskCount)).lt(limits.tasks))
        .add_option(limits.bytes.map(|most| stored().lte(most)));
    let first = [
        Expr::val(user.as_str()),
        Expr::val(1i64),
        Expr::val(1i64),
        Expr::val(1i64),
        Expr::val(1i64),
        Expr::val(bytes),
        Expr::val(*now),
    ];
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
            .exprs(first)
            .from_subquery(count, Alias::new("locked"))
            .take();
        insert
            .select_from(select)
            .expect("as many values as columns");
    } else {
        insert.values_panic(first);
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

/// A change of one task: if the condition and the limits hold, the clock moves and the values are set.
fn change(
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

fn exprs(values: &[Assignment]) -> impl Iterator<Item = (Task, Expr)> {
    let exprs = values.iter().cloned();
    exprs.map(|(column, set): (Task, Set)| (column, set.into_expr(column)))
}

/// What is read of a clock after its move.
fn moved() -> sea_orm::sea_query::ReturningClause {
    Query::returning().columns([Clock::Revision, Clock::LastTaskId, Clock::UpdatedAt])
}

/// A statement over table expressions. Not by `WithClause::query`, which copies all of it.
pub(super) fn with(
    expressions: impl IntoIterator<Item = CommonTableExpression>,
    statement: SubQueryStatement,
) -> WithQuery {
    let mut clause = WithClause::new();
    for expression in expressions {
        clause.cte(expression);
    }
    let mut query = WithQuery::new();
    query.with_clause(clause).query(statement);
    query
}

pub(super) fn named(name: With, query: impl Into<SubQueryStatement>) -> CommonTableExpression {
    let mut expression = CommonTableExpression::new();
    expression.table_name(name).query(query);
    expression
}

fn clock(query: impl Into<SubQueryStatement>) -> CommonTableExpression {
    let mut expression = named(With::Clock, query);
    expression.columns([With::Tick, With::LastId, With::Moment]);
    expression
}
