//! What PostgreSQL says of itself, read in one statement.

use chrono::Utc;
use sea_orm::{
    SqlxError,
    sqlx::{self, PgConnection, Row as _, error::DatabaseError, postgres::PgRow},
};

/// What PostgreSQL says.
pub(super) struct Facts {
    /// Like 150018.
    pub(super) version: i32,
    pub(super) version_name: String,
    pub(super) encoding: String,
    /// A standby, or a session that may not write.
    pub(super) is_read_only: bool,
    /// `fsync` and `synchronous_commit`.
    pub(super) is_durable: bool,
    /// For users who are no superusers.
    pub(super) most_connections: i64,
    pub(super) connections: i64,
    /// By how many seconds its clock is ahead of ours, and how far that may be wrong.
    pub(super) clock_ahead: f64,
    pub(super) clock_uncertainty: f64,
    /// The schema where tables are made.
    pub(super) schema: Option<String>,
    pub(super) may_create: bool,
    /// The rights on our tables that this user lacks.
    pub(super) missing_rights: Option<String>,
    /// Whether there are tables of our names.
    pub(super) has_tables: bool,
    /// What tells two databases apart.
    pub(super) identity: String,
    /// Whether the connection that arrives there is encrypted.
    pub(super) is_encrypted: bool,
}

/// As a simple query, which no pooler has trouble with.
const FACTS: &str = "
SELECT current_setting('server_version_num')::int4,
       current_setting('server_version'),
       current_setting('server_encoding'),
       pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
       current_setting('fsync')::bool AND current_setting('synchronous_commit') <> 'off',
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8,
       (SELECT sum(numbackends)::int8 FROM pg_stat_database),
       extract(epoch FROM clock_timestamp())::float8,
       current_schema()::text,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       (SELECT string_agg(privilege || ' on ' || name, ', ')
          FROM unnest(ARRAY['task', 'user_clock']) name,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
         WHERE NOT has_table_privilege(to_regclass(name)::oid, privilege)),
       to_regclass('task') IS NOT NULL OR to_regclass('user_clock') IS NOT NULL,
       concat_ws(' ', current_database(), (SELECT oid FROM pg_database WHERE datname = current_database()),
                 extract(epoch FROM pg_postmaster_start_time())),
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)";

impl Facts {
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, SqlxError> {
        let before = now();
        let row = sqlx::raw_sql(FACTS).fetch_one(&mut *connection).await?;
        let after = now();
        Self::of(&row, before, after)
    }

    fn of(row: &PgRow, before: f64, after: f64) -> Result<Self, SqlxError> {
        Ok(Self {
            version: row.try_get(0)?,
            version_name: row.try_get(1)?,
            encoding: row.try_get(2)?,
            is_read_only: row.try_get(3)?,
            is_durable: row.try_get(4)?,
            most_connections: row.try_get(5)?,
            connections: row.try_get(6)?,
            clock_ahead: row.try_get::<f64, _>(7)? - f64::midpoint(before, after),
            clock_uncertainty: (after - before) / 2.0,
            schema: row.try_get(8)?,
            may_create: row.try_get(9)?,
            missing_rights: row.try_get(10)?,
            has_tables: row.try_get(11)?,
            identity: row.try_get(12)?,
            is_encrypted: row.try_get(13)?,
        })
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    Utc::now()
        .signed_duration_since(chrono::DateTime::UNIX_EPOCH)
        .as_seconds_f64()
}

/// The names in the table of migrations; `None` if there is no such table.
pub(super) async fn applied(
    connection: &mut PgConnection,
) -> Result<Option<Vec<String>>, SqlxError> {
    let rows = sqlx::raw_sql("SELECT version FROM seaql_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await;
    let is_missing = |error: &SqlxError| {
        let code = error.as_database_error().and_then(DatabaseError::code);
        code.as_deref() == Some("42P01")
    };
    match rows {
        Ok(rows) => rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()
            .map(Some),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
