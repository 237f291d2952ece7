//! Where tasks are kept, and the only module that names sea-orm.
//!
//! A [`Scope`] reaches the tasks of one user and nobody else's: it is opened with that user's
//! [`UserId`](crate::auth::UserId), which only a verified token makes, and every statement names the user. A scope is
//! for reading, writing or both, and has the methods of that kind only. The entities stay private to this module.
//!
//! - `scope.rs`: a scope, and reading one task; `list.rs` (with `query.rs`, `order.rs`, `local_order.rs`, `cursor.rs`) and
//!   `overview.rs`: reading many.
//! - `create.rs`, `update.rs`: the writes; `write.rs`: how each is sent, with the user's clock; `columns.rs`: the values that
//!   they write; `digest.rs`: what tells a retry from another request; `import.rs`: many tasks at once.
//! - `row.rs`, `entity/`: rows. `error.rs`, `fault.rs`: what went wrong, for clients and for the operator.
//! - `database.rs`, `connect.rs`, `availability.rs`, `first_look.rs`: the connections, and what happens without them;
//!   `migrate.rs`, `backup.rs`: for the operator.

mod backup;
mod columns;
mod commit;
mod create;
mod cursor;
mod database;
mod digest;
mod engine;
mod entity;
mod error;
mod fault;
mod first_look;
mod import;
mod list;
mod local_order;
pub mod migrate;
mod order;
mod overview;
mod pages;
mod query;
mod row;
mod scope;
mod tasks;
mod update;

pub use backup::backup;
pub use commit::Expected;
pub use create::{Created, IdempotencyKey};
pub use database::{Database, DatabaseSettings};
pub(crate) use digest::Canonical;
pub use digest::RequestDigest;
pub use error::StoreError;
pub use import::ImportedTask;
pub use list::{Page, Slice, SliceQuery};
pub use overview::{Overview, Periods};
pub use pages::RenderedPage;
pub use query::{DueBound, Filter, ListQuery};
pub use scope::{CanRead, CanWrite, Named, Read, ReadWrite, Scope, ScopeKind, Unchanged, Write};
pub use update::{Changes, Restored};
