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
    /// It began with nothing when this was the user's revision; 0 if it began with something. What had been deleted by then,
    /// it has never seen, so it needs no tombstone of it.
    pub(super) complete_from: i64,
}

impl Known {
    /// Checks that all that was deleted since is still known.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`].
    pub(super) fn check(self, revision: i64, purged_revision: i64) -> Result<(), StoreError> {
        let Self {
            place,
            complete_from,
        } = self;
        if place > revision {
            let known = place;
            return Err(StoreError::ResyncRequired(Lost::Ahead { known, revision }));
        }
        match purged_revision > place.max(complete_from) {
            true => Err(StoreError::ResyncRequired(Lost::Purged(place))),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(place: i64, complete_from: i64) -> Known {
        Known {
            place,
            complete_from,
        }
    }

    #[test]
    fn a_purge_above_the_place_is_a_loss() {
        assert!(known(5, 0).check(9, 5).is_ok());
        assert!(known(5, 0).check(9, 6).is_err());
        assert!(known(9, 0).check(9, 9).is_ok());
    }

    #[test]
    fn who_began_with_nothing_misses_only_what_was_deleted_since() {
        assert!(known(2, 8).check(9, 8).is_ok());
        assert!(known(2, 8).check(9, 9).is_err());
    }

    #[test]
    fn a_revision_that_was_never_given_is_a_loss() {
        assert!(known(10, 0).check(9, 0).is_err());
    }
}
