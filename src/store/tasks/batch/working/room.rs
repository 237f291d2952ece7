//! Room for what a batch writes. Tombstones are counted and purged in memory, operation by operation, so that a batch does what
//! its operations would do one after the other.

use super::{Known, Working};
use crate::store::{StoreError, Usage, commit::Tombstone, tasks::room::Need};

impl Working<'_> {
    /// Purges the oldest tombstones if an operation needs that, all conditions of which hold otherwise.
    pub(super) fn make_room(&mut self, need: Need) -> Result<(), StoreError> {
        let limits = self.plan.limits;
        let clock = &self.clock;
        let usage = Usage::of(clock.task_count, clock.row_count, clock.stored_bytes);
        if need.fits(usage, limits)? {
            return Ok(());
        }
        self.needs_room = self.tombstones.is_none() && usage.tombstones > 0;
        let tombstones = self.tombstones.get_or_insert_default();
        let count = need.to_purge(usage, limits, tombstones)?.len();
        let oldest: Vec<_> = tombstones.drain(..count).collect();
        for tombstone in oldest {
            self.purge(tombstone);
        }
        Ok(())
    }

    /// Whether an operation needs room, and the tombstones are not known yet. Then nothing that follows counts.
    pub(in crate::store::tasks::batch) fn needs_room(&self) -> bool {
        self.needs_room
    }

    /// Removes a tombstone, of a task that the batch names or of another. It is as if the task had never been there.
    fn purge(&mut self, gone: Tombstone) {
        self.clock.row_count -= 1;
        self.clock.stored_bytes -= gone.bytes;
        self.clock.purged_revision = self.clock.purged_revision.max(gone.revision);
        let place = self.ids.remove(&gone.id);
        self.uids.retain(|_, of| Some(*of) != place);
        self.keys.retain(|_, of| Some(*of) != place);
        let known = place.map(|place| &mut self.known[place]);
        let is_stored = known.as_ref().is_none_or(|known| known.new.is_none());
        if let Some(known) = known {
            known.is_written = false;
        }
        if is_stored {
            self.purged.push(gone.id);
        }
    }

    /// Notes whether a task is a tombstone now.
    pub(super) fn keep_tombstone(&mut self, place: usize) {
        let Known { row, sizes, .. } = &self.known[place];
        let Some(tombstones) = &mut self.tombstones else {
            return;
        };
        tombstones.retain(|tombstone| tombstone.id != row.id);
        if row.deleted_at.is_some() {
            tombstones.push(Tombstone {
                id: row.id,
                revision: row.revision,
                bytes: sizes.total(),
            });
        }
    }
}
