//! A page of a list as it is sent, from memory where it is still true.

use std::sync::Arc;

use sea_orm::DbBackend;

use super::{
    Tasks,
    cursor::Fingerprint,
    list::Page,
    order::Ordering,
    pages::{Frame, Item, PageKey, RenderedPage},
    paging::{FirstPage, Shown, ShownRow},
    query::ListQuery,
};
use crate::{
    contract::Sort,
    store::{StoreError, kind::CanRead},
};

impl<A: CanRead> Tasks<A> {
    /// A page of the user's tasks as it is sent, from memory if the user's revision is still the one that it shows.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if the cursor is of another list.
    pub async fn page(&self, query: &ListQuery) -> Result<Arc<RenderedPage>, StoreError> {
        let order = Ordering::of(query.sort, query.time_zone);
        let frame = Frame {
            order,
            fingerprint: Fingerprint::of(self.user.as_str(), &query.filter, &order, query.sort),
            limit: usize::try_from(query.limit.get()).unwrap_or_default(),
        };
        match query.is_plain() && self.store.engine.backend() == DbBackend::Postgres {
            true => self.first_page(query.sort, frame).await,
            false => self.other_page(query, frame).await,
        }
    }

    /// The first page of a list without a filter. The same statement reads the revision, and what is not known.
    async fn first_page(&self, sort: Sort, frame: Frame) -> Result<Arc<RenderedPage>, StoreError> {
        let key = PageKey::First {
            user: self.user.clone(),
            sort,
            limit: frame.limit,
        };
        let epoch = self.store.engine.epoch();
        let kept = self.store.pages.get(&key, epoch);
        let mut request = FirstPage {
            user: self.user.clone(),
            sort,
            most: i64::try_from(frame.limit).unwrap_or(i64::MAX - 1) + 1,
            known: kept.as_ref().map(|page| page.revision),
        };
        let shown = self.store.paging.send(request.clone()).await?;
        let known = kept.filter(|_| request.is_told_changes(shown.revision));
        let page = match known {
            None => Some(self.whole(frame, shown)?),
            // The revision was read over other connections than the page.
            Some(_) if self.store.engine.epoch() != epoch => None,
            Some(kept) if kept.revision == shown.revision => return Ok(kept),
            Some(kept) => self.renewed(&kept, frame, shown)?,
        };
        let page = match page {
            Some(page) => page,
            None => {
                request.known = None;
                self.whole(frame, self.store.paging.send(request).await?)?
            }
        };
        let page = Arc::new(page);
        self.store.pages.keep(key, &page, epoch);
        Ok(page)
    }

    fn whole(&self, frame: Frame, shown: Shown) -> Result<RenderedPage, StoreError> {
        let mut items = self.items(frame.order, shown.rows)?;
        items.sort_by(|one, other| frame.order.compare(&one.position, &other.position));
        Ok(RenderedPage::new(frame, shown.revision, items, false))
    }

    fn renewed(
        &self,
        page: &RenderedPage,
        frame: Frame,
        shown: Shown,
    ) -> Result<Option<RenderedPage>, StoreError> {
        let changed: Vec<i64> = shown.rows.iter().map(|row| row.task.id).collect();
        let live = self.items(frame.order, shown.rows)?;
        Ok(page.renewed(frame, shown.revision, &changed, live))
    }

    /// Another page: the revision is read first if the page is known.
    async fn other_page(
        &self,
        query: &ListQuery,
        frame: Frame,
    ) -> Result<Arc<RenderedPage>, StoreError> {
        let key = PageKey::Other {
            user: self.user.clone(),
            fingerprint: frame.fingerprint,
            limit: frame.limit,
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
            return Ok(kept);
        }
        let Page {
            items,
            next_cursor,
            revision,
        } = self.list(query).await?;
        let page = RenderedPage::of(items, next_cursor, revision)?;
        let page = Arc::new(page);
        self.store.pages.keep(key, &page, epoch);
        Ok(page)
    }

    /// The live ones of some rows, with their places in an order.
    fn items(&self, order: Ordering, rows: Vec<ShownRow>) -> Result<Vec<Item>, StoreError> {
        let live = rows.into_iter().filter(|row| row.task.deleted_at.is_none());
        live.map(|ShownRow { task, title_fold }| {
            let task = task.into_task(self.user.as_str())?;
            let position = order.position(&task, title_fold);
            Item::new(&task, position)
        })
        .collect()
    }
}
