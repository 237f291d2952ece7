//! Where tasks are kept, and the only module that names sea-orm.
//!
//! A [`Scope`] reaches the data of one user and nobody else's: it is opened with that user's
//! [`UserId`](crate::auth::UserId), which only a verified token makes, and every statement names the user. A scope is
//! for reading, writing or both, and has the methods of that kind only. The entities stay private to this module.
//!
//! What is above uses what is below, never the other way round:
//!
//! - `scope.rs`: the way to one user's data; `kind.rs`: what it is opened for; `limits.rs`: how much it may be;
//!   `meter.rs`: who is told what is read.
//! - `tasks/`: the operations on tasks; `changes/`: what has changed since a revision.
//! - `commit/`: one write, with the user's clock.
//! - `engine/`: how statements run: connections, lanes, groups, deadlines, outages, retries.
//! - `row.rs`, `entity/`: rows. `error.rs`, `fault.rs`: what went wrong, for clients and for the operator.
//! - `revocation.rs`: whose tokens are refused.
//!
//! Beside them, for the operator: `database.rs`, `first_look.rs`, `migrate.rs`, `backup.rs`, `purge.rs`, `examine/`.

mod backup;
mod changes;
mod commit;
mod database;
mod engine;
mod entity;
mod error;
mod examine;
mod fault;
mod first_look;
mod kind;
mod limits;
mod meter;
pub mod migrate;
mod purge;
mod revocation;
mod row;
mod scope;
mod tasks;

pub use backup::backup;
pub use changes::{Feed, FeedPage, FeedQuery, Lost, Watch};
pub use commit::{Committed, Expected, Origin};
pub use database::{Database, DatabaseSettings};
pub use error::StoreError;
pub use examine::examine;
pub use kind::{CanRead, CanWrite, Read, ReadWrite, ScopeKind, Write};
pub use limits::{Usage, UserLimits};
pub use meter::{Meter, Work};
pub use purge::{Pace, Purged};
pub use revocation::Revocations;
pub use scope::Scope;
pub(crate) use tasks::Canonical;
pub use tasks::{
    AT_ONCE, Batch, BatchOutcome, Changes, Created, DueBound, Export, ExportPage, Filter,
    IdempotencyKey, ImportedTask, ImportedUser, ListQuery, Named, Operation, OperationOutcome,
    Overview, Page, Periods, RenderedPage, RequestDigest, Restored, Slice, SliceQuery, TaskStore,
    Tasks, Unchanged,
};
