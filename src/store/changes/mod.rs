//! What has changed for a user since a revision: tasks, and tombstones of those that were deleted.
//!
//! `page` reads a page in one statement; `cursor` says where a page ended; `judge` says when too little is known to go on.
//! `watch` waits for the next commit, and `poll` finds those of other processes.
//!
//! **Nothing is missed.** A write takes the user's next revisions under the lock of the user's clock, and holds it until the
//! commit. So revisions are committed in their order, and a snapshot that shows the clock at `n` shows every write up to
//! `n`, and none after it. Clock and rows are read by one statement, and so from one snapshot, on both databases. A row has
//! the revision of its latest change only: a task that changes while a client is paging moves beyond the `n` of the first
//! page, and is found by the sync that follows.

mod cursor;
mod judge;
mod page;
mod poll;
mod watch;

use std::{marker::PhantomData, sync::Arc};

use super::{Meter, tasks::TaskStore};
use crate::auth::UserId;

pub use judge::Lost;
pub use page::{FeedPage, FeedQuery};
pub(super) use watch::Wakeups;
pub use watch::Watch;

/// The changes of one user, for one kind of access.
#[derive(Debug)]
pub struct Feed<A> {
    store: Arc<TaskStore>,
    user: UserId,
    meter: Option<Arc<dyn Meter>>,
    kind: PhantomData<fn() -> A>,
}

impl<A> Feed<A> {
    pub(super) fn of(store: Arc<TaskStore>, user: UserId, meter: Option<Arc<dyn Meter>>) -> Self {
        store.note_use();
        Self {
            store,
            user,
            meter,
            kind: PhantomData,
        }
    }
}
