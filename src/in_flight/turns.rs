//! How many requests, and which reads, of one user run at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{MAX_PAGES, MAX_REQUESTS, MAX_STREAMS};

/// What a request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tasks by their ids.
    Tasks,
    /// A page of tasks.
    Page,
    /// The texts of all tasks.
    AllTexts,
}

/// The turns of one user.
#[derive(Debug)]
pub(super) struct Turns {
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    pages: Arc<Semaphore>,
    texts: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let turns = |number| Arc::new(Semaphore::new(number));
        Self {
            requests: turns(MAX_REQUESTS),
            streams: turns(MAX_STREAMS),
            pages: turns(MAX_PAGES),
            texts: turns(1),
        }
    }
}

/// A turn, until it is dropped.
#[derive(Debug, Default)]
#[must_use = "the turn ends when it is dropped"]
pub struct Turn {
    _texts: Option<OwnedSemaphorePermit>,
    _pages: Option<OwnedSemaphorePermit>,
}

/// A place among the streams of a user, until it is dropped.
#[derive(Debug, Default)]
#[must_use = "the place is free when it is dropped"]
pub struct StreamPlace {
    _place: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn stream(&self) -> Option<StreamPlace> {
        let place = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        Some(StreamPlace {
            _place: Some(place),
        })
    }

    pub(super) async fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).acquire_owned().await.ok()
    }

    pub(super) async fn of(&self, kind: Kind) -> Turn {
        let turn = |of: &Arc<Semaphore>| Arc::clone(of).acquire_owned();
        let texts = match kind {
            Kind::AllTexts => turn(&self.texts).await.ok(),
            Kind::Tasks | Kind::Page => None,
        };
        let pages = match kind {
            Kind::AllTexts | Kind::Page => turn(&self.pages).await.ok(),
            Kind::Tasks => None,
        };
        Turn {
            _texts: texts,
            _pages: pages,
        }
    }
}
