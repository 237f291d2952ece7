//! The schema, and the only source of it: one table a file, oldest first.
//!
//! A migration that has been released is never edited; another one follows it. The entities of the
//! store are generated from the result (`tests/it/entities.rs` says how, and fails when they drift).
//! Migrations run under a lock, which `taskward::store::migrate` takes and this crate does not.

pub use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigratorTraitSelf, seaql_migrations};

mod column;
mod large_index;
mod m20261123_000001_user_clock;
mod m20261123_000002_task;
mod m20261204_000005_storage;
mod m20261204_000006_tombstones;
mod m20261205_000007_task_uid;
mod m20261206_000009_tombstones_of_user;
mod m20261207_000010_token_revocation;
mod m20261207_000011_erasure;
mod search_keys;
mod storage;

use search_keys::RewriteSearchKeys;
pub use search_keys::{SearchKeys, rewrite};
use storage::CountStorage;
pub use storage::{RowBytes, recount};

/// All migrations of this build, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Migrator {
    /// Compute the search keys of tasks.
    pub search_keys: SearchKeys,
    /// What a row counts in bytes.
    pub row_bytes: RowBytes,
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let search_keys = |name| {
            Box::new(RewriteSearchKeys {
                name,
                search_keys: self.search_keys,
            })
        };
        vec![
            Box::new(m20261123_000001_user_clock::Migration),
            Box::new(m20261123_000002_task::Migration),
            // Accents, punctuation and white space of all kinds: the keys were case-folded texts before.
            search_keys("m20261201_000003_search_keys"),
            // The voicing of kana, skin tones and Greek apostrophes; and tags: `İ` and `i`.
            search_keys("m20261202_000004_search_keys"),
            Box::new(m20261204_000005_storage::Migration),
            Box::new(m20261204_000006_tombstones::Migration),
            Box::new(m20261205_000007_task_uid::Migration),
            // It names all columns that count, so it comes after them.
            Box::new(CountStorage {
                name: "m20261205_000008_storage_counts",
                row_bytes: self.row_bytes,
            }),
            Box::new(m20261206_000009_tombstones_of_user::Migration),
            Box::new(m20261207_000010_token_revocation::Migration),
            Box::new(m20261207_000011_erasure::Migration),
        ]
    }
}
