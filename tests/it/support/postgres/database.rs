//! A database for one test.

use std::thread;

use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use url::Url;

/// A database for one test; dropped with this value, whoever may still be connected to it.
pub struct TestDatabase {
    pub(super) admin: Url,
    pub(super) reached: Url,
    pub(super) name: String,
}

impl TestDatabase {
    /// The same past the pooler of `TEST_DATABASE_POOLER`, for a test in which a session, its user or its end counts.
    pub fn without_pooler(mut self) -> Self {
        self.reached = self.admin.clone();
        self
    }

    /// Where it is.
    pub fn url(&self) -> String {
        database(&self.reached, &self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let admin = self.admin.clone();
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // On a thread of its own, since the test's runtime cannot be waited for from inside. A server
        // that is down at the end of a test is the test's business, so errors are nobody's.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(execute(&admin, &sql)).ok();
        });
        dropped.join().ok();
    }
}

/// Executes one statement, on a connection of its own.
pub(super) async fn execute(admin: &Url, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(admin.as_str()).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}

/// The address of another database on the same server.
pub(super) fn database(admin: &Url, name: &str) -> String {
    let mut url = admin.clone();
    url.set_path(name);
    url.into()
}
