//! Pages as they were sent, kept in memory.
//!
//! A page is served again if, and only if, the user's revision, read from the database for the same request, is the one at
//! which the page was read. So there is nothing to invalidate, and nothing stale. After a failover or a restore the same
//! revision may stand for other tasks: a page counts only as long as the connections of its time live.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use super::{
    cursor::{self, Fingerprint, Position},
    order::Ordering,
};
use crate::store::StoreError;
use crate::{
    auth::UserId,
    contract::{Nullable, Sort, Task, TaskList},
    telemetry::{PageOrigin, StoreInstruments},
};

/// A page of a list as it is sent.
#[derive(Debug)]
pub struct RenderedPage {
    /// The user's revision that it shows.
    pub revision: i64,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// The page as JSON: a [`TaskList`](crate::contract::TaskList).
    pub body: Bytes,
    /// The tasks in it, in their order.
    places: Vec<Place>,
}

/// A task in a page.
#[derive(Debug)]
struct Place {
    position: Position,
    /// Where its JSON is in the body.
    range: Range<usize>,
}

/// A task that is to be put into a page.
pub(super) struct Item {
    pub(super) position: Position,
    content: Content,
}

enum Content {
    /// A task that was read.
    Read(Box<Task>),
    /// The JSON of a task, from a page that was kept.
    Kept(Bytes),
}

impl Item {
    pub(super) fn new(task: Task, position: Position) -> Self {
        let content = Content::Read(Box::new(task));
        Self { position, content }
    }
}

/// What the JSON of a task usually has, in bytes; only to size a page.
const USUAL_TASK: usize = 384;

/// What a page must fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) order: Ordering,
    pub(super) fingerprint: Fingerprint,
    /// The most tasks on it.
    pub(super) limit: usize,
}

impl RenderedPage {
    /// Puts tasks together that are in order. `more`: whether there are others after them.
    pub(super) fn new(
        frame: Frame,
        revision: i64,
        mut items: Vec<Item>,
        more: bool,
    ) -> Result<Self, StoreError> {
        let more = more || items.len() > frame.limit;
        items.truncate(frame.limit);
        let last = items.last().filter(|_| more);
        let next_cursor =
            last.map(|item| cursor::encode(frame.fingerprint, &item.position, revision));
        let length = items.iter().map(|item| match &item.content {
            Content::Read(_) => USUAL_TASK,
            Content::Kept(json) => json.len() + 1,
        });
        let mut body = Vec::with_capacity(length.sum::<usize>() + 128);
        body.extend_from_slice(br#"{"items":["#);
        let mut places = Vec::with_capacity(items.len());
        for Item { position, content } in items {
            if !places.is_empty() {
                body.push(b',');
            }
            let start = body.len();
            match content {
                Content::Read(task) => serde_json::to_writer(&mut body, &task)
                    .map_err(|e| StoreError::Internal(e.to_string()))?,
                Content::Kept(json) => body.extend_from_slice(&json),
            }
            let range = start..body.len();
            places.push(Place { position, range });
        }
        body.extend_from_slice(br#"],"next_cursor":"#);
        match &next_cursor {
            // base64url: nothing in it that JSON escapes.
            Some(cursor) => body.extend_from_slice(format!("\"{cursor}\"").as_bytes()),
            None => body.extend_from_slice(b"null"),
        }
        body.push(b'}');
        // A page is kept for long.
        body.shrink_to_fit();
        Ok(Self {
            revision,
            next_cursor,
            body: body.into(),
            places,
        })
    }

    /// A page that will not be renewed.
    pub(super) fn of(
        items: Vec<Task>,
        next_cursor: Option<String>,
        revision: i64,
    ) -> Result<Self, StoreError> {
        let next = Nullable(next_cursor.clone());
        let list = TaskList {
            items,
            next_cursor: next,
        };
        let body = serde_json::to_vec(&list).map_err(|e| StoreError::Internal(e.to_string()))?;
        Ok(Self {
            revision,
            next_cursor,
            body: body.into(),
            places: Vec::new(),
        })
    }

    /// The page at a later revision, if these tasks, and no others, have changed since. `None` where the page alone
    /// does not tell what it shows now: a task that it does not have may have moved up, or may have been the last one
    /// behind it.
    pub(super) fn renewed(
        &self,
        frame: Frame,
        revision: i64,
        changed: &[i64],
        live: Vec<Item>,
    ) -> Result<Option<Self>, StoreError> {
        let had_more = self.next_cursor.is_some();
        // Beyond its last task the page knows nothing, unless it was the last page.
        let end = self.places.last().filter(|_| had_more);
        let is_beyond = |item: &Item| {
            end.is_some_and(|end| frame.order.compare(&item.position, &end.position).is_gt())
        };
        let (beyond, known): (Vec<Item>, Vec<Item>) = live.into_iter().partition(is_beyond);
        let kept = self
            .places
            .iter()
            .filter(|place| !changed.contains(&place.position.id));
        let kept = kept.map(|place| Item {
            position: place.position.clone(),
            content: Content::Kept(self.body.slice(place.range.clone())),
        });
        let mut items: Vec<Item> = kept.chain(known).collect();
        let is_here = |id: &i64| self.places.iter().any(|place| place.position.id == *id);
        let still_more =
            items.len() > frame.limit || !beyond.is_empty() || changed.iter().all(is_here);
        if had_more && (items.len() < frame.limit || !still_more) {
            return Ok(None);
        }
        items.sort_by(|one, other| frame.order.compare(&one.position, &other.position));
        Self::new(frame, revision, items, had_more).map(Some)
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum PageKey {
    /// The first page of a list without a filter.
    First {
        user: UserId,
        sort: Sort,
        limit: i64,
    },
    /// Any other; the fingerprint stands for filters and order.
    Other {
        user: UserId,
        fingerprint: Fingerprint,
        limit: i64,
        cursor: Option<String>,
    },
}

impl PageKey {
    fn user(&self) -> &UserId {
        match self {
            Self::First { user, .. } | Self::Other { user, .. } => user,
        }
    }
}

/// A page, and the time of the connections that it was read over.
#[derive(Debug, Clone)]
struct Kept {
    page: Arc<RenderedPage>,
    epoch: u64,
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<PageKey, Kept> for Weight {
    fn weight(&self, _: &PageKey, kept: &Kept) -> u64 {
        // With what the key, the places and the cache itself take.
        let places = kept.page.places.len() * size_of::<Place>();
        (kept.page.body.len() + places + 512) as u64
    }
}

/// The pages that are kept, up to a number of bytes; those that were not used for long go first.
#[derive(Debug)]
pub(super) struct Pages {
    cache: Option<Cache<PageKey, Kept, Weight>>,
    instruments: Arc<StoreInstruments>,
}

impl Pages {
    /// Keeps up to so many bytes; 0: nothing.
    pub(super) fn new(bytes: u64, instruments: Arc<StoreInstruments>) -> Self {
        // What a page of some ten tasks takes; only to size the tables.
        let pages = usize::try_from(bytes / 16_384).unwrap_or(usize::MAX);
        Self {
            cache: (bytes > 0).then(|| Cache::with_weighter(pages, bytes, Weight)),
            instruments,
        }
    }

    /// Counts a page that is served.
    pub(super) fn serve(&self, from: PageOrigin) {
        self.instruments.pages.of(from).increment();
    }

    pub(super) fn get(&self, key: &PageKey, epoch: u64) -> Option<Arc<RenderedPage>> {
        let kept = self.cache.as_ref()?.get(key)?;
        (kept.epoch == epoch).then_some(kept.page)
    }

    /// Forgets all pages of a user.
    pub(super) fn forget(&self, user: &str) {
        if let Some(cache) = &self.cache {
            cache.retain(|key, _| key.user().as_str() != user);
        }
    }

    pub(super) fn keep(&self, key: PageKey, page: &Arc<RenderedPage>, epoch: u64) {
        let page = page.clone();
        if let Some(cache) = &self.cache {
            cache.insert(key, Kept { page, epoch });
            self.instruments.page_memory.set(cache.weight());
        }
    }
}

#[cfg(test)]
mod tests;
