//! What every request passes: it gets an id, errors and panics become problems, the answer gets the headers that
//! all answers have, and one line is logged.

use std::{
    borrow::Cow,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use http_body_util::combinators::BoxBody;
use poem::{
    Body, Endpoint, IntoResponse, Request, Response, Result,
    http::{HeaderName, HeaderValue, Uri, header, uri::PathAndQuery},
};
use rand::Rng;
use tokio::time::sleep;
use tracing::{Instrument as _, Level, error_span, field::Empty};

use super::{
    HttpSettings,
    cors::Cors,
    host,
    prefix::Prefix,
    problems::{self, Routes},
    refused,
};
use crate::{
    access::{Anonymous, TrustedProxies},
    api::Stopping,
    contract::{Problem, ProblemCode, RequestId, repeated},
    in_flight::{InFlight, Place},
    server::Refused,
    telemetry::{self, Method as MethodLabel, Registry, Requests, trace},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Of W3C Trace Context, level 2, the draft of the format for answers: the span of the request, where spans are sent.
const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// An endpoint that never fails.
pub(super) struct Edge<E> {
    inner: E,
    cors: Cors,
    prefix: Prefix,
    routes: Routes,
    in_flight: Arc<InFlight>,
    proxies: TrustedProxies,
    anonymous: Arc<Anonymous>,
    stopping: Stopping,
    requests: Requests,
}

impl<E: Endpoint> Edge<E> {
    pub(super) fn new(
        inner: E,
        settings: &HttpSettings,
        routes: Routes,
        in_flight: Arc<InFlight>,
        anonymous: Arc<Anonymous>,
        stopping: Stopping,
        registry: &Registry,
    ) -> Self {
        let codes = ProblemCode::ALL.iter().map(|code| code.name());
        let requests = Requests::new(routes.templates().map(str::to_owned), codes);
        requests.observe(registry);
        Self {
            inner,
            cors: Cors::new(&settings.allowed_origins),
            prefix: Prefix::of(settings.public_url.as_ref()),
            routes,
            in_flight,
            proxies: settings.limits.proxies.clone(),
            anonymous,
            stopping,
            requests,
        }
    }

    /// The answer of the endpoint, and the code if it is a problem.
    async fn answer(&self, request: Request, request_id: &str) -> (Response, Option<ProblemCode>) {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // Boxed, because the future is large and would be copied from layer to layer.
        let result = AssertUnwindSafe(Box::pin(self.inner.call(request)))
            .catch_unwind()
            .await;
        let problem = match result {
            Ok(Ok(response)) => return (response.into_response(), None),
            Ok(Err(error)) => match self.routes.problem(error, &method, &path) {
                Ok(problem) => problem,
                Err(response) => return (*response, None),
            },
            // The panic itself is in the log already, by the panic hook.
            Err(_) => Problem::internal(),
        };
        failure(problem, request_id)
    }

    /// The headers that all answers have.
    fn mark(&self, response: &mut Response, request_id: &str) {
        let headers = response.headers_mut();
        self.prefix.mark(headers);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        // A browser must not keep one user's tasks where the next user of that browser finds them. The ETag alone
        // does not tell two users' tasks of the same version apart.
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, value);
        }
        // Otherwise a client could send its next request over this connection in the moment in which the stop closes it, and
        // would not know whether the request was done.
        if self.stopping.has_begun() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// The answer to a request whose head could not be read.
    async fn refuse(&self, head: Refused, request: &Request) -> Response {
        let request_id = new_request_id();
        let problem = refused::problem(head);
        let (status, code) = (problem.status().as_u16(), problem.code.name());
        let active = self.requests.begin(MethodLabel::Other);
        active.answered(None, status, Some(problem.code as usize), Duration::ZERO);
        let mut response = problems::response(problem, &request_id);
        self.mark(&mut response, &request_id);
        let client = self.proxies.client(request);
        if let Some(wait) = client.and_then(|client| self.anonymous.count(client)) {
            self.requests.delayed();
            sleep(wait).await;
            return response;
        }
        tracing::info!(
            request_id,
            status,
            code,
            ?head,
            "refused a malformed request"
        );
        response
    }
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if let Some(head) = request.extensions().get::<Refused>() {
            return Ok(self.refuse(*head, &request).await);
        }
        let started = Instant::now();
        let method_label = MethodLabel::of(request.method());
        let active = self.requests.begin(method_label);
        let request_id = request_id(&request);
        let readers = self.cors.readers(&request);
        let client = self.proxies.client(&request);
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let route = self.routes.place(&path);
        // Every line that is logged for this request carries its id, lines about errors included. So the span has
        // level ERROR: it exists whenever errors are logged. The authenticator records `user`, and `/mcp` `tool`.
        let span = error_span!(
            "request",
            request_id,
            user = Empty,
            tool = Empty,
            trace_id = Empty,
            span_id = Empty,
            otel.name = Empty,
            otel.kind = Empty
        );
        let template = route.and_then(|route| self.routes.template(route));
        let parent = telemetry::incoming(request.headers());
        let context = trace::request(&span, &request_id, method_label, template, parent);
        let mut has_user = false;
        let (mut response, code) = match (checked(&request), self.cors.preflight(&request)) {
            (Err(problem), _) => failure(problem, &request_id),
            (Ok(()), Some(response)) => (response, None),
            (Ok(()), None) => {
                strip_slash(&mut request);
                request.set_data(RequestId(request_id.clone()));
                let place = Arc::new(self.in_flight.place());
                request.extensions_mut().insert(Arc::clone(&place));
                let answer = self.answer(request, &request_id);
                let (mut response, code) = answer.instrument(span.clone()).await;
                hold(&mut response, &place);
                has_user = place.is_taken();
                (response, code)
            }
        };
        let status = response.status();
        if let Some(context) = context.and_then(|context| context.parse().ok()) {
            response.headers_mut().insert(TRACE_RESPONSE, context);
        }
        self.cors.mark(readers, response.headers_mut());
        self.mark(&mut response, &request_id);
        let took = started.elapsed();
        trace::answered(&span, status.as_u16(), code.map(ProblemCode::name));
        let problem = code.map(|code| code as usize);
        active.answered(route, status.as_u16(), problem, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let anonymous = client.filter(|_| !has_user);
        if let Some(wait) = anonymous.and_then(|client| self.anonymous.count(client)) {
            // A refusal costs its sender time, so that sending it again and again costs the server little.
            if status.is_client_error() {
                self.requests.delayed();
                sleep(wait).await;
            }
        } else if tracing::enabled!(Level::INFO) {
            let status = status.as_u16();
            let route = template.map_or_else(|| Cow::Owned(repeated(&path)), Cow::Borrowed);
            let code = code.map(ProblemCode::name);
            let method = &*repeated(method.as_str());
            span.in_scope(|| {
                tracing::info!(method, route = &*route, status, micros, code, "answered");
            });
        }
        Ok(response)
    }
}

/// The most parameters of a query. Each operation looks through all of them for each of its own.
const MAX_PARAMETERS: usize = 200;

/// Checks what every request must hold to.
fn checked(request: &Request) -> Result<(), Problem> {
    host::check(request)?;
    let query = request.uri().query().unwrap_or_default();
    if query.bytes().filter(|byte| *byte == b'&').count() < MAX_PARAMETERS {
        return Ok(());
    }
    let detail = format!("The query must not have more than {MAX_PARAMETERS} parameters.");
    Err(Problem::new(ProblemCode::BadRequest, detail))
}

/// Counts the body of an answer for its user until the client has taken it.
fn hold(response: &mut Response, place: &Place) {
    match place.answer(BoxBody::from(response.take_body())) {
        Ok(held) => response.set_body(Body::from(BoxBody::new(held))),
        Err(small) => response.set_body(Body::from(small)),
    }
}

/// The answer for a problem, and the problem's code.
fn failure(problem: Problem, request_id: &str) -> (Response, Option<ProblemCode>) {
    let code = problem.code;
    (problems::response(problem, request_id), Some(code))
}

/// The request id of a proxy, or a new one.
fn request_id(request: &Request) -> String {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let is_safe = |id: &&str| {
        (1..=128).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    match given.filter(is_safe) {
        Some(id) => id.to_owned(),
        None => new_request_id(),
    }
}

fn new_request_id() -> String {
    format!("{:016x}", rand::rng().random::<u64>())
}

/// Serves `/api/…/` and `/health/` like the path without the slash, because front ends written for FastAPI call them
/// so. A redirect would lose the body of a POST, or the token. Other paths stay as they are: otherwise `/mcp/` would
/// be a way around a proxy's rule for `/mcp`.
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
