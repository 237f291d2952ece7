//! One write: the user's clock moves and one task changes, together or not at all.
//!
//! Each write takes the next revision under the lock of the user's row in `user_clock`, which is held
//! until the commit, so that revisions commit in order. Times never run backwards either: a write
//! happens at the later of now and the time of the write before it. So the order of ids is that of
//! creation, and the order of revisions that of the last change.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, DeriveIden, FromQueryResult,
    SqliteTransactionMode, Statement, TransactionOptions,
    prelude::DateTimeUtc,
    sea_query::{CommonTableExpression, Query, SelectStatement, SubQueryStatement, WithClause},
};

use super::{Database, row::TaskRow};

/// The table expressions that the statements of a write name.
#[derive(Debug, Clone, Copy, DeriveIden)]
pub(super) enum With {
    /// The task that a change is about, if it is there and as expected; locked.
    Target,
    /// The clock after its move: one row, or none if the write is refused.
    Clock,
    /// The new revision.
    Tick,
    /// The last id given.
    LastId,
    /// When this write happens.
    Moment,
}

/// The statements of one write. They run in this order, each over the result of the one before.
#[derive(Debug, Clone)]
pub(super) struct WriteStatement {
    /// Finds and locks the task to be changed. The lock comes before the clock's, in every write, so
    /// that two never wait for each other.
    pub(super) target: Option<SelectStatement>,
    /// Moves the clock, from [`With::Target`] if there is one; returns revision, id and time.
    pub(super) clock: SubQueryStatement,
    /// Writes the task from [`With::Clock`]; returns its [`COLUMNS`](super::row::COLUMNS).
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
    fn as_one(&self) -> Statement {
        let mut with = WithClause::new();
        if let Some(target) = &self.target {
            with.cte(named(With::Target, target.clone()));
        }
        with.cte(clock(self.clock.clone()));
        DbBackend::Postgres.build(&with.query(self.task.clone()))
    }

    /// The move of the clock alone.
    fn of_clock(&self) -> Statement {
        let target = self
            .target
            .as_ref()
            .map(|target| named(With::Target, target.clone()));
        match (target, &self.clock) {
            (Some(target), clock) => {
                DbBackend::Sqlite.build(&WithClause::from(target).query(clock.clone()))
            }
            (None, SubQueryStatement::InsertStatement(insert)) => DbBackend::Sqlite.build(insert),
            (None, other) => unreachable!("only an insertion has no target, not {other:?}"),
        }
    }

    /// Runs it in a transaction of SQLite, which the caller commits. An error must undo what it did.
    pub(super) async fn run_on_sqlite(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<Option<TaskRow>, DbErr> {
        let Some(moved) = transaction.query_one_raw(self.of_clock()).await? else {
            return Ok(None);
        };
        let Moved {
            revision,
            last_task_id,
            updated_at,
        } = Moved::from_query_result(&moved, "")?;
        let values = Query::select()
            .exprs([
                revision.into(),
                last_task_id.into(),
                sea_orm::sea_query::Expr::val(updated_at),
            ])
            .to_owned();
        let task = WithClause::from(clock(values)).query(self.task.clone());
        let row = transaction.query_one(&task).await?;
        // The clock moves for a task that was found in the same transaction.
        let row = row.ok_or_else(|| DbErr::Custom("the clock moved without a task".to_owned()))?;
        TaskRow::read(&row).map(Some)
    }
}

fn named(name: With, query: impl Into<SubQueryStatement>) -> CommonTableExpression {
    CommonTableExpression::new()
        .table_name(name)
        .query(query)
        .to_owned()
}

fn clock(query: impl Into<SubQueryStatement>) -> CommonTableExpression {
    named(With::Clock, query)
        .columns([With::Tick, With::LastId, With::Moment])
        .to_owned()
}

/// On SQLite the write lock is taken at the start: a transaction that reads first and then wants to write
/// fails without waiting when another one wrote in between (SQLITE_BUSY_SNAPSHOT).
pub(super) fn immediate() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

impl Database {
    /// Runs a write. `None` if its conditions do not hold; then nothing has changed.
    pub(super) async fn write(&self, write: &WriteStatement) -> Result<Option<TaskRow>, DbErr> {
        if let Some(writer) = self.sqlite_writer() {
            return self.run(writer.write(Box::new(write.clone()))).await;
        }
        let statement = write.as_one();
        let row = self.run(self.pool().query_one_raw(statement)).await?;
        row.map(|row| TaskRow::read(&row)).transpose()
    }
}
