//! The statements, prepared once on each connection, and pipelined: requests share a connection without
//! waiting for each other's answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{
    Client, NoTls, Row, Statement,
    types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked},
};
use uuid::Uuid;

use crate::{
    Error,
    tasks::{Create, Update},
};

macro_rules! columns {
    () => {
        "id, title, description, completed, created_at, updated_at"
    };
}

const GET: usize = 0;
const LIST: usize = 1;
const NEXT_PAGE: usize = 2;
const CREATE: usize = 3;
const UPDATE: usize = 4;
const DELETE: usize = 5;
const STATEMENTS: [&str; 6] = [
    concat!(
        "SELECT ",
        columns!(),
        " FROM tasks WHERE id = $1 AND user_id = $2"
    ),
    concat!(
        "SELECT ",
        columns!(),
        " FROM tasks WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
    ),
    concat!(
        "SELECT ",
        columns!(),
        " FROM tasks WHERE user_id = $1 AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2"
    ),
    concat!(
        "INSERT INTO tasks (id, user_id, title, description) VALUES ($1, $2, $3, $4) RETURNING ",
        columns!()
    ),
    concat!(
        "UPDATE tasks SET title = COALESCE($3, title), description = CASE WHEN $4 THEN $5 ELSE description END, \
         completed = COALESCE($6, completed), updated_at = now() WHERE id = $1 AND user_id = $2 RETURNING ",
        columns!()
    ),
    "DELETE FROM tasks WHERE id = $1 AND user_id = $2 RETURNING id",
];

/// Reads share few connections: PostgreSQL then answers many of them each time it wakes up, which halves
/// what a read costs it.
const READERS: usize = 2;

pub struct Db {
    readers: Vec<Connection>,
    /// Writes are spread over all others: a commit waits for the disk, and only commits on different
    /// connections share one flush.
    writers: Vec<Connection>,
    next: AtomicUsize,
}

struct Connection {
    client: Client,
    statements: Vec<Statement>,
}

impl Db {
    pub async fn open(url: &str, connections: usize) -> anyhow::Result<Self> {
        let (mut readers, mut writers) = (Vec::new(), Vec::new());
        for _ in 0..READERS {
            readers.push(Connection::open(url).await?);
        }
        for _ in 0..connections.saturating_sub(READERS).max(1) {
            writers.push(Connection::open(url).await?);
        }
        Ok(Self {
            readers,
            writers,
            next: AtomicUsize::new(0),
        })
    }

    async fn rows(
        &self,
        statement: usize,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let writes = statement >= CREATE;
        let connections = if writes { &self.writers } else { &self.readers };
        let next = self.next.fetch_add(1, Ordering::Relaxed) % connections.len();
        let connection = &connections[next];
        Ok(connection
            .client
            .query(&connection.statements[statement], values)
            .await?)
    }

    pub async fn get(&self, user: &str, id: Uuid) -> Result<Option<Row>, Error> {
        Ok(self.rows(GET, &[&id, &user]).await?.pop())
    }

    pub async fn list(
        &self,
        user: &str,
        limit: i64,
        after: Option<(Timestamp, Uuid)>,
    ) -> Result<Vec<Row>, Error> {
        match after {
            None => self.rows(LIST, &[&user, &limit]).await,
            Some((at, id)) => self.rows(NEXT_PAGE, &[&user, &limit, &at, &id]).await,
        }
    }

    pub async fn create(&self, user: &str, task: &Create) -> Result<Row, Error> {
        let id = Uuid::new_v4();
        let values: [&(dyn ToSql + Sync); 4] = [&id, &user, &task.title, &task.description];
        self.rows(CREATE, &values)
            .await?
            .pop()
            .ok_or(Error::Database)
    }

    pub async fn update(
        &self,
        user: &str,
        id: Uuid,
        change: &Update,
    ) -> Result<Option<Row>, Error> {
        let set = change.description.is_some();
        let description = change.description.as_ref().and_then(Option::as_deref);
        let values: [&(dyn ToSql + Sync); 6] = [
            &id,
            &user,
            &change.title,
            &set,
            &description,
            &change.completed,
        ];
        Ok(self.rows(UPDATE, &values).await?.pop())
    }

    pub async fn delete(&self, user: &str, id: Uuid) -> Result<Option<Row>, Error> {
        Ok(self.rows(DELETE, &[&id, &user]).await?.pop())
    }
}

impl Connection {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("database connection: {error}");
            }
        });
        let mut statements = Vec::new();
        for statement in STATEMENTS {
            statements.push(client.prepare(statement).await?);
        }
        Ok(Self { client, statements })
    }
}

/// A `timestamptz` as PostgreSQL sends it: microseconds since 2000-01-01.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp(pub i64);

impl<'a> FromSql<'a> for Timestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

impl ToSql for Timestamp {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}
