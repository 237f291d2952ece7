//! What each user has in flight: requests under way, and the bytes of their bodies and answers.
//!
//! A page of large tasks has megabytes, and stays in memory until the client has taken it. So a user whose clients do not
//! take their answers waits, and nobody else does. The budgets:
//!
//! | what | at once, of one user |
//! |---|---|
//! | requests under way | 64 |
//! | event streams, which are requests as well | 16 |
//! | reads of many tasks | 4 |
//! | reads of the texts of all tasks | 1 |
//! | bytes of bodies and answers of over 16 KiB | 8 MiB |
//!
//! A request over one of them waits for its turn, and is refused when it has waited for 15 s. If all users together hold
//! 64 MiB, those that hold more than 256 KiB wait.

mod held;
mod place;
mod turns;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use self::{held::Total, turns::Turns};
pub use self::{
    held::{Held, HeldBody},
    place::{Crowded, Place},
    turns::{Kind, StreamPlace, Turn},
};
use crate::telemetry::BudgetInstruments;

/// Requests of one user that are under way at once.
pub(crate) const MAX_REQUESTS: usize = 64;
/// Event streams of one user at once.
pub(crate) const MAX_STREAMS: usize = 16;
/// Reads of one user at once that read many tasks.
pub(crate) const MAX_PAGES: usize = 4;
/// Bytes of bodies and answers that one user may have in flight.
pub(crate) const MAX_USER_BYTES: usize = 8 * 1024 * 1024;
/// The same of all users together; above it each has [`MIN_USER_BYTES`].
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What a user may always have in flight, whatever others have.
pub(crate) const MIN_USER_BYTES: usize = 256 * 1024;
/// A body or an answer of fewer bytes is not counted: it is no larger than what a connection costs anyway.
pub(crate) const SMALL: usize = 16 * 1024;
/// How long a request waits for its turns, all in all.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the next part of an answer waits: longer than a client may take nothing before it is cut.
const NEXT_PATIENCE: Duration = Duration::from_secs(45);

/// What all users have in flight.
#[derive(Debug, Default)]
pub struct InFlight {
    users: Mutex<HashMap<Box<str>, Arc<User>>>,
    total: Arc<Total>,
    budgets: Arc<BudgetInstruments>,
}

/// What one user has in flight.
#[derive(Debug)]
struct User {
    turns: Turns,
    held: held::Count,
}

impl InFlight {
    /// Nothing yet. What it refuses is counted.
    pub fn new(budgets: Arc<BudgetInstruments>) -> Self {
        Self {
            budgets,
            ..Self::default()
        }
    }

    /// The place of one request, for which no user is known yet.
    pub fn place(self: &Arc<Self>) -> Place {
        Place::new(Arc::clone(self))
    }

    fn user(&self, name: &str) -> Arc<User> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = users.get(name) {
            return Arc::clone(user);
        }
        let user = Arc::new(User {
            turns: Turns::default(),
            held: held::Count::default(),
        });
        users.insert(name.into(), Arc::clone(&user));
        user
    }

    /// Forgets the users that have nothing in flight. To be called now and then.
    pub fn forget_idle(&self) {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, user| Arc::strong_count(user) > 1);
        users.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests;
