//! Turns every error into a problem, those of the framework included, and writes problems as answers.

use poem::{
    Error, IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError},
    http::{HeaderValue, Method, StatusCode, header},
};

use super::probe;
use crate::{
    api,
    contract::{Problem, ProblemCode, repeated},
};

/// The paths that are served and are no operations of the contract.
const OTHERS: [&str; 10] = [
    "/",
    "/openapi.json",
    "/openapi.yaml",
    "/mcp",
    "/llms.txt",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/docs",
    "/docs/{file}",
    probe::PATH,
];

/// More than any route has.
const MOST_SEGMENTS: usize = 16;

/// The paths of the contract, and the others.
pub(super) struct Routes(Vec<Route>);

struct Route {
    /// The template of the contract: `/api/v1/tasks/{id}`.
    template: String,
    /// Its segments; `None` for a parameter.
    segments: Vec<Option<String>>,
    /// For the header `Allow`.
    methods: String,
}

impl Route {
    fn of((template, methods): (String, Vec<String>)) -> Self {
        let mut methods: Vec<String> = methods
            .iter()
            .map(|method| method.to_ascii_uppercase())
            .collect();
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        methods.push("OPTIONS".to_owned());
        let segment = |text: &str| (!text.starts_with('{')).then(|| text.to_owned());
        Self {
            segments: segments(&template).into_iter().map(segment).collect(),
            methods: methods.join(", "),
            template,
        }
    }

    fn fits(&self, given: &[&str]) -> bool {
        let fits = |(segment, given): (&Option<String>, &&str)| match segment {
            Some(text) => text == given,
            None => true,
        };
        // From the end, because most paths begin alike.
        self.segments.len() == given.len() && self.segments.iter().zip(given).rev().all(fits)
    }
}

/// The segments of a path, as far as a route may have them. A client can send thousands.
fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::with_capacity(MOST_SEGMENTS);
    segments.extend(without_slash(path).split('/').take(MOST_SEGMENTS));
    segments
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

impl Routes {
    /// From the paths of the document, each with its methods, and those that are not in it.
    pub(super) fn of(paths: Vec<(String, Vec<String>)>) -> Self {
        let others = OTHERS.iter().map(|path| ((*path).to_owned(), Vec::new()));
        let mut routes: Vec<Route> = paths.into_iter().chain(others).map(Route::of).collect();
        // In the router's order: a literal segment comes before a parameter.
        routes.sort_by_key(|route| route.template.matches('{').count());
        Self(routes)
    }

    /// The place of the route of a path among all routes.
    pub(super) fn place(&self, path: &str) -> Option<usize> {
        let given = segments(path);
        self.0.iter().position(|route| route.fits(&given))
    }

    /// The paths as the contract writes them, with the names of their parameters.
    pub(super) fn templates(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|route| route.template.as_str())
    }

    /// The path of the route in this place.
    pub(super) fn template(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(|route| route.template.as_str())
    }

    fn methods(&self, path: &str) -> Option<&str> {
        let given = segments(path);
        let route = self.0.iter().find(|route| route.fits(&given))?;
        Some(route.methods.as_str()).filter(|_| !OTHERS.contains(&&*route.template))
    }

    /// The problem for an error. `Err` has the answer to an OPTIONS request, which is not a problem.
    pub(super) fn problem(
        &self,
        error: Error,
        method: &Method,
        path: &str,
    ) -> Result<Problem, Box<Response>> {
        let error = match error.downcast::<Problem>() {
            Ok(problem) => return Ok(problem),
            Err(error) => error,
        };
        if error.is::<NotFoundError>() {
            let path = repeated(path);
            let detail = format!(
                "There is nothing at {path}; the document openapi.json of this server lists all operations."
            );
            return Ok(Problem::new(ProblemCode::RouteNotFound, detail));
        }
        if error.is::<MethodNotAllowedError>() {
            let fixed = error.data::<api::AllowHeader>().map(|allowed| allowed.0);
            let allowed = fixed
                .or_else(|| self.methods(path))
                .unwrap_or("GET, HEAD, OPTIONS");
            return method_not_allowed(method, path, allowed);
        }
        if error.is::<ParsePathError>() {
            let detail = "The path of the request must be percent-encoded UTF-8.";
            return Ok(Problem::new(ProblemCode::BadRequest, detail));
        }
        if error.status().is_client_error() {
            // No such error is known today. The text is the framework's, so only the log gets it.
            tracing::warn!(%error, "the framework refused a request");
            let detail = "The request cannot be understood.";
            return Ok(Problem::new(ProblemCode::BadRequest, detail));
        }
        tracing::error!(%error, "an operation failed");
        Ok(Problem::internal())
    }
}

/// 405 (RFC 9110 §15.5.6); for OPTIONS, 204 with `Allow` (§9.3.7).
fn method_not_allowed(
    method: &Method,
    path: &str,
    allowed: &str,
) -> Result<Problem, Box<Response>> {
    let allow = HeaderValue::from_str(allowed).unwrap_or(HeaderValue::from_static("GET"));
    if method == Method::OPTIONS {
        let answer = StatusCode::NO_CONTENT.with_header(header::ALLOW, allow);
        return Err(Box::new(answer.into_response()));
    }
    let detail = format!(
        "{} does not support {method}; it supports {allowed}.",
        repeated(path)
    );
    let problem = Problem::new(ProblemCode::MethodNotAllowed, detail);
    Ok(problem.header(header::ALLOW, allow))
}

/// The response for a problem.
pub(super) fn response(mut problem: Problem, request_id: &str) -> Response {
    let status = problem.status();
    let challenge = problem.challenge.take();
    let headers = std::mem::take(&mut problem.headers);
    let body = serde_json::to_vec(&problem.into_detail(request_id)).unwrap_or_default();
    let mut response = Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .body(body);
    if let Some(challenge) = challenge {
        let challenge = challenge.to_header();
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    response
}
