//! Changes as they happen: `/api/v1/events`.

mod counted;
mod live;

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi};

use super::{
    OperationGroup, Stopping,
    conditions::LastEventId,
    parameters::{ParameterFaults, Query, QueryNames},
};
use crate::{
    access::Caller,
    contract::{
        EventStream, Fail, Revision,
        codes::{CALLER, FEED, PARAMETERS, STREAM},
    },
    store::Read,
    telemetry::StreamInstruments,
};
use counted::CountedStream;
use live::Live;

/// The operation that streams.
pub struct Events;

#[derive(ApiResponse)]
enum EventsResponse {
    /// The events. The stream has no end of its own; the last event says why it ends.
    #[oai(status = 200)]
    Stream(EventStream),
}

#[OpenApi(tag = "OperationGroup::Changes")]
impl Events {
    /// Stream what changes, as it happens
    ///
    /// Server-sent events. First comes what has changed since the revision that you have, then each change within a moment of
    /// its commit. An event named `changes` has a page of changes as `listChanges` has it, and as its `id` the revision to
    /// resume from. To resume after a break, send the last `id` as `Last-Event-ID` or as `since`: nothing is missed. While
    /// `cursor` is not null, further pages follow at once, so you need not ask for them.
    ///
    /// A comment comes every 15 s while nothing else does. An event named `end` is the last one, and says why: `token_expired`
    /// (connect again with a new token), `token_revoked` (sign in again), `shutdown`, `slow_reader`, `internal_error` (connect again), or `resync_required` (as 410
    /// of `listChanges`). A user may have 16 streams.
    #[oai(path = "/api/v1/events", method = "get", operation_id = "streamEvents")]
    async fn stream_events(
        &self,
        caller: Caller<Read>,
        stopping: Data<&Stopping>,
        instruments: Data<&Arc<StreamInstruments>>,
        /// The revision up to which you have all changes: the `next` of your last sync, or the `id` of the last event. 0: you
        /// have nothing.
        #[oai(default = "from_the_beginning")]
        since: Query<Revision>,
        /// The `id` of the last event. It counts instead of `since`, since a client that connects again by itself sends the
        /// same address as at first.
        #[oai(name = "Last-Event-ID")]
        last_event_id: LastEventId,
        names: QueryNames,
    ) -> Result<EventsResponse, Fail<{ CALLER | PARAMETERS | FEED | STREAM }>> {
        let mut faults = ParameterFaults::default();
        let since = faults.take(since).unwrap_or_else(from_the_beginning);
        faults.check(&names)?;
        let place = caller.stream()?;
        // Before the first page is read, so that no commit falls in between.
        let watch = caller.scope().changes().watch();
        let from = last_event_id.0.unwrap_or(since);
        let counted = CountedStream::begin(instruments.0);
        let live = Live::begin(
            caller,
            place,
            watch,
            stopping.0.clone(),
            counted,
            from.get(),
        )
        .await;
        Ok(EventsResponse::Stream(EventStream(live?.into_body())))
    }
}

fn from_the_beginning() -> Revision {
    Revision::of(0)
}
