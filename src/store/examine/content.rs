//! What is in a SQLite file.
//!
//! The file is opened for reading only. Where no `-wal` is beside it, no process uses it, and it is opened as a file that
//! nobody changes: then SQLite makes no files beside it, which would belong to whoever runs the check.

use std::{fs::File, io::Read as _, path::Path, time::Duration};

use sea_orm::{
    SqlxError,
    sqlx::{
        self, ConnectOptions as _, Row as _, SqliteConnection, error::DatabaseError,
        sqlite::SqliteConnectOptions,
    },
};
use tokio::time::Instant;

use super::migrations;
use crate::{
    check::{CHECK_LIMIT, Check, in_time, off_thread},
    store::fault::sqlite_fault,
};

const WAL: &str = "database.wal";
const CONTENT: &str = "database.content";

/// A little earlier than the limit of the check, so that SQLite says itself that it has not finished.
const QUICK: Duration = Duration::from_millis(4500);
/// A `-wal` of this size in bytes: something keeps it from being written back.
const LARGE_WAL: u64 = 256 << 20;
/// Where the header of a file says how it is written; 2 is WAL (SQLite's "Database File Format", 1.3).
const WRITE_VERSION: usize = 18;
/// How many steps SQLite makes between two looks at the clock.
const STEPS: i32 = 1000;

pub(super) async fn examine(file: &Path, auto_migrate: bool) -> Vec<Check> {
    let looked = file.to_owned();
    let mut checks = vec![
        off_thread(WAL, move || wal(&looked))
            .await
            .unwrap_or_else(|hung| hung),
    ];
    let looked = in_time(CONTENT, read(file, auto_migrate)).await;
    checks.extend(match looked {
        Ok(Ok(checks)) => checks,
        Ok(Err(error)) => vec![Check::problem(CONTENT, sqlite_fault(file, &error))],
        Err(hung) => vec![hung],
    });
    checks
}

fn wal_of(file: &Path) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn wal(file: &Path) -> Check {
    let size = wal_of(file).metadata().map_or(0, |metadata| metadata.len());
    if size >= LARGE_WAL {
        return Check::warning(
            WAL,
            format!(
                "the -wal file has {} MiB: a process that reads for long keeps it from being written back; look for one, or \
                 restart Taskward",
                size >> 20
            ),
        );
    }
    let mut header = [0; 20];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut header));
    Check::ok(
        WAL,
        match read.is_ok() && header[WRITE_VERSION] == 2 {
            true => "readers and the writer do not wait for each other",
            false => "not yet; the start turns it on",
        },
    )
}

async fn read(file: &Path, auto_migrate: bool) -> Result<Vec<Check>, SqlxError> {
    let in_use = wal_of(file).exists();
    let mut options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_secs(1));
    if !in_use {
        options = options.immutable(true);
    }
    let mut connection = options.disable_statement_logging().connect().await?;
    let end = Instant::now() + QUICK.min(CHECK_LIMIT);
    connection
        .lock_handle()
        .await?
        .set_progress_handler(STEPS, move || Instant::now() < end);
    let found = is_whole(&mut connection).await?;
    let names = applied(&mut connection).await?;
    Ok(vec![
        found,
        migrations(names.applied.as_deref(), names.has_tables, auto_migrate),
    ])
}

/// SQLite's own check of the file, but for what takes longest: whether indexes and tables agree.
async fn is_whole(connection: &mut SqliteConnection) -> Result<Check, SqlxError> {
    let said = sqlx::query_scalar::<_, String>("PRAGMA quick_check(3)")
        .fetch_all(&mut *connection)
        .await;
    match said {
        Ok(said) if said == ["ok"] => {
            Ok(Check::ok(CONTENT, "SQLite finds no damage (quick_check)"))
        }
        Ok(said) => Ok(Check::problem(
            CONTENT,
            format!(
                "the file is damaged: restore it from a backup ({})",
                said.join("; ")
            ),
        )),
        Err(error) if is_interrupted(&error) => Ok(Check::skipped(
            CONTENT,
            "the file is too large to be checked within 5 s: `taskward backup FILE` checks the copy that it makes",
        )),
        Err(error) => Err(error),
    }
}

fn is_interrupted(error: &SqlxError) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref() == Some("9")
}

struct Names {
    applied: Option<Vec<String>>,
    has_tables: bool,
}

async fn applied(connection: &mut SqliteConnection) -> Result<Names, SqlxError> {
    // The check of the content may have used up the time.
    connection.lock_handle().await?.remove_progress_handler();
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut *connection)
        .await?;
    let tables: Vec<String> = tables
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let applied = match has("seaql_migrations") {
        false => None,
        true => Some(
            sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version")
                .fetch_all(&mut *connection)
                .await?,
        ),
    };
    let has_tables = has("task") || has("user_clock");
    Ok(Names {
        applied,
        has_tables,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckStatus::{Ok, Warning};

    #[test]
    fn a_log_that_is_not_written_back_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tasks.db");
        assert!(wal(&file).detail.contains("the start turns it on"));
        let mut header = [0; 20];
        header[WRITE_VERSION] = 2;
        std::fs::write(&file, header).unwrap();
        assert!(wal(&file).detail.contains("do not wait for each other"));
        // A file of that length, of which the disk holds nothing.
        let log = File::create(wal_of(&file)).unwrap();
        log.set_len(LARGE_WAL - 1).unwrap();
        assert_eq!(wal(&file).status, Ok);
        log.set_len(LARGE_WAL).unwrap();
        let large = wal(&file);
        assert_eq!(large.status, Warning);
        assert!(large.detail.contains("256 MiB"), "{large:?}");
    }
}
