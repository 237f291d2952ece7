//! The lock that migrations run under.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use chrono::Utc;
use migration::{MigrationTrait, MigratorTraitSelf as _, SchemaManager, seaql_migrations};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait as _,
    SqlxPostgresConnector, Statement, TransactionTrait as _, TryInsertResult,
    sqlx::{self, postgres::PgPoolOptions},
};
use tokio::time::{Instant, sleep};

use super::{
    super::{engine::immediate, error::is_busy},
    Step, migrator, next,
};

/// The key of the advisory lock. Such keys are shared by all that use the database, hence a name.
const KEY: i64 = i64::from_be_bytes(*b"taskward");

/// How often the lock is tried.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Takes the lock, does `step` and lets the lock go.
pub(super) async fn migrate(
    db: &DatabaseConnection,
    step: Step,
    patience: Duration,
) -> anyhow::Result<Vec<String>> {
    let db = db.clone();
    // In a task of its own, so that it is finished also if the caller does not stay to see it: a
    // `begin` that is cancelled can leave its transaction open in the pool.
    let work = tokio::spawn(async move {
        let deadline = Instant::now() + patience;
        match db.get_database_backend() {
            DbBackend::Postgres => on_postgres(&db, step, deadline).await,
            DbBackend::Sqlite => on_sqlite(&db, step, deadline).await,
            other => bail!("{other:?} is not supported"),
        }
    });
    work.await.context("the migration was broken off")?
}

/// On PostgreSQL: a session's advisory lock, which also goes when the process or the connection dies.
///
/// One connection takes the lock and does the work, in a pool of its own. A lock for the transaction
/// would do with less, but a migration that builds an index concurrently cannot be in a transaction.
async fn on_postgres(
    db: &DatabaseConnection,
    step: Step,
    deadline: Instant,
) -> anyhow::Result<Vec<String>> {
    let options = db.get_postgres_connection_pool().connect_options();
    let used = Arc::new(AtomicBool::new(false));
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        // If the connection is lost, so is the lock: the pool must not go on with another one.
        .after_connect(move |_, _| {
            let first = !used.swap(true, Ordering::Relaxed);
            let lost = || sqlx::Error::Protocol("the connection with the lock was lost".into());
            Box::pin(async move { if first { Ok(()) } else { Err(lost()) } })
        })
        .connect_with((*options).clone())
        .await
        .context("cannot connect to migrate")?;
    let session = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    let result = match wait_for_lock(&session, deadline).await {
        Ok(()) => step.run(&session).await,
        Err(error) => Err(error),
    };
    // The lock goes with the session, so there is no unlocking that could be forgotten or fail.
    session.close().await.ok();
    result
}

/// Asks again and again and does not block in the server: a statement that waits there is itself a
/// transaction, which an index being built concurrently by the holder would wait for in turn.
async fn wait_for_lock(session: &DatabaseConnection, deadline: Instant) -> anyhow::Result<()> {
    let statement = |sql: &str| Statement::from_string(DbBackend::Postgres, sql);
    let try_lock = format!("SELECT pg_try_advisory_lock({KEY})");
    loop {
        let row = session.query_one_raw(statement(&try_lock)).await;
        let row = row.context("cannot ask for the migration lock")?;
        if row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            break;
        }
        sleep(TRY_EVERY).await;
    }
    // A bigint key is shown as its two halves.
    let who = format!(
        "SELECT concat('server process ', pid, ', ', coalesce(host(client_addr), 'local'), \
         ', connected ', to_char(backend_start, 'YYYY-MM-DD HH24:MI:SSOF')) \
         FROM pg_locks JOIN pg_stat_activity USING (pid) \
         WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
         AND classid = {} AND objid = {} \
         AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        KEY >> 32,
        KEY & 0xffff_ffff
    );
    let who = session.query_one_raw(statement(&who)).await.ok().flatten();
    let who = who.and_then(|row| row.try_get_by_index::<String>(0).ok());
    bail!(
        "another process is migrating this database and did not finish in time ({}); \
         try again when it has, or end it if it hangs",
        who.as_deref().unwrap_or("it is just gone")
    )
}

/// On SQLite: the write lock, which a transaction takes at its start; one transaction for each migration.
async fn on_sqlite(
    db: &DatabaseConnection,
    step: Step,
    deadline: Instant,
) -> anyhow::Result<Vec<String>> {
    if step == Step::Up {
        return sqlite_up(db, deadline).await;
    }
    let transaction = begin_immediate(db, deadline).await?;
    let result = step.run(&transaction).await;
    end(transaction, result).await
}

async fn sqlite_up(db: &DatabaseConnection, deadline: Instant) -> anyhow::Result<Vec<String>> {
    let mut applied = Vec::new();
    loop {
        let transaction = begin_immediate(db, deadline).await?;
        let next = match next(&transaction).await {
            Ok(Some(next)) => next,
            other => {
                end(transaction, other.map(drop)).await?;
                return Ok(applied);
            }
        };
        if next.use_transaction() == Some(false) {
            end(transaction, Ok(())).await?;
            if !in_batches(db, &*next).await? {
                continue;
            }
        } else {
            let done = migrator().up(&transaction, Some(1)).await;
            end(transaction, done.context("a migration failed")).await?;
        }
        applied.push(next.name().to_owned());
    }
}

/// Runs a migration that writes in batches, without the lock, so that others can write between them. Another
/// process may run the same one: that is harmless, and `true` goes to the one that recorded it.
async fn in_batches(
    db: &DatabaseConnection,
    migration: &dyn MigrationTrait,
) -> anyhow::Result<bool> {
    let failed = "a migration failed";
    let manager = SchemaManager::new(db);
    migration.up(&manager).await.context(failed)?;
    let record = seaql_migrations::ActiveModel {
        version: Set(migration.name().to_owned()),
        applied_at: Set(Utc::now().timestamp()),
    };
    let recorded = seaql_migrations::Entity::insert(record)
        .on_conflict_do_nothing()
        .exec_without_returning(db)
        .await
        .context(failed)?;
    Ok(matches!(recorded, TryInsertResult::Inserted(1)))
}

/// Commits what went well, and takes back what did not.
async fn end<T>(transaction: DatabaseTransaction, result: anyhow::Result<T>) -> anyhow::Result<T> {
    match &result {
        Ok(_) => transaction.commit().await,
        Err(_) => transaction.rollback().await,
    }
    .context("cannot end the transaction of the migration")?;
    result
}

async fn begin_immediate(
    db: &DatabaseConnection,
    deadline: Instant,
) -> anyhow::Result<DatabaseTransaction> {
    loop {
        match db.begin_with_options(immediate()).await {
            Ok(transaction) => return Ok(transaction),
            Err(error) if !is_busy(&error) => return Err(error).context("cannot begin to migrate"),
            Err(error) if Instant::now() >= deadline => {
                return Err(error).context(
                    "another process is writing to this SQLite file and did not finish in time, \
                     so it could not be migrated",
                );
            }
            Err(_) => sleep(TRY_EVERY).await,
        }
    }
}
