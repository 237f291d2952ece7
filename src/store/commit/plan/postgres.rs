//! A plan on PostgreSQL: one statement that reads, and one that writes.
//!
//! Both are written by hand: sea-query knows no `unnest` of several arrays. Each array goes through a sub-select, so that
//! one plan is kept for all lengths (see `arrays`).

mod read;
mod write;

use sea_orm::{DbErr, prelude::DateTimeUtc, sqlx::PgConnection};

use super::{Before, Decision, Plan, Wanted, Writes, first_clock, found};
use crate::auth::UserId;
use read::{read, stored};
use write::write;

/// How often a plan is made at once, when others write between its two statements. After that it is sent again later, as
/// what meets a lock.
const ATTEMPTS: usize = 4;

/// Carries a plan out.
pub(in crate::store::commit) async fn on_postgres(
    connection: &mut PgConnection,
    user: &UserId,
    now: DateTimeUtc,
    plan: &dyn Plan,
) -> Result<(), DbErr> {
    for _ in 0..ATTEMPTS {
        let mut before = read(connection, user, now, plan.wanted()).await?;
        let mut decision = plan.decide(&before);
        if let Decision::NeedsRoom = decision {
            let stored = stored(connection, user).await?;
            if stored.revision != before.clock.revision {
                continue;
            }
            // Tombstones may have been purged meanwhile, which moves the counts alone.
            before.clock.row_count = stored.usage.tasks + stored.usage.tombstones;
            before.clock.stored_bytes = stored.usage.bytes;
            before.tombstones = Some(stored.tombstones);
            decision = plan.decide(&before);
        }
        let Decision::Write(writes) = decision else {
            return Ok(());
        };
        if write(connection, &before.clock, writes).await? {
            return Ok(());
        }
    }
    Err(DbErr::RecordNotUpdated)
}
