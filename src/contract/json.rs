//! JSON bodies: read within limits of size and time, written by serde.

use std::{marker::PhantomData, ops::Deref, sync::Arc, time::Duration};

use mime::Mime;
use poem::{
    Body, IntoResponse, Request, Response,
    error::ReadBodyError,
    http::{HeaderMap, HeaderValue, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, payload::Payload, types::Type,
};
use serde::Serialize;

use super::{
    Members, Problem, ProblemCode,
    ignored::note_ignored,
    problem::{into_poem, repeated},
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
    values::too_many_values,
};
use crate::in_flight::{Crowded, Held, Place};

/// The media type of answers.
const JSON: &str = "application/json";
/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body. In an answer it is written by serde, straight to bytes; tests hold this against the document,
/// and against what poem-openapi would write.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// The JSON of a value, written before, or while it is sent.
#[derive(Debug)]
pub struct RenderedJson<T> {
    body: Body,
    of: PhantomData<T>,
}

impl<T> RenderedJson<T> {
    /// Takes what was written for a `T`.
    pub fn new(body: impl Into<Body>) -> Self {
        let (body, of) = (body.into(), PhantomData);
        Self { body, of }
    }
}

impl<T: Type> Payload for RenderedJson<T> {
    const CONTENT_TYPE: &'static str = JSON;

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Send> IntoResponse for RenderedJson<T> {
    fn into_response(self) -> Response {
        Response::builder().content_type(JSON).body(self.body)
    }
}

/// A type that is read from a request's body.
pub trait RequestBody: Type + Sized {
    /// What it is called in a sentence.
    const NAME: &'static str;
    /// The media types it comes in.
    const MEDIA_TYPES: &'static [&'static str];
    /// Whether unknown members are ignored instead of refused.
    const IGNORES_UNKNOWN: bool = false;
    /// The value of an absent body; `None`: a body is required.
    const EMPTY: Option<Self> = None;

    /// Takes its members. `None` when one of them had a fault.
    fn read(members: &mut Members) -> Option<Self>;
}

impl<T: Type + Serialize> Payload for Json<T> {
    const CONTENT_TYPE: &'static str = JSON;

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type + Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => Response::builder().content_type(JSON).body(body),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                into_poem(Problem::internal()).into_response()
            }
        }
    }
}

impl<'a, T: RequestBody> ApiExtractor<'a> for Json<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = T::MEDIA_TYPES
            .iter()
            .map(|content_type| MetaMediaType {
                content_type,
                schema: T::schema_ref(),
            })
            .collect();
        Some(MetaRequest {
            description: None,
            content,
            required: T::EMPTY.is_none(),
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut poem::RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if T::EMPTY.is_none() {
            check_media_type(request, T::MEDIA_TYPES).map_err(into_poem)?;
        }
        let bytes = read_body(request, body).await.map_err(into_poem)?;
        if let (true, Some(value)) = (bytes.is_empty(), T::EMPTY) {
            return Ok(Self(value));
        }
        // An optional body needs a type only if it is there.
        check_media_type(request, T::MEDIA_TYPES).map_err(into_poem)?;
        parse(&bytes).map(Self).map_err(into_poem)
    }
}

/// Reads a value from the text of a body.
pub(crate) fn parse<T: RequestBody>(body: &[u8]) -> Result<T, Problem> {
    if let Some(why) = too_many_values(body) {
        return Err(Problem::new(
            ProblemCode::BodyTooLarge,
            format!("The body {why}."),
        ));
    }
    let mut members = Members::parse(body)
        .map_err(|fault| Problem::new(ProblemCode::MalformedJson, format!("The body {fault}.")))?;
    let value = T::read(&mut members);
    let unknown = |name: &str| match T::IGNORES_UNKNOWN {
        true => {
            note_ignored(T::NAME, name);
            None
        }
        false => Some(format!("is not a member of {}", T::NAME)),
    };
    members.finish(value, unknown).map_err(Problem::validation)
}

/// Checks that the body is declared as one of these media types, in UTF-8 and without a content coding.
pub(crate) fn check_media_type(request: &Request, accepted: &[&str]) -> Result<(), Problem> {
    check_coding(request)?;
    let given = request.headers().get(header::CONTENT_TYPE);
    let given = given.map(|value| value.to_str().unwrap_or("?"));
    if given.is_some_and(|given| is_one_of(given, accepted)) {
        return Ok(());
    }
    let detail = format!(
        "The body must be JSON in UTF-8 with the header `Content-Type: {}`; {}.",
        accepted[0],
        given.map_or("there was none".to_owned(), |given| format!(
            "it was `{}`",
            repeated(given)
        )),
    );
    let problem = Problem::new(ProblemCode::UnsupportedMediaType, detail);
    // RFC 9110 §15.5.16: the response says what is accepted.
    let accept = HeaderValue::from_str(&accepted.join(", "));
    Err(match accept {
        Ok(value) => problem.header(header::ACCEPT, value),
        Err(_) => problem,
    })
}

/// Whether a content type is one of the media types, in UTF-8 if it says in what (RFC 8259 §8.1).
fn is_one_of(content_type: &str, accepted: &[&str]) -> bool {
    // RFC 9110 §8.3.1 allows white space around the semicolon; `mime` does not before it.
    let parts: Vec<&str> = content_type.split(';').map(str::trim).collect();
    let Ok(given) = parts.join(";").parse::<Mime>() else {
        return false;
    };
    let charset = given.get_param(mime::CHARSET);
    accepted.contains(&given.essence_str()) && charset.is_none_or(|charset| charset == mime::UTF_8)
}

/// Refuses a body that is compressed (RFC 9110 §8.4). A compressed mebibyte can be a gibibyte.
fn check_coding(request: &Request) -> Result<(), Problem> {
    for value in request.headers().get_all(header::CONTENT_ENCODING) {
        let coding = value.to_str().unwrap_or("?").trim();
        let mut codings = coding.split(',').map(str::trim);
        if codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity")) {
            continue;
        }
        let detail = format!(
            "The body must not be compressed: send it as it is, without the header Content-Encoding (it was `{}`).",
            repeated(coding)
        );
        // RFC 7694 §3: by this header a client can tell it from a wrong media type.
        let identity = HeaderValue::from_static("identity");
        return Err(
            Problem::new(ProblemCode::UnsupportedContentEncoding, detail)
                .header(header::ACCEPT_ENCODING, identity),
        );
    }
    Ok(())
}

/// The bytes of a body. They count for its user until this is dropped.
pub(crate) struct BodyBytes {
    bytes: Vec<u8>,
    _held: Option<Held>,
}

impl Deref for BodyBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What a user is told who has had too much in flight for too long.
pub(crate) fn crowded(_: Crowded) -> Problem {
    let detail = "Too many of your requests are under way, or you have not read their answers. Read them, then retry \
                  in 1 s; send searches one after the other.";
    Problem::new(ProblemCode::TooMuchInFlight, detail).retry_after(1)
}

/// How many bytes the body of a request has: the most that it may have if it does not tell.
pub(crate) fn length_of_body(headers: &HeaderMap) -> usize {
    let told = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    match headers.contains_key(header::TRANSFER_ENCODING) {
        true => told.unwrap_or(MAX_BODY_BYTES),
        false => told.unwrap_or(0),
    }
}

/// Reads a body within the limits of size and time, when its user has room for it.
pub(crate) async fn read_body(
    request: &Request,
    body: &mut poem::RequestBody,
) -> Result<BodyBytes, Problem> {
    let too_large = || {
        let detail = format!("The body must not be larger than {MAX_BODY_BYTES} bytes.");
        Problem::new(ProblemCode::BodyTooLarge, detail)
    };
    let length = length_of_body(request.headers());
    if length > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let body = body.take().map_err(|_| Problem::internal())?;
    let place: Option<&Arc<Place>> = request.data();
    let held = match place {
        Some(place) => {
            let room = place.body(length);
            room.await.map_err(crowded)?
        }
        None => None,
    };
    match tokio::time::timeout(BODY_TIMEOUT, body.into_bytes_limit(MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(BodyBytes {
            bytes: bytes.into(),
            _held: held,
        }),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(too_large()),
        Ok(Err(_)) => {
            let detail = "The body ended before all of it arrived; send the request again.";
            Err(Problem::new(ProblemCode::BodyIncomplete, detail))
        }
        Err(_) => {
            let detail = format!("The body must arrive within {} s.", BODY_TIMEOUT.as_secs());
            Err(Problem::new(ProblemCode::BodyTooSlow, detail))
        }
    }
}

#[cfg(test)]
mod tests;
