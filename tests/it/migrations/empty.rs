//! An empty database of either kind.

use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, sqlx::sqlite::SqliteJournalMode};
use tempfile::TempDir;

use crate::support::postgres::{TestDatabase, postgres};

/// An empty database, and what has to live as long as it.
pub struct Empty {
    pub url: String,
    _folder: Option<TempDir>,
    _database: Option<TestDatabase>,
}

impl Empty {
    /// A SQLite file.
    pub fn sqlite() -> Empty {
        let folder = tempfile::tempdir().unwrap();
        Empty {
            url: format!("sqlite://{}/test.db?mode=rwc", folder.path().display()),
            _folder: Some(folder),
            _database: None,
        }
    }

    /// A database on PostgreSQL, if there is one.
    pub async fn postgres() -> Option<Empty> {
        let database = postgres().ok()?.empty_database().await;
        Some(Empty {
            url: database.url(),
            _folder: None,
            _database: Some(database),
        })
    }

    /// Another pool on it, as another process would have.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url, 4).await
    }
}

/// Connects as a server would.
pub async fn connect(url: &str, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false);
    // SQLite's own wait is kept short, so that ours is seen to work.
    options.map_sqlx_sqlite_opts(|options| {
        options
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_millis(200))
    });
    // SQLite does not wait, whatever its timeout, where two connections make a file WAL at once.
    for _ in 0..100 {
        match Database::connect(options.clone()).await {
            Err(error) if error.to_string().contains("database is locked") => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connected => return connected.unwrap(),
        }
    }
    panic!("the file stays locked");
}
