//! JSON bodies: read within limits of size and time, written without a detour.

use std::time::Duration;

use poem::{
    IntoResponse, Request, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions, payload::Payload, types::Type,
};
use serde::Serialize;

use super::{
    Members, Problem,
    problem::into_poem,
    registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry},
};

/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body. In an answer it is written by serde; a test holds this against the document.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A type that is read from a request's body.
pub trait RequestBody: Type + Sized {
    /// What it is called in a sentence.
    const NAME: &'static str;
    /// The media types it comes in.
    const MEDIA_TYPES: &'static [&'static str];
    /// Whether members that it does not have are passed over instead of refused.
    const IGNORES_UNKNOWN: bool = false;
    /// What no body at all stands for; `None`: there must be one.
    const EMPTY: Option<Self> = None;

    /// Takes its members. `None` when one of them had a fault.
    fn read(members: &mut Members) -> Option<Self>;
}

impl<T: Type + Serialize> Payload for Json<T> {
    const CONTENT_TYPE: &'static str = "application/json";

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
            Ok(body) => Response::builder()
                .content_type("application/json")
                .body(body),
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
        // The type of a body that may be missing matters if it is there.
        check_media_type(request, T::MEDIA_TYPES).map_err(into_poem)?;
        parse(&bytes).map(Self).map_err(into_poem)
    }
}

/// Reads a value from the text of a body.
pub(crate) fn parse<T: RequestBody>(body: &[u8]) -> Result<T, Problem> {
    let mut members = Members::parse(body).map_err(|detail| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            format!("The body {detail}."),
        )
    })?;
    let value = T::read(&mut members);
    let unknown =
        |_: &str| (!T::IGNORES_UNKNOWN).then(|| format!("is not a member of {}", T::NAME));
    members.finish(value, unknown).map_err(Problem::validation)
}

/// Makes sure that the body is declared as one of these media types, in UTF-8.
pub(crate) fn check_media_type(request: &Request, accepted: &[&str]) -> Result<(), Problem> {
    let given = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|v| v.to_str().unwrap_or("?"));
    let mut parts = given.unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    // JSON is UTF-8 (RFC 8259 §8.1).
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    if accepted.iter().any(|a| a.eq_ignore_ascii_case(media_type))
        && charset.is_none_or(|c| c.eq_ignore_ascii_case("utf-8"))
    {
        return Ok(());
    }
    let detail = format!(
        "The body must be JSON in UTF-8 with the header `Content-Type: {}`; {}.",
        accepted[0],
        given.map_or("there was none".to_owned(), |g| format!("it was `{g}`")),
    );
    let problem = Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    );
    // RFC 9110 §15.5.16 suggests to say what is accepted.
    let accept = poem::http::HeaderValue::from_str(&accepted.join(", "));
    Err(match accept {
        Ok(value) => problem.header(header::ACCEPT, value),
        Err(_) => problem,
    })
}

/// Reads a body within the limits of size and time.
pub(crate) async fn read_body(
    request: &Request,
    body: &mut poem::RequestBody,
) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("The body must not be larger than {MAX_BODY_BYTES} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let cut = |_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "body_incomplete",
            "The body was cut off.",
        )
    };
    let body = body.take().map_err(|_| Problem::internal())?;
    match tokio::time::timeout(BODY_TIMEOUT, body.into_bytes_limit(MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => Err(too_large()),
        Ok(Err(error)) => Err(cut(error)),
        Err(_) => {
            let detail = format!("The body must arrive within {} s.", BODY_TIMEOUT.as_secs());
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                detail,
            ))
        }
    }
}
