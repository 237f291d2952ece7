//! Counts what users store, from their rows.
//!
//! The counts are kept by each write, so they are right as long as every process keeps them. This is for databases that
//! have none yet, and for what an older process wrote during a rolling update. It does not hold up the server: each
//! transaction locks the clocks of a few users and waits for none, and can be the last one.

use std::{slice, time::Duration};

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend, TransactionSession as _, TransactionTrait},
    sea_query::{JoinType, LockBehavior, LockType, TableRef},
};
use tokio::time::{Instant, sleep};

/// What a row of `task` counts in bytes, over its columns. The program decides it, and not this crate.
pub type RowBytes = fn() -> Expr;

/// Users in one batch. Their writes are tried again while they are counted.
const BATCH: u64 = 20;

/// How long to try for the locks of a batch, and the pause between two attempts.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The migration that counts.
pub(crate) struct CountStorage {
    pub(crate) name: &'static str,
    pub(crate) row_bytes: RowBytes,
}

impl MigrationName for CountStorage {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CountStorage {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        recount(manager.get_connection(), self.row_bytes).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    /// One for all batches would keep all clocks locked until the last.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

#[derive(DeriveIden, Clone, Copy)]
enum UserClock {
    Table,
    UserId,
    TaskCount,
    RowCount,
    StoredBytes,
}

#[derive(DeriveIden, Clone, Copy)]
enum Task {
    Table,
    UserId,
    Id,
    DeletedAt,
}

/// Counts the tasks, rows and bytes of all users again, and returns how many users had other counts.
///
/// # Errors
/// If the database fails. What was counted before stays.
pub async fn recount(
    db: &(impl ConnectionTrait + TransactionTrait),
    row_bytes: RowBytes,
) -> Result<u64, DbErr> {
    let mut after: Option<String> = None;
    let mut mended = 0;
    loop {
        let users = next(db, after.as_deref()).await?;
        let Some(last) = users.last() else {
            return Ok(mended);
        };
        after = Some(last.clone());
        mended += count(db, users, row_bytes).await?;
    }
}

/// Counts a batch. It never waits while it has a lock: a session that keeps one user's clock would hold up the others.
async fn count(
    db: &(impl ConnectionTrait + TransactionTrait),
    mut users: Vec<String>,
    row_bytes: RowBytes,
) -> Result<u64, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return count_on_sqlite(db, &users, row_bytes).await;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut mended = 0;
    loop {
        // It is counted after the locks were taken: what was committed until then belongs to the clocks.
        let transaction = db.begin().await?;
        let rows = transaction.query_all(&lock(&users)).await?;
        let locked: Result<Vec<String>, _> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect();
        let locked = locked?;
        let done = transaction.execute(&update(&locked, row_bytes)).await?;
        transaction.commit().await?;
        mended += done.rows_affected();
        users.retain(|user| !locked.contains(user));
        if users.is_empty() {
            return Ok(mended);
        }
        if Instant::now() >= deadline {
            return Err(DbErr::Custom(format!(
                "another session keeps the rows of {} users locked; end it, and run this again",
                users.len()
            )));
        }
        sleep(PAUSE).await;
    }
}

/// SQLite has one writer: users are counted one by one, and others get as much time as this takes.
async fn count_on_sqlite(
    db: &impl ConnectionTrait,
    users: &[String],
    row_bytes: RowBytes,
) -> Result<u64, DbErr> {
    let mut mended = 0;
    for user in users {
        let began = Instant::now();
        let done = db
            .execute(&update(slice::from_ref(user), row_bytes))
            .await?;
        mended += done.rows_affected();
        sleep(began.elapsed()).await;
    }
    Ok(mended)
}

async fn next(db: &impl ConnectionTrait, after: Option<&str>) -> Result<Vec<String>, DbErr> {
    let mut select = Query::select()
        .column(UserClock::UserId)
        .from(UserClock::Table)
        .order_by(UserClock::UserId, Order::Asc)
        .limit(BATCH)
        .to_owned();
    if let Some(user) = after {
        select.and_where(Expr::col(UserClock::UserId).gt(user));
    }
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

fn lock(users: &[String]) -> SelectStatement {
    Query::select()
        .column(UserClock::UserId)
        .from(UserClock::Table)
        .and_where(Expr::col(UserClock::UserId).is_in(users))
        .order_by(UserClock::UserId, Order::Asc)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned()
}

/// Sets the counts that are not right.
fn update(users: &[String], row_bytes: RowBytes) -> UpdateStatement {
    let clock = |column: UserClock| Expr::col((UserClock::Table, column));
    let task = |column: Task| Expr::col((Task::Table, column));
    let right = |column: UserClock| Expr::col((Alias::new("counted"), column));
    let is_live = task(Task::Id)
        .is_not_null()
        .and(task(Task::DeletedAt).is_null());
    // Sums of integers are not integers on PostgreSQL.
    let bytes = Func::coalesce([Func::sum(row_bytes()).into(), Expr::val(0i64)]);
    let counted = Query::select()
        .expr_as(clock(UserClock::UserId), UserClock::UserId)
        .expr_as(Func::count(Expr::case(is_live, 1)), UserClock::TaskCount)
        .expr_as(Func::count(task(Task::Id)), UserClock::RowCount)
        .expr_as(Expr::from(bytes).cast_as("bigint"), UserClock::StoredBytes)
        .from(UserClock::Table)
        .join(
            JoinType::LeftJoin,
            Task::Table,
            task(Task::UserId).eq(clock(UserClock::UserId)),
        )
        .and_where(clock(UserClock::UserId).is_in(users))
        .group_by_col((UserClock::Table, UserClock::UserId))
        .to_owned();
    let columns = [
        UserClock::TaskCount,
        UserClock::RowCount,
        UserClock::StoredBytes,
    ];
    let differs = columns.into_iter().fold(Condition::any(), |any, column| {
        any.add(clock(column).ne(right(column)))
    });
    Query::update()
        .table(UserClock::Table)
        .values(columns.map(|column| (column, right(column))))
        .from(TableRef::SubQuery(
            counted.into(),
            Alias::new("counted").into_iden(),
        ))
        .and_where(clock(UserClock::UserId).eq(right(UserClock::UserId)))
        .cond_where(differs)
        .to_owned()
}
