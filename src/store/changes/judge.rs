//! Whether what a client has can still be brought up to date by changes.

use crate::store::StoreError;

/// Why a client must read all tasks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Tombstones above this revision were purged, so that deletions are no longer known.
    Purged(i64),
    /// The user's revision is below the one that the client has: this is another database, or an older state of it.
    Ahead {
        /// What the client has.
        known: i64,
        /// The user's revision.
        revision: i64,
    },
    /// The cursor is older than the time for which tombstones are kept.
    Late,
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// It has every change up to this revision.
    pub(super) place: i64,
    /// It began with nothing, and is on its way to the revision that the user had then. It needs no tombstone: what had been
    /// deleted by then it has never seen, and what it has read and was deleted since is above that revision. Whether those
    /// deletions are known is judged when it asks for what came after that revision.
    pub(super) began_with_nothing: bool,
}

impl Known {
    /// Checks that all that was deleted since is still known.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`].
    pub(super) fn check(self, revision: i64, purged_revision: i64) -> Result<(), StoreError> {
        let Self {
            place,
            began_with_nothing,
        } = self;
        if place > revision {
            let known = place;
            return Err(StoreError::ResyncRequired(Lost::Ahead { known, revision }));
        }
        match purged_revision > place && !began_with_nothing {
            true => Err(StoreError::ResyncRequired(Lost::Purged(place))),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: i64, began_with_nothing: bool, revision: i64, purged: i64) -> bool {
        let known = Known {
            place,
            began_with_nothing,
        };
        known.check(revision, purged).is_ok()
    }

    #[test]
    fn a_purge_above_the_place_is_a_loss() {
        assert!(check(5, false, 9, 5));
        assert!(!check(5, false, 9, 6));
        assert!(check(9, false, 9, 9));
    }

    #[test]
    fn who_began_with_nothing_misses_no_tombstone() {
        assert!(check(2, true, 9, 9));
    }

    #[test]
    fn a_revision_that_was_never_given_is_a_loss() {
        assert!(!check(10, false, 9, 0));
        assert!(!check(10, true, 9, 0));
    }
}
