//! Server-sent events (HTML standard, "Server-sent events").

use std::borrow::Cow;

use poem::{
    Body, IntoResponse, Response,
    http::{HeaderName, header},
};
use poem_openapi::{
    Enum, Object,
    payload::Payload,
    types::{Example, ToJSON, Type},
};
use serde::Serialize;

use super::{
    ChangeList, Revision,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline},
};

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The token has expired.
    TokenExpired,
    /// The operator has revoked the token.
    TokenRevoked,
    /// The server stops.
    Shutdown,
    /// The client has not taken what was sent for some time.
    SlowReader,
    /// What was deleted since is no longer known.
    ResyncRequired,
    /// The server failed.
    InternalError,
}

/// The last event of a stream: why it ends, and what to do.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct StreamEnd {
    /// Why. There may be more reasons in later versions: then reconnect.
    pub reason: EndReason,
    /// What to do.
    pub detail: String,
}

impl StreamEnd {
    /// The end for a reason.
    pub fn of(reason: EndReason) -> Self {
        let detail = match reason {
            EndReason::TokenExpired => "The token has expired. Connect again with a new one.",
            EndReason::TokenRevoked => {
                "The token was revoked. Sign in again, and connect with a new one."
            }
            EndReason::Shutdown => "The server stops. Connect again in a moment.",
            EndReason::SlowReader => {
                "You have not read for some time. Connect again, and read what comes."
            }
            EndReason::ResyncRequired => {
                "What was deleted since is no longer known. Sync again from `since=0`, and forget the tasks that you have."
            }
            EndReason::InternalError => "The server failed. Connect again in a moment.",
        };
        Self {
            reason,
            detail: detail.to_owned(),
        }
    }
}

impl Example for StreamEnd {
    fn example() -> Self {
        Self::of(EndReason::TokenExpired)
    }
}

/// What the data of an event is: a page of changes, or the end. For the document.
#[derive(Debug)]
pub struct StreamEvent;

// By hand, because poem-openapi's derive macro for unions wants a tag in each object.
impl Type for StreamEvent {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "StreamEvent".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            description: Some(
                "The `data` of an event: of one named `changes`, a page of changes; of one named `end`, the last, why the stream ends.",
            ),
            any_of: vec![ChangeList::schema_ref(), StreamEnd::schema_ref()],
            example: ChangeList::example().to_json(),
            ..MetaSchema::ANY
        })
    }

    fn register(registry: &mut Registry) {
        ChangeList::register(registry);
        StreamEnd::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct EventStream(pub Body);

/// nginx, and what imitates it, passes on each event at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

impl Payload for EventStream {
    const CONTENT_TYPE: &'static str = "text/event-stream";

    fn schema_ref() -> MetaSchemaRef {
        StreamEvent::schema_ref()
    }

    fn register(registry: &mut Registry) {
        StreamEvent::register(registry);
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type(Self::CONTENT_TYPE)
            // What compresses answers on the way would hold events back.
            .header(header::CACHE_CONTROL, "no-store, no-transform")
            .header(ACCEL_BUFFERING, "no")
            .body(self.0)
    }
}

/// An event of a stream as it is written. JSON has no line breaks of its own, so its text is one line.
///
/// # Errors
/// If the data cannot be written as JSON.
pub fn event(
    name: &str,
    id: Option<Revision>,
    data: &impl Serialize,
) -> serde_json::Result<Vec<u8>> {
    let mut text = format!("event: {name}\n").into_bytes();
    if let Some(id) = id {
        text.extend_from_slice(format!("id: {}\n", id.get()).as_bytes());
    }
    text.extend_from_slice(b"data: ");
    serde_json::to_writer(&mut text, data)?;
    text.extend_from_slice(b"\n\n");
    Ok(text)
}
