//! One write as statements: one on PostgreSQL, two in a transaction on SQLite, where creations go together.

mod change;
mod create;

use std::any::Any;

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, DeriveIden, ExprTrait as _,
    FromQueryResult, QueryResult, Statement,
    prelude::DateTimeUtc,
    sea_query::{
        CommonTableExpression, Expr, IntoIden, LockBehavior, LockType, Query, ReturningClause,
        SelectStatement, SubQueryStatement, WithClause, WithQuery,
    },
};

use super::{
    Assignment, Lone, Set, What, Write, plan,
    together::{create_on_sqlite, joins},
};
use crate::store::{
    engine::SqliteWrite,
    entity::{task::Column as Task, user_clock, user_clock::Column as Clock},
};
pub(super) use create::first_tick;

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
    /// Writes the task from [`With::Clock`]; returns its [`COLUMNS`](crate::store::row::COLUMNS).
    pub(super) task: SubQueryStatement,
}

/// The clock after its move.
#[derive(Debug, Clone, Copy, FromQueryResult)]
pub(super) struct Moved {
    pub(super) revision: i64,
    pub(super) last_task_id: i64,
    pub(super) updated_at: DateTimeUtc,
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

    /// The statements of a write; of a creation on PostgreSQL only.
    pub(super) fn of(write: &Write, what: &Lone, backend: DbBackend) -> Self {
        let lock = || lock_of_clock(write.user.as_str());
        let mine = (backend == DbBackend::Postgres).then(lock);
        match what {
            Lone::Create { values, once } => create::create(write, values, once, lock()),
            Lone::Change {
                id,
                state,
                expected,
                values,
                count,
            } => {
                let condition = change::condition(state, expected);
                change::change(write, *id, condition, values, *count, mine)
            }
        }
    }
}

impl SqliteWrite for Write {
    fn joins(&self, others: &[&dyn SqliteWrite]) -> bool {
        let others: Option<Vec<&Self>> = others.iter().map(|other| own(*other)).collect();
        others.is_some_and(|others| joins(self, others.into_iter()))
    }

    fn run<'a>(
        &'a self,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            match &self.what {
                What::One(Lone::Create { .. }) => {
                    let rows = create_on_sqlite(transaction, &[self]).await?;
                    Ok(rows.into_iter().flatten().collect())
                }
                What::One(change) => self.change_on_sqlite(transaction, change).await,
                What::Many(plan) => {
                    plan::on_sqlite(transaction, &self.user, self.now, &**plan).await?;
                    Ok(Vec::new())
                }
            }
        })
    }

    fn run_with<'a>(
        &'a self,
        others: &'a [&'a dyn SqliteWrite],
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<Vec<QueryResult>>, DbErr>> {
        Box::pin(async move {
            let others = others.iter().filter_map(|other| own(*other));
            let writes: Vec<&Self> = std::iter::once(self).chain(others).collect();
            create_on_sqlite(transaction, &writes).await
        })
    }
}

/// Another write of the same kind.
fn own(other: &dyn SqliteWrite) -> Option<&Write> {
    (other as &dyn Any).downcast_ref()
}

impl Write {
    async fn change_on_sqlite(
        &self,
        transaction: &DatabaseTransaction,
        change: &Lone,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let WriteStatement {
            target,
            mine: _,
            clock: move_clock,
            task,
        } = WriteStatement::of(self, change, DbBackend::Sqlite);
        let target = target.map(|target| named(With::Target, target));
        let moved = transaction.query_one(&with(target, move_clock)).await?;
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
        let row = row.ok_or_else(|| DbErr::Custom("the clock moved without a task".to_owned()))?;
        Ok(vec![row])
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

fn exprs(values: &[Assignment]) -> impl Iterator<Item = (Task, Expr)> {
    let exprs = values.iter().cloned();
    exprs.map(|(column, set): (Task, Set)| (column, set.into_expr(column)))
}

/// What is read of a clock after its move.
fn moved() -> ReturningClause {
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

pub(super) fn named(
    name: impl IntoIden,
    query: impl Into<SubQueryStatement>,
) -> CommonTableExpression {
    let mut expression = CommonTableExpression::new();
    expression.table_name(name).query(query);
    expression
}

fn clock(query: impl Into<SubQueryStatement>) -> CommonTableExpression {
    let mut expression = named(With::Clock, query);
    expression.columns([With::Tick, With::LastId, With::Moment]);
    expression
}
