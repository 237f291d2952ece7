//! Where tasks are kept, and the only module that names sea-orm.
//!
//! Whoever holds a [`Scope`] can reach the tasks of one user and nobody else's: it is opened by that
//! user's [`UserId`](crate::auth::UserId), which only a verified token makes, and every statement
//! names it. The entities stay private to this module.

mod availability;
mod create;
mod cursor;
mod database;
mod derived;
mod digest;
mod entity;
mod error;
mod import;
mod list;
pub mod migrate;
mod order;
mod overview;
mod query;
mod row;
mod scope;
mod update;
mod write;

pub use create::{Created, IdempotencyKey};
pub use database::{Database, DatabaseSettings};
pub(crate) use digest::Canonical;
pub use digest::RequestDigest;
pub use error::StoreError;
pub use import::ImportedTask;
pub use list::{Page, Slice, SliceQuery};
pub use overview::{Overview, Periods};
pub use query::{DueBound, Filter, ListQuery};
pub use scope::Scope;
pub use update::Expected;
