//! What has changed since a revision: `/api/v1/changes`.

use poem_openapi::{ApiResponse, OpenApi};

use super::{
    OperationGroup,
    parameters::{Address, ParameterFaults, Query, QueryNames},
};
use crate::{
    access::{Caller, Price, problem},
    contract::{
        ChangeList, CursorText, Fail, Nullable, PageLimit, Problem, RenderedJson, Revision,
        codes::{CALLER, CURSOR, FEED, PARAMETERS},
    },
    store::{FeedPage, FeedQuery, Read},
};

/// The operations on changes.
pub struct Changes;

#[derive(ApiResponse)]
enum ChangeListResponse {
    /// A page of what has changed.
    #[oai(status = 200)]
    Page(
        RenderedJson<ChangeList>,
        /// Where the next page is (RFC 8288, `rel="next"`); absent on the last page.
        #[oai(header = "Link")]
        Option<String>,
    ),
}

#[OpenApi(tag = "OperationGroup::Changes")]
impl Changes {
    /// List what has changed since a revision
    ///
    /// Keeps a copy of your tasks in step. Begin with nothing and `since=0`. While `cursor` is not null, ask for the next page
    /// by it, without `since`. Then keep `next`, and send it as `since` the next time. Put each of `tasks` in the place of the one with its
    /// `id`, and remove those in `deleted`. Nothing is missed, whatever is written meanwhile. A task that has changed several
    /// times comes once, as it is now.
    ///
    /// 410 says that deletions since then are no longer known: forget the copy, and begin again with `since=0`. Deleted tasks
    /// are known for 30 days unless the server is configured otherwise or needs the room.
    #[oai(path = "/api/v1/changes", method = "get", operation_id = "listChanges")]
    async fn list_changes(
        &self,
        caller: Caller<Read>,
        /// The revision up to which you have all changes: the `next` of your last sync. 0: you have nothing.
        #[oai(default = "from_the_beginning")]
        since: Query<Revision>,
        /// How many tasks and deletions at most; it may differ from page to page.
        #[oai(default = "default_limit")]
        limit: Query<PageLimit>,
        /// The `cursor` of the page before, without `since`.
        cursor: Query<CursorText>,
        names: QueryNames,
        address: Address,
    ) -> Result<ChangeListResponse, Fail<{ CALLER | PARAMETERS | CURSOR | FEED }>> {
        let mut faults = ParameterFaults::default();
        let since = faults.take(since);
        let limit = faults.take(limit).unwrap_or_else(default_limit);
        let query = match (faults.take(cursor), since) {
            (Some(_), Some(_)) => {
                faults.note(
                    "since",
                    "must not be combined with cursor, which continues a sync",
                );
                FeedQuery::Since(0)
            }
            (Some(cursor), None) => FeedQuery::After(cursor),
            (None, since) => FeedQuery::Since(since.unwrap_or_else(from_the_beginning).get()),
        };
        faults.check(&names)?;
        let feed = caller.scope().changes();
        let page = caller.in_turn(Price::PAGE, async move { feed.page(&query, limit).await });
        let page = page.await?.map_err(problem)?;
        let cursor = page.cursor.as_ref();
        let link =
            cursor.map(|cursor| address.next_page(&[("cursor", cursor.clone())], &["since"]));
        let json = serde_json::to_vec(&into_list(page)).map_err(|_| Problem::internal())?;
        Ok(ChangeListResponse::Page(RenderedJson::new(json), link))
    }
}

/// A page as clients see it.
pub(super) fn into_list(page: FeedPage) -> ChangeList {
    let FeedPage {
        tasks,
        deleted,
        cursor,
        next,
        place: _,
    } = page;
    ChangeList {
        tasks,
        deleted,
        cursor: Nullable(cursor),
        next: Revision::of(next),
    }
}

fn from_the_beginning() -> Revision {
    Revision::of(0)
}

fn default_limit() -> PageLimit {
    PageLimit::DEFAULT
}
