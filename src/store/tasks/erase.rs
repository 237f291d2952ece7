//! Erasing everything that a user stores.

use std::time::{Duration, Instant};

use super::{TaskStore, Tasks};
use crate::store::{
    StoreError, Usage, Work,
    commit::{Erased, Erasure},
    kind::CanWrite,
};

/// How long an erasure is tried while others write for the user.
const PATIENCE: Duration = Duration::from_secs(4);

impl<A: CanWrite> Tasks<A> {
    /// Removes everything of the user for good, in one commit: tasks, deleted ones too, with their keys and uids. Nothing of
    /// it can be restored or recognised, and every copy is told to begin again.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn erase(&self) -> Result<(), StoreError> {
        if let Some(stored) = self.store.erase(self.user.as_str()).await? {
            self.has_read(Work::scan(stored, 1));
            self.has_read(Work::erasing(stored));
        }
        Ok(())
    }
}

impl TaskStore {
    /// Removes everything of a user, and returns what was there; `None` for a user who has never written.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn erase(&self, user: &str) -> Result<Option<Usage>, StoreError> {
        let began = Instant::now();
        loop {
            let erasure = Erasure {
                user: user.to_owned(),
                now: self.now(),
            };
            let erased = self.erasing.send(erasure).await;
            match erased.map_err(|error| StoreError::of_write(&error))? {
                Erased::Nothing => return Ok(None),
                Erased::Gone { revision, stored } => {
                    self.wakeups().committed(user, revision);
                    self.pages.forget(user);
                    return Ok(Some(stored));
                }
                Erased::Again if began.elapsed() < PATIENCE => {}
                Erased::Again => {
                    let busy = "others write for this user all the time";
                    return Err(StoreError::Unavailable(busy.to_owned()));
                }
            }
        }
    }
}
