//! The way to one user's data.

use std::{marker::PhantomData, sync::Arc};

use super::{Database, Meter, changes::Feed, kind::ScopeKind, tasks::Tasks};
use crate::auth::UserId;

/// The way to the data of one user, and to nobody else's, for one kind of access.
///
/// A scope that is open for reading has no method that writes:
///
/// ```compile_fail,E0599
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn delete(scope: &Scope<Read>, id: TaskId) -> Result<(), StoreError> {
///     scope.tasks().delete(id, &Expected::Any).await.map(|_| ())
/// }
/// ```
///
/// and one that is open for writing has no method that reads:
///
/// ```compile_fail,E0599
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn get(scope: &Scope<Write>, id: TaskId) -> Result<(), StoreError> {
///     scope.tasks().get(id).await.map(|_| ())
/// }
/// ```
///
/// The other way round, both compile:
///
/// ```
/// # use taskward::{contract::TaskId, store::{Expected, Read, Scope, StoreError, Write}};
/// async fn delete(scope: &Scope<Write>, id: TaskId) -> Result<(), StoreError> {
///     scope.tasks().delete(id, &Expected::Any).await.map(|_| ())
/// }
/// async fn get(scope: &Scope<Read>, id: TaskId) -> Result<(), StoreError> {
///     scope.tasks().get(id).await.map(|_| ())
/// }
/// ```
#[derive(Debug)]
pub struct Scope<A> {
    database: Database,
    user: UserId,
    meter: Option<Arc<dyn Meter>>,
    kind: PhantomData<fn() -> A>,
}

impl Database {
    /// Opens the data of a user.
    pub fn scope<A: ScopeKind>(&self, user: UserId) -> Scope<A> {
        Scope {
            database: self.clone(),
            user,
            meter: None,
            kind: PhantomData,
        }
    }
}

impl<A: ScopeKind> Scope<A> {
    /// The same, where a meter is told what is read.
    #[must_use]
    pub fn metered(self, meter: Arc<dyn Meter>) -> Self {
        let meter = Some(meter);
        Self { meter, ..self }
    }

    /// The tasks of the user.
    pub fn tasks(&self) -> Tasks<A> {
        let (store, meter) = (self.database.tasks().clone(), self.meter.clone());
        Tasks::of(store, self.user.clone(), meter)
    }

    /// What has changed for the user.
    pub fn changes(&self) -> Feed<A> {
        let (store, meter) = (self.database.tasks().clone(), self.meter.clone());
        Feed::of(store, self.user.clone(), meter)
    }
}
