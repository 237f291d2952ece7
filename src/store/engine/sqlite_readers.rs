//! The connections that read a file of SQLite, each with a deadline for its statement.
//!
//! SQLite runs a statement to its end, also if nobody waits for it any more, and a search through many long texts takes
//! long. So it is asked every thousand steps whether the time is over, or the client has gone away.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    DbErr, QueryResult, RuntimeErr, SqlxError, Statement,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection,
        sqlite::SqliteConnectOptions,
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout_at,
};

use super::{
    connections::{KEPT_FREE, not_in_time},
    metrics::{Metrics, OpenConnection},
};
use crate::store::error::{is_lost, of_driver};

/// Steps of SQLite's virtual machine from one look at the deadline to the next: some 10 µs, or 10 ms where each step reads
/// a long text.
const STEPS: i32 = 1000;

/// The connections that read. They are made when they are needed.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    /// How long a statement may take, with the time that it waits for a connection.
    limit: Duration,
    permits: Semaphore,
    /// Of those, what may take long has some: the others are for tasks by their ids and for revisions.
    long: Semaphore,
    idle: Mutex<Vec<Reader>>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Reader {
    connection: SqliteConnection,
    deadline: Arc<Deadline>,
    _open: OpenConnection,
}

/// When the statement of a connection must end.
#[derive(Debug)]
struct Deadline {
    began: Instant,
    /// In milliseconds since `began`.
    end: AtomicU64,
}

impl Deadline {
    fn set(&self, end: Instant) {
        let end = end.duration_since(self.began).as_millis();
        self.end
            .store(u64::try_from(end).unwrap_or(u64::MAX), Relaxed);
    }

    fn is_over(&self) -> bool {
        self.began.elapsed().as_millis() >= u128::from(self.end.load(Relaxed))
    }
}

/// The use of a connection. Dropped before its statement has ended, it ends the statement and the connection.
struct Using<'a> {
    readers: &'a Readers,
    reader: Option<Reader>,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.deadline.set(Instant::now());
        }
    }
}

impl Using<'_> {
    async fn rows(
        mut self,
        statement: &Statement,
        end: Instant,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let Some(reader) = &mut self.reader else {
            return Err(not_in_time());
        };
        reader.deadline.set(end);
        let values = statement.values.clone();
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        // sea-query has put every value into a parameter.
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values);
        let rows = query.fetch_all(&mut reader.connection).await;
        let rows = rows.map_err(of_driver);
        if !rows.as_ref().is_err_and(is_lost) && !self.readers.permits.is_closed() {
            self.readers.all_idle().extend(self.reader.take());
        }
        Ok(rows?.into_iter().map(QueryResult::from).collect())
    }
}

impl Readers {
    pub(super) fn new(
        options: SqliteConnectOptions,
        most: usize,
        limit: Duration,
        metrics: Metrics,
    ) -> Self {
        Self {
            options: options.busy_timeout(limit),
            limit,
            permits: Semaphore::new(most),
            long: Semaphore::new(most.saturating_sub(KEPT_FREE).max(1)),
            idle: Mutex::default(),
            metrics,
        }
    }

    /// Reads what may take long.
    ///
    /// # Errors
    /// As of [`rows`](Self::rows).
    pub(super) async fn long_rows(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let end = Instant::now() + self.limit;
        let _permit = permit(&self.long, end).await?;
        self.rows_until(end, statement).await
    }

    async fn rows_until(
        &self,
        end: Instant,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let _permit = permit(&self.permits, end).await?;
        match self.reader().await?.rows(statement, end).await {
            Err(error) if is_lost(&error) => self.reader().await?.rows(statement, end).await,
            result => result,
        }
    }

    /// Reads, and reads once more if the connection turned out to be gone.
    ///
    /// # Errors
    /// If no connection is free in time, or the statement takes too long.
    pub(super) async fn rows(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.rows_until(Instant::now() + self.limit, statement)
            .await
    }

    /// Ends all connections, after what runs on them.
    pub(super) async fn close(&self) {
        self.permits.close();
        self.long.close();
        let idle = std::mem::take(&mut *self.all_idle());
        for reader in idle {
            if let Err(error) = reader.connection.close().await {
                tracing::warn!(%error, "a database connection did not close cleanly");
            }
        }
    }

    fn all_idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reader(&self) -> Result<Using<'_>, DbErr> {
        let idle = self.all_idle().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self
                .open()
                .await
                .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))?,
        };
        Ok(Using {
            readers: self,
            reader: Some(reader),
        })
    }

    async fn open(&self) -> Result<Reader, SqlxError> {
        let mut connection = self.options.connect().await?;
        let deadline = Arc::new(Deadline {
            began: Instant::now(),
            end: AtomicU64::new(u64::MAX),
        });
        let looked_at = deadline.clone();
        let goes_on = move || !looked_at.is_over();
        let mut handle = connection.lock_handle().await?;
        handle.set_progress_handler(STEPS, goes_on);
        drop(handle);
        Ok(Reader {
            connection,
            deadline,
            _open: self.metrics.connection(),
        })
    }
}

async fn permit(of: &Semaphore, end: Instant) -> Result<SemaphorePermit<'_>, DbErr> {
    match timeout_at(end.into(), of.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(not_in_time()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::Arc,
        time::{Duration, Instant},
    };

    use futures_util::future::{Either, join_all, select};

    use sea_orm::{DbBackend, DbErr, Statement, sqlx::sqlite::SqliteConnectOptions};
    use tokio::time::{sleep, timeout};

    use super::{Metrics, Readers};
    use crate::store::StoreError;

    /// A statement that never ends, and returns no row.
    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    fn one_reader(limit: Duration) -> (Readers, tempfile::TempDir) {
        readers(1, limit)
    }

    fn readers(most: usize, limit: Duration) -> (Readers, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("test.db"))
            .create_if_missing(true);
        (
            Readers::new(options, most, limit, Metrics::new("sqlite")),
            folder,
        )
    }

    fn statement(text: &str) -> Statement {
        Statement::from_string(DbBackend::Sqlite, text)
    }

    async fn one(readers: &Readers) -> Result<i64, DbErr> {
        let rows = readers.rows(&statement("SELECT 1")).await?;
        rows[0].try_get_by_index(0)
    }

    #[tokio::test]
    async fn a_statement_that_takes_too_long_is_ended_and_the_next_one_runs() {
        let (readers, _folder) = one_reader(Duration::from_millis(200));
        let error = readers.rows(&statement(ENDLESS)).await.unwrap_err();
        let told = StoreError::from(error);
        assert!(matches!(told, StoreError::TooSlow), "{told}");
        assert_eq!(one(&readers).await.unwrap(), 1);
        // The deadline was that of one statement, not of the connection.
        sleep(Duration::from_millis(300)).await;
        assert_eq!(one(&readers).await.unwrap(), 1);
        assert_eq!(readers.all_idle().len(), 1);
    }

    #[tokio::test]
    async fn what_takes_long_leaves_connections_to_the_others() {
        let (readers, _folder) = readers(5, Duration::from_secs(3));
        let endless = statement(ENDLESS);
        let long = join_all((0..5).map(|_| readers.long_rows(&endless)));
        let other = async {
            sleep(Duration::from_millis(200)).await;
            one(&readers).await.unwrap()
        };
        let (long, other) = (pin!(long), pin!(other));
        assert!(matches!(select(long, other).await, Either::Right((1, _))));
    }

    #[tokio::test]
    async fn a_statement_nobody_waits_for_is_ended() {
        let (readers, _folder) = one_reader(Duration::from_secs(60));
        let using = readers.reader().await.unwrap();
        let deadline = using.reader.as_ref().unwrap().deadline.clone();
        let endless = statement(ENDLESS);
        let end = Instant::now() + readers.limit;
        let waited = timeout(Duration::from_millis(50), using.rows(&endless, end)).await;
        assert!(waited.is_err(), "{waited:?}");
        // Its thread ends with it.
        let ended = async {
            while Arc::strong_count(&deadline) > 1 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), ended).await.unwrap();
        assert_eq!(one(&readers).await.unwrap(), 1);
    }
}
