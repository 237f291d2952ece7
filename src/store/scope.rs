//! The tasks of one user.

use std::future::Future;

use sea_orm::{
    ConnectionTrait, DbErr, ExprTrait,
    sea_query::{Expr, Query, SelectStatement},
};

use super::{
    Database, StoreError,
    entity::{task, user_clock},
    error::is_lost,
    row::{COLUMNS, TaskRow},
};
use crate::{
    auth::UserId,
    contract::{Task, TaskId},
};

/// The way to the tasks of one user, and to nobody else's.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(super) database: Database,
    pub(super) user: UserId,
}

impl Database {
    /// Opens the tasks of a user.
    pub fn scope(&self, user: UserId) -> Scope {
        Scope {
            database: self.clone(),
            user,
        }
    }
}

impl Scope {
    /// One task.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the user has no such task, whoever else has one of that number.
    pub async fn get(&self, id: TaskId) -> Result<Task, StoreError> {
        match self.row(id).await? {
            Some(row) if row.deleted_at.is_none() => row.into_task(self.user.as_str()),
            _ => Err(StoreError::NotFound(id)),
        }
    }

    /// The user's revision: that of the last write, 0 before the first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let query = Query::select()
            .column(user_clock::Column::Revision)
            .from(user_clock::Entity)
            .and_where(Expr::col(user_clock::Column::UserId).eq(self.user.as_str()))
            .to_owned();
        let row = self
            .read(|| self.database.reader().query_one(&query))
            .await?;
        Ok(row
            .map(|row| row.try_get("", "revision"))
            .transpose()?
            .unwrap_or(0))
    }

    /// The row of a task, deleted or not.
    pub(super) async fn row(&self, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        let query = self.select(task::Column::Id, id.get());
        self.row_of(&query).await
    }

    pub(super) async fn row_of(
        &self,
        query: &SelectStatement,
    ) -> Result<Option<TaskRow>, StoreError> {
        let row = self
            .read(|| self.database.reader().query_one(query))
            .await?;
        Ok(row.map(|row| TaskRow::read(&row)).transpose()?)
    }

    /// Selects the user's task of which a column has a value.
    pub(super) fn select(&self, column: task::Column, value: impl Into<Expr>) -> SelectStatement {
        Query::select()
            .columns(COLUMNS)
            .from(task::Entity)
            .and_where(Expr::col(task::Column::UserId).eq(self.user.as_str()))
            .and_where(Expr::col(column).eq(value))
            .to_owned()
    }

    /// Reads, and reads once more if the connection turned out to be gone: a database that sleeps or
    /// restarts ends connections while they idle.
    pub(super) async fn read<T, F: Future<Output = Result<T, DbErr>>>(
        &self,
        read: impl Fn() -> F,
    ) -> Result<T, DbErr> {
        match self.database.run(read()).await {
            Err(error) if is_lost(&error) => self.database.run(read()).await,
            result => result,
        }
    }
}
