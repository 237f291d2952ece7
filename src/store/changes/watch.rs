//! Waiting for the next commit of a user.
//!
//! A commit of this process wakes at once those who wait for its user. Those of other processes are found by [`poll`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch::{Receiver, Sender};

use super::{Feed, poll};
use crate::{auth::UserId, store::kind::CanRead};

/// Who waits, by user.
#[derive(Debug, Default)]
pub(in crate::store) struct Wakeups(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    users: HashMap<UserId, Watchers>,
    /// A task reads the clocks of these users.
    is_polled: bool,
}

#[derive(Debug)]
struct Watchers {
    /// The greatest revision that is known.
    revision: Sender<i64>,
    count: usize,
}

impl Wakeups {
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those who wait for a revision of this user that is now committed. Returns whether that was news.
    pub(in crate::store) fn committed(&self, user: &str, revision: i64) -> bool {
        let watched = self.lock();
        let Some(watchers) = watched.users.get(user) else {
            return false;
        };
        watchers.revision.send_if_modified(|known| {
            let is_news = revision > *known;
            *known = revision.max(*known);
            is_news
        })
    }

    /// The users who are waited for. If there are none, whoever asks must stop to poll.
    pub(super) fn users(&self) -> Option<Vec<UserId>> {
        let mut watched = self.lock();
        watched.is_polled = !watched.users.is_empty();
        watched
            .is_polled
            .then(|| watched.users.keys().cloned().collect())
    }
}

/// One who waits for the commits of a user.
#[derive(Debug)]
pub struct Watch {
    wakeups: Arc<Wakeups>,
    user: UserId,
    revision: Receiver<i64>,
}

impl Watch {
    /// Waits until a greater revision than this is committed. May be dropped before.
    pub async fn beyond(&mut self, revision: i64) {
        // It fails when the sender is dropped, which is kept for as long as this is.
        let _ = self.revision.wait_for(|known| *known > revision).await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.wakeups.lock();
        if let Some(watchers) = watched.users.get_mut(&self.user) {
            watchers.count -= 1;
            if watchers.count == 0 {
                watched.users.remove(&self.user);
            }
        }
    }
}

impl<A: CanRead> Feed<A> {
    /// Watches the commits of the user from now on.
    pub fn watch(&self) -> Watch {
        let wakeups = self.store.wakeups();
        let mut watched = wakeups.lock();
        let watchers = watched.users.entry(self.user.clone());
        let watchers = watchers.or_insert_with(|| Watchers {
            revision: Sender::new(0),
            count: 0,
        });
        watchers.count += 1;
        let revision = watchers.revision.subscribe();
        if !std::mem::replace(&mut watched.is_polled, true) {
            tokio::spawn(poll::poll(self.store.clone()));
        }
        Watch {
            wakeups: wakeups.clone(),
            user: self.user.clone(),
            revision,
        }
    }
}
