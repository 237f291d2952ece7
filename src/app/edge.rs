//! What happens to every request, whatever it is for: it gets an id, its errors become problems, its
//! panics become errors, its answer gets the headers that all have, and the log gets a line.

use std::{panic::AssertUnwindSafe, time::Instant};

use futures_util::FutureExt;
use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderName, HeaderValue, Uri, header, uri::PathAndQuery},
};
use rand::Rng;

use super::HttpSettings;
use super::{
    cors::Cors,
    host,
    prefix::Prefix,
    problems::{self, AllowedMethods},
};
use crate::contract::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An endpoint that never fails.
pub(super) struct Edge<E> {
    inner: E,
    cors: Cors,
    prefix: Prefix,
    allowed: AllowedMethods,
}

impl<E: Endpoint> Edge<E> {
    pub(super) fn new(inner: E, settings: &HttpSettings, allowed: AllowedMethods) -> Self {
        Self {
            inner,
            cors: Cors::new(&settings.allowed_origins),
            prefix: Prefix::of(settings.public_url.as_ref()),
            allowed,
        }
    }

    async fn answer(&self, request: Request, request_id: &str) -> Response {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // In a box: the future is large, and would be copied from layer to layer.
        let result = AssertUnwindSafe(Box::pin(self.inner.call(request)))
            .catch_unwind()
            .await;
        let problem = match result {
            Ok(Ok(response)) => return response.into_response(),
            Ok(Err(error)) => match self.allowed.problem(error, &method, &path) {
                Ok(problem) => problem,
                Err(response) => return *response,
            },
            // The panic itself is in the log already, by the panic hook.
            Err(_) => Problem::internal(),
        };
        problems::response(problem, request_id)
    }
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let request_id = request_id(&request);
        let readers = self.cors.readers(&request);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let mut response = match (host::check(&request), self.cors.preflight(&request)) {
            (Err(problem), _) => problems::response(problem, &request_id),
            (Ok(()), Some(response)) => response,
            (Ok(()), None) => {
                strip_slash(&mut request);
                self.answer(request, &request_id).await
            }
        };
        let status = response.status().as_u16();
        let headers = response.headers_mut();
        self.cors.mark(readers, headers);
        self.prefix.mark(headers);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // What is one user's must not be kept where the next user of the same browser finds it. An
        // ETag alone would not tell two users' tasks of the same version apart.
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert(REQUEST_ID, value);
        }
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(%method, path, status, micros, request_id, "answered");
        Ok(response)
    }
}

/// The id that a proxy gave the request, or a new one.
fn request_id(request: &Request) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let harmless = |id: &&str| {
        (1..=128).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match given.filter(harmless) {
        Some(id) => id.to_owned(),
        None => format!("{:016x}", rand::rng().random::<u64>()),
    }
}

/// An operation whose path ends in a slash is served as the one without it, as front ends written for
/// FastAPI call it: a redirect would lose the body of a POST, or the token. Nothing else has two paths, so
/// that a rule of a proxy for `/mcp` or `/readyz` holds.
fn strip_slash(request: &mut Request) {
    let path = request.uri().path();
    let Some(stripped) = path
        .strip_suffix('/')
        .filter(|path| path.starts_with("/api/") || *path == "/health")
    else {
        return;
    };
    let target = match request.uri().query() {
        Some(query) => format!("{stripped}?{query}"),
        None => stripped.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::from_maybe_shared(target).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
