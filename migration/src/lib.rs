//! The schema, and the only source of it: one table a file, oldest first.
//!
//! A migration that has been released is never edited; another one follows it. The entities of the
//! store are generated from the result (`tests/it/entities.rs` says how, and fails when they drift).
//! Migrations run under a lock, which `taskward::store::migrate` takes and this crate does not.

pub use sea_orm_migration::prelude::*;
pub use sea_orm_migration::seaql_migrations;

mod column;
mod m20261123_000001_user_clock;
mod m20261123_000002_task;

/// All migrations of this build, in their order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_user_clock::Migration),
            Box::new(m20261123_000002_task::Migration),
        ]
    }
}
