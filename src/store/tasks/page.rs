//! A page of a list as it is sent, from memory where it is still true.

use std::sync::Arc;

use sea_orm::DbBackend;

use super::{
    Tasks,
    list::Page,
    order::Ordering,
    pages::{Frame, Item, PageKey, RenderedPage},
    paging::{FirstPage, Shown, ShownRow},
    query::{ListQuery, scans},
};
use crate::{
    store::{StoreError, Work, kind::CanRead},
    telemetry::PageOrigin,
};

impl<A: CanRead> Tasks<A> {
    /// A page of the user's tasks as it is sent, from memory if the user's revision is still the one that it shows.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if the cursor is of another list.
    pub async fn page(&self, query: &ListQuery) -> Result<Arc<RenderedPage>, StoreError> {
        match query.is_plain() && self.store.engine.backend() == DbBackend::Postgres {
            true => self.first_page(query).await,
            false => self.other_page(query).await,
        }
    }

    /// The first page of a list without a filter. The same statement reads the revision, and what is not known.
    async fn first_page(&self, query: &ListQuery) -> Result<Arc<RenderedPage>, StoreError> {
        let limit = query.limit.get();
        let key = PageKey::First {
            user: self.user.clone(),
            sort: query.sort,
            limit,
        };
        let epoch = self.store.engine.epoch();
        let kept = self.store.pages.get(&key, epoch);
        let mut request = FirstPage {
            user: self.user.clone(),
            sort: query.sort,
            most: limit + 1,
            known: kept.as_ref().map(|page| page.revision),
        };
        let shown = self.store.paging.send(request.clone()).await?;
        // Otherwise the revision was read over other connections than the page.
        let same_epoch = self.store.engine.epoch() == epoch;
        let known = kept.filter(|_| request.is_told_changes(&shown));
        if let Some(kept) = &known
            && same_epoch
            && kept.revision == shown.revision
        {
            self.store.pages.serve(PageOrigin::Memory);
            return Ok(kept.clone());
        }
        let frame = self.frame(query);
        self.has_read_first(query, &shown, known.is_some());
        let (page, from) = match known {
            None => (Some(self.whole(frame, shown)?), PageOrigin::Database),
            Some(_) if !same_epoch => (None, PageOrigin::Database),
            Some(kept) => (self.renewed(&kept, frame, shown)?, PageOrigin::Renewed),
        };
        let (page, from) = match page {
            Some(page) => (page, from),
            None => {
                request.known = None;
                let shown = self.store.paging.send(request).await?;
                self.has_read_first(query, &shown, false);
                (self.whole(frame, shown)?, PageOrigin::Database)
            }
        };
        self.store.pages.serve(from);
        let page = Arc::new(page);
        self.store.pages.keep(key, &page, epoch);
        Ok(page)
    }

    /// Tells what was read for a first page: its tasks, or those that have changed since it was known.
    fn has_read_first(&self, query: &ListQuery, shown: &Shown, is_known: bool) {
        let mut work = match (is_known, scans(&query.filter, query.sort)) {
            // By their revisions.
            (true, _) => Work::default(),
            (false, true) => Work::scan(shown.stored, 1),
            (false, false) => Work::passing(shown.stored.tombstones),
        };
        shown.rows.iter().for_each(|row| work.add(&row.task));
        self.has_read(work);
    }

    fn whole(&self, frame: Frame, shown: Shown) -> Result<RenderedPage, StoreError> {
        let mut items = self.items(frame.order, shown.rows)?;
        items.sort_by(|one, other| frame.order.compare(&one.position, &other.position));
        RenderedPage::new(frame, shown.revision, items, false)
    }

    fn renewed(
        &self,
        page: &RenderedPage,
        frame: Frame,
        shown: Shown,
    ) -> Result<Option<RenderedPage>, StoreError> {
        let changed: Vec<i64> = shown.rows.iter().map(|row| row.task.id).collect();
        let live = self.items(frame.order, shown.rows)?;
        page.renewed(frame, shown.revision, &changed, live)
    }

    /// Another page: the revision is read first if the page is known.
    async fn other_page(&self, query: &ListQuery) -> Result<Arc<RenderedPage>, StoreError> {
        let frame = self.frame(query);
        let key = PageKey::Other {
            user: self.user.clone(),
            fingerprint: frame.fingerprint,
            limit: query.limit.get(),
            cursor: query
                .cursor
                .as_ref()
                .map(|cursor| cursor.as_str().to_owned()),
        };
        let epoch = self.store.engine.epoch();
        if let Some(kept) = self.store.pages.get(&key, epoch)
            && self.revision().await? == kept.revision
            && self.store.engine.epoch() == epoch
        {
            self.store.pages.serve(PageOrigin::Memory);
            return Ok(kept);
        }
        self.store.pages.serve(PageOrigin::Database);
        let Page {
            items,
            next_cursor,
            revision,
        } = self.list_in(frame, query).await?;
        let page = Arc::new(RenderedPage::of(items, next_cursor, revision)?);
        self.store.pages.keep(key, &page, epoch);
        Ok(page)
    }

    /// The live ones of some rows, with their places in an order.
    fn items(&self, order: Ordering, rows: Vec<ShownRow>) -> Result<Vec<Item>, StoreError> {
        let live = rows.into_iter().filter(|row| row.task.deleted_at.is_none());
        live.map(|ShownRow { task, title_fold }| {
            let task = task.into_task(self.user.as_str())?;
            let position = order.position(&task, title_fold);
            Ok(Item::new(task, position))
        })
        .collect()
    }
}
