//! Removing everything that a user stores: tasks, tombstones, and with them keys, uids and texts.
//!
//! The clock stays. It moves, as by any write, and notes at which revision everything was erased. So no ETag, no cursor and
//! no copy from before fits what comes after, and ids are not given a second time.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, DeriveIden, ExprTrait as _,
    QueryResult,
    prelude::DateTimeUtc,
    sea_query::{
        Condition, DeleteStatement, Expr, Func, JoinType, Query, SelectStatement, UpdateStatement,
    },
    sqlx::PgConnection,
};

use super::statement::{With, lock_of_clock, named, with};
use crate::{
    store::{
        Usage,
        engine::{Grouped, Sqlite, SqliteWrite, rows},
        entity::{task, task::Column as Task, user_clock, user_clock::Column as Clock},
    },
    telemetry::StatementKind,
};

/// All that one user stores.
#[derive(Debug, Clone)]
pub(in crate::store) struct Erasure {
    pub(in crate::store) user: String,
    /// What time it is. The erasure happens then, or at the time of the user's last write if that is later.
    pub(in crate::store) now: DateTimeUtc,
}

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Erased {
    /// The user has never written.
    Nothing,
    /// Others have written meanwhile, and nothing was done.
    Again,
    /// Everything is gone.
    Gone {
        /// The user's revision since.
        revision: i64,
        /// What was there.
        stored: Usage,
    },
}

#[derive(Debug, Clone, Copy, DeriveIden)]
enum Name {
    /// The clock as the statement found it, without its lock.
    Seen,
    Gone,
}

impl Erasure {
    /// What is there, and at which revision.
    fn seen(&self) -> SelectStatement {
        Query::select()
            .columns(Usage::COLUMNS)
            .column(Clock::Revision)
            .from(user_clock::Entity)
            .and_where(Expr::col(Clock::UserId).eq(self.user.as_str()))
            .take()
    }

    fn clock(&self) -> UpdateStatement {
        let of_clock = |column: Clock| Expr::col((user_clock::Entity, column));
        let next = || of_clock(Clock::Revision).add(1);
        let moment = Func::greatest([of_clock(Clock::UpdatedAt), self.now.into()]);
        let nothing = [Clock::TaskCount, Clock::RowCount, Clock::StoredBytes];
        Query::update()
            .table(user_clock::Entity)
            .value(Clock::Revision, next())
            // Whoever has a copy is told to begin again.
            .value(Clock::PurgedRevision, next())
            .value(Clock::ErasedRevision, next())
            .values(nothing.map(|count| (count, 0.into())))
            .value(Clock::UpdatedAt, moment)
            .and_where(of_clock(Clock::UserId).eq(self.user.as_str()))
            .returning(Query::returning().expr(of_clock(Clock::Revision)))
            .take()
    }

    fn tasks(&self) -> DeleteStatement {
        Query::delete()
            .from_table(task::Entity)
            .and_where(Expr::col(Task::UserId).eq(self.user.as_str()))
            .take()
    }

    /// All of it as one statement. Its snapshot does not have the tasks of a write that is committed between the snapshot
    /// and the lock of the clock, and they would stay. Such a write has moved the clock: then nothing is done.
    fn into_one(self) -> sea_orm::Statement {
        let revision = |table: With| Expr::col((table, Clock::Revision));
        let seen = || Expr::col((Name::Seen, Clock::Revision));
        let mut mine = lock_of_clock(&self.user);
        mine.column(Clock::Revision);
        let mut clock = self.clock();
        clock
            .from(With::Mine)
            .from(Name::Seen)
            .and_where(revision(With::Mine).eq(seen()));
        let mut tasks = self.tasks();
        let moved = Query::select()
            .column(Clock::Revision)
            .from(With::Clock)
            .take();
        tasks.and_where(Expr::exists(moved));
        let before = [
            named(Name::Seen, self.seen()),
            named(With::Mine, mine),
            named(With::Clock, clock),
            named(Name::Gone, tasks),
        ];
        let done = Query::select()
            .columns(Usage::COLUMNS.map(|column| (Name::Seen, column)))
            .column((With::Clock, Clock::Revision))
            .from(Name::Seen)
            .join(JoinType::LeftJoin, With::Clock, Condition::all())
            .take();
        DbBackend::Postgres.build(&with(before, done.into()))
    }
}

/// What became of it, from what was there and the revision since, which is null if nothing was done.
fn read(row: Option<&QueryResult>) -> Result<Erased, DbErr> {
    let Some(row) = row else {
        return Ok(Erased::Nothing);
    };
    let stored = Usage::read(row, 0)?;
    let revision: Option<i64> = row.try_get_by_index(Usage::COLUMNS.len())?;
    Ok(match revision {
        Some(revision) => Erased::Gone { revision, stored },
        None => Erased::Again,
    })
}

/// Erasures go alone.
pub(in crate::store) enum Erasing {}

impl Grouped for Erasing {
    type Element = Erasure;
    type Answer = Erased;

    const KIND: StatementKind = StatementKind::Erasures;
    const LANES: usize = 1;
    const MAX: usize = 1;

    fn joins(_: &Erasure, _: &Erasure) -> bool {
        false
    }

    fn repeats(_: &Erasure) -> bool {
        true
    }

    async fn alone(connection: &mut PgConnection, erasure: &Erasure) -> Result<Erased, DbErr> {
        let statement = erasure.clone().into_one();
        read(rows(connection, &statement).await?.first())
    }

    async fn together(
        _: &mut PgConnection,
        erasures: &[Arc<Erasure>],
    ) -> Result<Vec<Option<Erased>>, DbErr> {
        Ok(erasures.iter().map(|_| None).collect())
    }

    async fn on_sqlite(sqlite: &Sqlite, erasure: Erasure) -> Result<Erased, DbErr> {
        let rows = sqlite.write(Box::new(erasure)).await?;
        let [seen, moved] = &*rows else {
            return Ok(Erased::Nothing);
        };
        Ok(Erased::Gone {
            revision: moved.try_get_by_index(0)?,
            stored: Usage::read(seen, 0)?,
        })
    }
}

impl SqliteWrite for Erasure {
    fn run<'a>(
        &'a self,
        transaction: &'a DatabaseTransaction,
    ) -> BoxFuture<'a, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let seen = transaction.query_one(&self.seen()).await?;
            let moved = transaction.query_one(&self.clock()).await?;
            transaction.execute(&self.tasks()).await?;
            Ok(seen.into_iter().chain(moved).collect())
        })
    }
}
