//! Whether what a client has can still be brought up to date by changes.

use crate::store::StoreError;

/// Why a client must read all tasks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Tombstones above this revision were purged, so that deletions are no longer known.
    Purged(i64),
    /// Everything up to this revision was erased, or is that of a database that was restored.
    Erased(i64),
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

/// The clock of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moved {
    /// 0 before the first write.
    pub(super) revision: i64,
    /// The greatest revision of a tombstone that was purged.
    pub(super) purged: i64,
    /// At which revision everything was erased; 0 if it never was.
    pub(super) erased: i64,
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// It has every change up to this revision.
    pub(super) place: i64,
    /// The user's revision when it began, up to which it goes.
    pub(super) until: i64,
    /// It began with nothing, and is on its way to that revision. It needs no tombstone: what had been
    /// deleted by then it has never seen, and what it has read and was deleted since is above that revision. Whether those
    /// deletions are known is judged when it asks for what came after that revision.
    pub(super) began_with_nothing: bool,
}

impl Known {
    /// Checks that all that was deleted since is still known.
    ///
    /// # Errors
    /// [`StoreError::ResyncRequired`].
    pub(super) fn check(self, clock: Moved) -> Result<(), StoreError> {
        let Self {
            place,
            until,
            began_with_nothing,
        } = self;
        let Moved {
            revision,
            purged,
            erased,
        } = clock;
        // What it began with.
        let known = match began_with_nothing {
            true => until,
            false => place,
        };
        let lost = match () {
            () if place > revision => Lost::Ahead {
                known: place,
                revision,
            },
            () if erased > known => Lost::Erased(erased),
            () if purged > place && !began_with_nothing => Lost::Purged(place),
            () => return Ok(()),
        };
        Err(StoreError::ResyncRequired(lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(place: i64, began_with_nothing: bool) -> Known {
        Known {
            place,
            until: 9,
            began_with_nothing,
        }
    }

    fn check(place: i64, began_with_nothing: bool, revision: i64, purged: i64) -> bool {
        let clock = Moved {
            revision,
            purged,
            erased: 0,
        };
        known(place, began_with_nothing).check(clock).is_ok()
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
    fn an_erasure_is_a_loss_for_all_that_began_before_it() {
        let after = |erased| Moved {
            revision: erased,
            purged: erased,
            erased,
        };
        for began_with_nothing in [false, true] {
            for place in [2, 9] {
                let lost = known(place, began_with_nothing).check(after(10));
                let is_erased = matches!(lost, Err(StoreError::ResyncRequired(Lost::Erased(10))));
                assert!(is_erased, "{place} {lost:?}");
            }
        }
        // Who begins after it has lost nothing.
        assert!(known(9, false).check(after(9)).is_ok());
        assert!(known(0, true).check(after(9)).is_ok());
    }

    #[test]
    fn a_revision_that_was_never_given_is_a_loss() {
        assert!(!check(10, false, 9, 0));
        assert!(!check(10, true, 9, 0));
    }
}
