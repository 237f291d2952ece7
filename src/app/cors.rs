//! CORS: the scripts of which other origins may read answers (Fetch standard, "CORS protocol").
//!
//! A request from an origin that is not allowed is answered, but without the CORS headers, so the browser does not
//! give the answer to the script. It is not refused, because Swagger UI, a page of this server, also sends an
//! `Origin`.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};

use crate::access::AllowedOrigin;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
/// The request headers that this server reads: the answer to a preflight that names none, or not in a list.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Mcp-Method, Mcp-Name, \
     Mcp-Protocol-Version, Mcp-Session-Id, Prefer, X-Request-Id",
);
/// The longest list of header names that a preflight may ask for, in bytes.
const MAX_NAMES: usize = 2048;
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Traceresponse, WWW-Authenticate, X-Request-Id, X-Total-Count",
);
/// How long browsers may cache the answer to a preflight, in seconds (most cap it at two hours).
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// For scripts that look for an authorization server. Those of MCP clients name the revision that they speak.
const DISCOVERY_METHODS: HeaderValue = HeaderValue::from_static("GET");
const DISCOVERY_HEADERS: HeaderValue = HeaderValue::from_static("Accept, MCP-Protocol-Version");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The origins whose scripts may read an answer.
pub(super) enum Readers {
    Nobody,
    /// This origin, which is allowed.
    Origin(HeaderValue),
    /// Any origin: how to get a token is no secret, and a script that asks for it has no token yet (RFC 9728 §3.1).
    Everybody,
}

/// The rules of one server.
pub(super) struct Cors {
    allowed: Vec<AllowedOrigin>,
}

impl Cors {
    pub(super) fn new(allowed: &[AllowedOrigin]) -> Self {
        Self {
            allowed: allowed.to_vec(),
        }
    }

    /// Which origin may read the response to a request.
    pub(super) fn readers(&self, request: &Request) -> Readers {
        if request.uri().path().starts_with("/.well-known/") {
            return Readers::Everybody;
        }
        let origin = request.headers().get(header::ORIGIN);
        let is_allowed = |origin: &&HeaderValue| self.allowed.iter().any(|one| one.allows(origin));
        match origin.filter(is_allowed) {
            Some(origin) => Readers::Origin(origin.clone()),
            None => Readers::Nobody,
        }
    }

    /// The answer to a preflight request; `None` if the request is not one.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = |name: HeaderName| request.headers().contains_key(name);
        let is_preflight = request.method() == Method::OPTIONS
            && asks(header::ORIGIN)
            && asks(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
        let (methods, request_headers) = match self.readers(request) {
            Readers::Nobody => return Some(response),
            Readers::Origin(_) => (METHODS, wanted_headers(request)),
            Readers::Everybody => (DISCOVERY_METHODS, DISCOVERY_HEADERS),
        };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, request_headers);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(response)
    }

    /// Adds the CORS headers to an answer of any status: a script must be able to read errors, too.
    pub(super) fn mark(&self, readers: Readers, headers: &mut HeaderMap) {
        if matches!(readers, Readers::Everybody) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            return;
        }
        if self.allowed.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Readers::Origin(origin) = readers {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
        }
    }
}

/// The headers that a page of an allowed origin may send: all that it asks for. Libraries add their own
/// (`traceparent`, `baggage`, `sentry-trace`, `cache-control`), and no list stays complete. A list would not
/// protect anything either: the origin is trusted as a whole.
fn wanted_headers(request: &Request) -> HeaderValue {
    let asked = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let is_list = |value: &&HeaderValue| {
        value.len() <= MAX_NAMES
            && value.to_str().is_ok_and(|text| {
                text.split(',')
                    .all(|name| name.trim().parse::<HeaderName>().is_ok())
            })
    };
    asked.filter(is_list).cloned().unwrap_or(REQUEST_HEADERS)
}
