//! `taskward backup`: a copy of a SQLite database, taken while the server runs.

use std::{
    fs::{File, remove_file},
    path::Path,
};

use anyhow::{Context as _, anyhow, bail};
use sea_orm::sqlx::{
    self, ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use super::{
    DatabaseSettings,
    engine::{BUSY_TIMEOUT, create_private, sqlite_file},
    fault::sqlite_fault,
};

/// Copies the database to a new file, which only its owner can read, checks the copy and returns its size in
/// bytes. It has every write that was acknowledged before this began. Requests are served meanwhile.
///
/// # Errors
/// If the database is not a SQLite file, if there is a file at `target`, or if the copy cannot be written or is
/// not whole. Then no file is left at `target`.
pub async fn backup(settings: &DatabaseSettings, target: &Path) -> anyhow::Result<u64> {
    if !settings.url.starts_with("sqlite:") {
        bail!(
            "this copies SQLite files. For PostgreSQL use its own tools: `pg_dump --format=custom --file=FILE` with the \
             URL of the database itself, not of a pooler; after `pg_restore`, run `ANALYZE`"
        );
    }
    let Some(file) = sqlite_file(settings)? else {
        bail!("a database in memory cannot be copied");
    };
    // SQLite reads some names, such as `:memory:` and `file:…`, as something else than files; no absolute path is one.
    let place = std::path::absolute(target).context("cannot find the working folder")?;
    let created = create_private(&place);
    if !created.with_context(|| format!("cannot create {}", target.display()))? {
        bail!(
            "{} is there already, and is left as it is: name another file",
            target.display()
        );
    }
    let copied = copy(&file, &place).await;
    if copied.is_err() {
        remove_file(&place).with_context(|| format!("cannot remove {}", target.display()))?;
    }
    copied
}

async fn copy(file: &Path, target: &Path) -> anyhow::Result<u64> {
    // SQLite reads one state of the database, whatever is written meanwhile, and writes it without gaps.
    let mut source = open(file).await?;
    // Reads the file, so that a fault of the original is told as such and not as one of the copy.
    sqlx::query("PRAGMA schema_version")
        .execute(&mut source)
        .await
        .map_err(|error| anyhow!(sqlite_fault(file, &error)))?;
    sqlx::query("VACUUM INTO ?")
        .bind(
            target
                .to_str()
                .context("the name of the file is not UTF-8")?,
        )
        .execute(&mut source)
        .await
        .map_err(|error| anyhow!(sqlite_fault(target, &error)))?;
    source.close().await?;
    // To the disk, with its entry in the folder: whoever reads "done" may delete the original.
    let copy = File::open(target)?;
    copy.sync_all()?;
    let folder = target.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;

    let mut copied = open(target).await?;
    let said: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut copied)
        .await?;
    copied.close().await?;
    if said != ["ok"] {
        bail!(
            "the copy is damaged, and so may be the database: {}",
            said.join("; ")
        );
    }
    Ok(copy.metadata()?.len())
}

/// Opens a database that is there.
async fn open(file: &Path) -> anyhow::Result<SqliteConnection> {
    // The system says more clearly than SQLite what is wrong with a file.
    File::open(file).with_context(|| format!("cannot open the SQLite file {}", file.display()))?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY_TIMEOUT);
    let opened = options.connect().await;
    opened.map_err(|error| anyhow!(sqlite_fault(file, &error)))
}
