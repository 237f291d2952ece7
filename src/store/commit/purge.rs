//! Removing tombstones of one user for good.
//!
//! The tombstones are locked, then the clock, as by every write, and nothing waits for a lock. The revision does not
//! move: nothing that a client can see has changed. What has gone moves `purged_revision`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, DeriveIden, ExprTrait as _,
    QueryResult,
    sea_query::{
        Asterisk, Condition, DeleteStatement, Expr, Func, IntoIden as _, LockBehavior, LockType,
        Query, SelectStatement, TableRef, UpdateStatement,
    },
    sqlx::PgConnection,
};

use super::size::row_bytes;
use super::statement::{With, lock_of_clock, named, with};
use crate::{
    store::{
        engine::{Grouped, Sqlite, SqliteWrite, rows},
        entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    },
    telemetry::StatementKind,
};

/// Tombstones of one user that are to be removed.
#[derive(Debug, Clone)]
pub(in crate::store) struct Purge {
    user: String,
    /// As many as [`Purge::MOST`].
    ids: Vec<i64>,
    /// The greatest revision among them: a task that was restored since, and deleted again, is left.
    until: i64,
}

#[derive(DeriveIden)]
enum Gone {
    Table,
    Tombstones,
    Bytes,
    Last,
}

impl Purge {
    /// Tombstones in one statement, whose locks are held together.
    pub(in crate::store) const MOST: usize = 64;

    /// Removes up to [`MOST`](Self::MOST) tombstones, each an id and a revision. `None` if there are none.
    pub(in crate::store) fn of(
        user: &str,
        tombstones: impl IntoIterator<Item = (i64, i64)>,
    ) -> Option<Self> {
        let (mut ids, revisions): (Vec<_>, Vec<_>) =
            tombstones.into_iter().take(Self::MOST).unzip();
        // Always the same number, so that the statement is always the same text.
        ids.resize(Self::MOST, *ids.last()?);
        Some(Self {
            user: user.to_owned(),
            ids,
            until: revisions.into_iter().max()?,
        })
    }

    fn condition(&self) -> Condition {
        Condition::all()
            .add(Expr::col(Task::UserId).eq(self.user.as_str()))
            .add(Expr::col(Task::Id).is_in(self.ids.iter().copied()))
            .add(Expr::col(Task::Revision).lte(self.until))
            .add(Expr::col(Task::DeletedAt).is_not_null())
    }

    fn target(&self) -> SelectStatement {
        Query::select()
            .columns([Task::Id, Task::Revision])
            .expr_as(row_bytes(), With::Growth)
            .from(task::Entity)
            .cond_where(self.condition())
            .lock_with_behavior(LockType::Update, LockBehavior::Nowait)
            .take()
    }

    /// Counts what goes. No row if nothing does.
    fn clock(&self, backend: DbBackend) -> UpdateStatement {
        let of_clock = |column: Clock| Expr::col((user_clock::Entity, column));
        let of_gone = |column: Gone| Expr::col((Gone::Table, column));
        let bytes = Func::sum(Expr::col(With::Growth));
        let gone = Query::select()
            .expr_as(Func::count(Expr::col(Asterisk)), Gone::Tombstones)
            // Sums of integers are not integers on PostgreSQL.
            .expr_as(Expr::from(bytes).cast_as("bigint"), Gone::Bytes)
            .expr_as(Func::max(Expr::col(Task::Revision)), Gone::Last)
            .from(With::Target)
            .take();
        let last = Func::greatest([of_clock(Clock::PurgedRevision), of_gone(Gone::Last)]);
        let mut update = Query::update();
        update
            .table(user_clock::Entity)
            .value(
                Clock::RowCount,
                of_clock(Clock::RowCount).sub(of_gone(Gone::Tombstones)),
            )
            .value(
                Clock::StoredBytes,
                of_clock(Clock::StoredBytes).sub(of_gone(Gone::Bytes)),
            )
            .value(Clock::PurgedRevision, last)
            .from(TableRef::SubQuery(gone.into(), Gone::Table.into_iden()))
            .and_where(of_clock(Clock::UserId).eq(self.user.as_str()))
            .and_where(of_gone(Gone::Tombstones).gt(0))
            .returning(Query::returning().column(Clock::Revision));
        if backend == DbBackend::Postgres {
            update.from(With::Mine);
        }
        update
    }

    fn tombstones(&self) -> DeleteStatement {
        Query::delete()
            .from_table(task::Entity)
            .cond_where(self.condition())
            .returning(Query::returning().column(Task::Id))
            .take()
    }
}

/// Purges go alone. The answer is how many tombstones there still were.
pub(in crate::store) enum Purging {}

impl Grouped for Purging {
    type Element = Purge;
    type Answer = usize;

    const KIND: StatementKind = StatementKind::Purges;
    const LANES: usize = 1;
    const MAX: usize = 1;

    fn joins(_: &Purge, _: &Purge) -> bool {
        false
    }

    fn repeats(_: &Purge) -> bool {
        true
    }

    async fn alone(connection: &mut PgConnection, purge: &Purge) -> Result<usize, DbErr> {
        let backend = DbBackend::Postgres;
        let before = [
            named(With::Target, purge.target()),
            named(With::Mine, lock_of_clock(&purge.user)),
            named(With::Clock, purge.clock(backend)),
        ];
        let moved = Query::select()
            .column(Clock::Revision)
            .from(With::Clock)
            .take();
        let mut delete = purge.tombstones();
        delete.and_where(Expr::exists(moved));
        let statement = backend.build(&with(before, delete.into()));
        Ok(rows(connection, &statement).await?.len())
    }

    async fn together(
        _: &mut PgConnection,
        purges: &[Arc<Purge>],
    ) -> Result<Vec<Option<usize>>, DbErr> {
        Ok(purges.iter().map(|_| None).collect())
    }

    async fn on_sqlite(sqlite: &Sqlite, purge: Purge) -> Result<usize, DbErr> {
        Ok(sqlite.write(Box::new(purge)).await?.len())
    }
}

impl SqliteWrite for Purge {
    fn run<'a>(
        &'a self,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let target = named(With::Target, self.target());
            let clock = with([target], self.clock(DbBackend::Sqlite).into());
            match transaction.query_one(&clock).await? {
                Some(_) => transaction.query_all(&self.tombstones()).await,
                None => Ok(Vec::new()),
            }
        })
    }
}
