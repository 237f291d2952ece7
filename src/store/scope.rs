//! The tasks of one user, and what may be done with them.

use std::marker::PhantomData;

use sea_orm::{DbErr, QueryResult, StatementBuilder};

use super::{Database, StoreError, row::TaskRow, tasks::get::Key};
use crate::{
    auth::UserId,
    contract::{Task, TaskId, Version},
};

/// For reading the tasks of a user.
#[derive(Debug)]
pub enum Read {}
/// For changing the tasks of a user.
#[derive(Debug)]
pub enum Write {}
/// For both, where one operation needs both.
#[derive(Debug)]
pub enum ReadWrite {}

/// What a [`Scope`] is opened for. There are these three kinds, and no others.
pub trait ScopeKind: sealed::Sealed + Send + Sync + 'static {}
/// The kinds of [`Scope`] that have the methods that read.
pub trait CanRead: ScopeKind {}
/// The kinds of [`Scope`] that have the methods that write.
pub trait CanWrite: ScopeKind {}

impl ScopeKind for Read {}
impl ScopeKind for Write {}
impl ScopeKind for ReadWrite {}
impl CanRead for Read {}
impl CanRead for ReadWrite {}
impl CanWrite for Write {}
impl CanWrite for ReadWrite {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Read {}
    impl Sealed for super::Write {}
    impl Sealed for super::ReadWrite {}
}

/// The way to the tasks of one user, and to nobody else's, for one kind of access.
///
/// A scope that is open for reading has no method that writes:
///
/// ```compile_fail,E0599
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn delete(tasks: &Scope<Read>, id: TaskId) -> Result<(), StoreError> {
///     tasks.delete(id, &Expected::Any).await.map(|_| ())
/// }
/// ```
///
/// and one that is open for writing has no method that reads:
///
/// ```compile_fail,E0599
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn get(tasks: &Scope<Write>, id: TaskId) -> Result<(), StoreError> {
///     tasks.get(id).await.map(|_| ())
/// }
/// ```
///
/// The other way round, both compile:
///
/// ```
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn delete(tasks: &Scope<Write>, id: TaskId) -> Result<(), StoreError> {
///     tasks.delete(id, &Expected::Any).await.map(|_| ())
/// }
/// async fn get(tasks: &Scope<Read>, id: TaskId) -> Result<(), StoreError> {
///     tasks.get(id).await.map(|_| ())
/// }
/// ```
#[derive(Debug)]
pub struct Scope<A> {
    pub(super) database: Database,
    pub(super) user: UserId,
    kind: PhantomData<fn() -> A>,
}

/// A task that a write met and did not change. Only a scope that can read [shows](Scope::show) it: the answer to a
/// write has the task that was written, and no other.
#[derive(Debug)]
pub struct Unchanged {
    pub(super) task: Box<Task>,
    /// What the write expected.
    pub(super) named: Named,
}

/// Which version a write expected that the task does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// None that a task can have.
    Nothing,
    /// One that the task may have had.
    Earlier,
    /// One that the task has not reached.
    Later,
}

impl Unchanged {
    /// Which version the write expected.
    pub fn named(&self) -> Named {
        self.named
    }

    /// The version of the task.
    pub fn version(&self) -> Version {
        self.task.version
    }
}

impl Database {
    /// Opens the tasks of a user.
    pub fn scope<A: ScopeKind>(&self, user: UserId) -> Scope<A> {
        Scope {
            database: self.clone(),
            user,
            kind: PhantomData,
        }
    }
}

impl<A: CanRead> Scope<A> {
    /// One task.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the user has no such task, whoever else has one of that number.
    pub async fn get(&self, id: TaskId) -> Result<Task, StoreError> {
        self.find(id).await
    }

    /// The task that a write of this user met.
    pub fn show(&self, task: &Unchanged) -> Task {
        task.task.as_ref().clone()
    }

    /// The user's revision: that of the last write, 0 before the first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        Ok(self
            .database
            .lanes()
            .revisions
            .send(self.user.clone())
            .await?)
    }
}

// What both kinds of methods are made of. A write reads, too: whether there is a task that it could not change.
impl<A> Scope<A> {
    /// One task that is not deleted.
    pub(super) async fn find(&self, id: TaskId) -> Result<Task, StoreError> {
        match self.row(id).await? {
            Some(row) if row.deleted_at.is_none() => row.into_task(self.user.as_str()),
            _ => Err(StoreError::NotFound(id)),
        }
    }

    /// The row of a task, deleted or not.
    pub(super) async fn row(&self, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
        let (user, id) = (self.user.clone(), id.get());
        Ok(self.database.lanes().tasks.send(Key { user, id }).await?)
    }

    /// The rows that a statement of its own reads.
    pub(super) async fn rows(
        &self,
        statement: &impl StatementBuilder,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.database.backend().build(statement);
        self.database.lanes().reading.send(statement).await
    }
}
