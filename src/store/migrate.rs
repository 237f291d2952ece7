//! Brings the schema up to date, one process at a time.
//!
//! The migrator of sea-orm takes no lock, so replicas that start together would race: each finds the
//! same migration pending, and all but one fail. Here the first one in migrates and the others wait,
//! look again and find nothing to do.

mod lock;

use std::time::Duration;

use anyhow::{Context as _, bail};
use migration::{
    IntoSchemaManagerConnection, MigrationTrait, Migrator, MigratorTraitSelf as _, RowBytes,
    SchemaManager, SearchKeys, seaql_migrations,
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Order, Query},
};
use thiserror::Error;

use super::{Database, commit::row_bytes, error::is_missing_table, tasks::tags_key};
use crate::{contract::Tags, unicode::search_key};

/// What the migrations make.
const TABLES: [&str; 3] = ["user_clock", "task", "token_revocation"];

/// The search keys of tasks, for the migrations that compute them again.
pub const SEARCH_KEYS: SearchKeys = SearchKeys {
    text: search_key,
    tags: |tags| tags_key(&Tags::stored(tags)),
};

/// What a row of `task` counts in bytes, for the migration that counts what users store.
pub const ROW_BYTES: RowBytes = row_bytes;

/// How long to wait for another process that is migrating.
const PATIENCE: Duration = Duration::from_secs(60);

/// The database was migrated by a newer build than this one.
///
/// An error of its own, so that a caller can tell it (`downcast_ref`) from a database that is away: the
/// older replicas of a rolling update see it while they still work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the database has migrations that this build of Taskward does not know: {}; it was migrated by a newer build, so \
     run that one or a later one",
    .0.join(", ")
)]
pub struct UnknownMigrations(pub Vec<String>);

/// Applies what is pending and returns the names of what it applied, oldest first. If one fails, those before
/// it stay applied.
///
/// Any number of processes may call this at once. On PostgreSQL `db` must be a direct connection and not one of
/// a pooler: the lock belongs to a session.
///
/// # Errors
/// If the database does not answer, is locked for too long or has [`UnknownMigrations`], or a step fails.
pub async fn up(db: &DatabaseConnection) -> anyhow::Result<Vec<String>> {
    up_within(db, PATIENCE).await
}

/// [`up`], with another limit on the wait for a process that is migrating already.
///
/// # Errors
/// If the database does not answer, is locked for too long or has [`UnknownMigrations`], or a step fails.
pub async fn up_within(db: &DatabaseConnection, patience: Duration) -> anyhow::Result<Vec<String>> {
    // The usual start finds nothing to do, and should not wait for anybody to learn that.
    if pending(db).await? == 0 {
        return Ok(Vec::new());
    }
    lock::migrate(db, Step::Up, patience).await
}

/// Takes the last `steps` migrations back, with their data, and returns their names, newest first.
///
/// # Errors
/// If the database does not answer, is locked for too long or has [`UnknownMigrations`], or a step fails.
pub async fn down(db: &DatabaseConnection, steps: u32) -> anyhow::Result<Vec<String>> {
    lock::migrate(db, Step::Down(steps), PATIENCE).await
}

/// Every migration of this build and whether the database has it. Writes nothing.
///
/// # Errors
/// If the database does not answer, is locked for too long or has [`UnknownMigrations`], or a step fails.
pub async fn status(db: &DatabaseConnection) -> anyhow::Result<Vec<(String, bool)>> {
    status_on(db).await
}

/// How many migrations the database lacks. Writes nothing and is cheap: one statement.
///
/// # Errors
/// If the database does not answer, is locked for too long or has [`UnknownMigrations`], or a step fails.
pub async fn pending(db: &DatabaseConnection) -> anyhow::Result<usize> {
    let status = status_on(db).await?;
    Ok(status.iter().filter(|(_, applied)| !applied).count())
}

impl Database {
    /// Every migration of this build and whether the database has it, read over the connections of requests.
    pub(super) async fn status(&self) -> anyhow::Result<Vec<(String, bool)>> {
        let names = Query::select()
            .column(seaql_migrations::Column::Version)
            .from(seaql_migrations::Entity)
            .order_by(seaql_migrations::Column::Version, Order::Asc)
            .to_owned();
        let rows = match self.read_unused(&names).await {
            Err(error) if is_missing_table(&error) => Vec::new(),
            rows => rows.context("cannot read the migrations")?,
        };
        let applied: Result<Vec<String>, DbErr> =
            rows.iter().map(|row| row.try_get_by_index(0)).collect();
        compare(&applied?)
    }

    /// [`up`] on this database.
    ///
    /// # Errors
    /// If it does not answer, is locked for too long, or a migration fails.
    pub async fn migrate_up(&self) -> anyhow::Result<Vec<String>> {
        self.check_reachable().await?;
        up(self.engine().operator()).await
    }

    /// Computes the search keys of all tasks again, and returns how many differed. After a rolling update some
    /// may have been written by the older version. Requests are served meanwhile.
    ///
    /// # Errors
    /// If the database does not answer. What was written before stays, and it can be run again.
    pub async fn reindex(&self) -> anyhow::Result<u64> {
        self.check_reachable().await?;
        Ok(migration::rewrite(self.engine().operator(), SEARCH_KEYS).await?)
    }

    /// Counts again what users store, and returns of how many users other counts were kept. After a rolling update the
    /// older version may have written without counting. Requests are served meanwhile.
    ///
    /// # Errors
    /// If the database does not answer. What was counted before stays, and it can be run again.
    pub async fn recount(&self) -> anyhow::Result<u64> {
        self.check_reachable().await?;
        Ok(migration::recount(self.engine().operator(), ROW_BYTES).await?)
    }

    /// [`down`] on this database.
    ///
    /// # Errors
    /// If it does not answer, is locked for too long, or a migration fails.
    pub async fn migrate_down(&self, steps: u32) -> anyhow::Result<Vec<String>> {
        self.check_reachable().await?;
        down(self.engine().operator(), steps).await
    }

    /// [`status`] of this database.
    ///
    /// # Errors
    /// If it does not answer, or has [`UnknownMigrations`].
    pub async fn migrations(&self) -> anyhow::Result<Vec<(String, bool)>> {
        self.check_reachable().await?;
        status(self.engine().operator()).await
    }
}

/// What to do under the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Up,
    Down(u32),
}

/// The migrations of this build.
fn migrator() -> Migrator {
    Migrator {
        search_keys: SEARCH_KEYS,
        row_bytes: ROW_BYTES,
    }
}

impl Step {
    /// Does it, and returns the names of the migrations it touched. The caller holds the lock.
    async fn run<'c, C>(self, db: &'c C) -> anyhow::Result<Vec<String>>
    where
        C: ConnectionTrait,
        &'c C: IntoSchemaManagerConnection<'c>,
    {
        // Read again: whoever held the lock before may have done it all.
        let before = status_on(db).await?;
        match self {
            Step::Up => {
                next(db).await?;
                migrator().up(db, None).await.context("a migration failed")
            }
            Step::Down(steps) => migrator()
                .down(db, Some(steps))
                .await
                .context("a migration could not be taken back"),
        }?;
        let after = status_on(db).await?;
        let touched = before
            .into_iter()
            .zip(after)
            .filter(|((_, before), (_, after))| before != after)
            .map(|((name, _), _)| name);
        Ok(match self {
            Step::Up => touched.collect(),
            Step::Down(_) => touched.rev().collect(),
        })
    }
}

/// The next migration to be applied, if there is one and it can be.
async fn next<'c, C>(db: &'c C) -> anyhow::Result<Option<Box<dyn MigrationTrait>>>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let status = status_on(db).await?;
    if status.iter().all(|(_, applied)| !applied) {
        refuse_foreign_tables(db).await?;
    }
    let mut pending = migrator().migrations().into_iter().zip(status);
    let next = pending.find(|(_, (_, applied))| !applied);
    Ok(next.map(|(migration, _)| migration))
}

/// Finds out before anything is written whether the names are taken: backends that Taskward replaces often
/// have a table `task` too.
async fn refuse_foreign_tables<'c, C>(db: &'c C) -> anyhow::Result<()>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    for table in TABLES {
        if SchemaManager::new(db).has_table(table).await? {
            bail!(
                "the table `{table}` is there already and not Taskward's: give Taskward a database of its own \
                 (on the same server: CREATE DATABASE taskward); `taskward import` brings tasks along"
            );
        }
    }
    Ok(())
}

async fn status_on<'c, C>(db: &'c C) -> anyhow::Result<Vec<(String, bool)>>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    compare(&applied(db).await.context("cannot read the migrations")?)
}

/// Every migration of this build, and whether it is among those that the database has.
pub(super) fn compare(applied: &[String]) -> anyhow::Result<Vec<(String, bool)>> {
    let known: Vec<String> = migrator()
        .migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let unknown: Vec<String> = applied
        .iter()
        .filter(|name| !known.contains(name))
        .cloned()
        .collect();
    if !unknown.is_empty() {
        return Err(UnknownMigrations(unknown).into());
    }
    Ok(known
        .into_iter()
        .map(|name| {
            let applied = applied.contains(&name);
            (name, applied)
        })
        .collect())
}

/// The names in the table of migrations. sea-orm's own functions make the table first, or ask the
/// catalogue first each time; a probe should need one statement, and no right to create.
async fn applied<'c, C>(db: &'c C) -> Result<Vec<String>, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let names = seaql_migrations::Entity::find()
        .select_only()
        .column(seaql_migrations::Column::Version)
        .order_by_asc(seaql_migrations::Column::Version);
    match names.clone().into_tuple().all(db).await {
        Err(error) => match SchemaManager::new(db).has_table("seaql_migrations").await {
            Ok(false) => Ok(Vec::new()),
            // Made since we looked, by another process; any other fault shows again.
            Ok(true) => names.into_tuple().all(db).await,
            Err(_) => Err(error),
        },
        read => read,
    }
}
