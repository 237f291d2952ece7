//! Turns every error into a problem, those of the framework included, and writes problems as answers.

use poem::{
    Error, IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError},
    http::{HeaderValue, Method, StatusCode, header},
};

use crate::{
    api,
    contract::{Problem, ProblemCode, repeated},
};

/// The paths of the contract.
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
            segments: template.split('/').map(segment).collect(),
            methods: methods.join(", "),
            template,
        }
    }

    fn fits(&self, path: &[&[u8]]) -> bool {
        let fits = |(segment, given): (&Option<String>, &&[u8])| match segment {
            Some(text) => text.as_bytes() == *given,
            None => true,
        };
        self.segments.len() == path.len() && self.segments.iter().zip(path).all(fits)
    }
}

impl Routes {
    /// From the paths of the document, each with its methods.
    pub(super) fn of(paths: Vec<(String, Vec<String>)>) -> Self {
        let mut routes: Vec<Route> = paths.into_iter().map(Route::of).collect();
        // In the router's order: a literal segment comes before a parameter.
        routes.sort_by_key(|route| route.template.matches('{').count());
        Self(routes)
    }

    fn find(&self, path: &str) -> Option<&Route> {
        let segments: Vec<&[u8]> = path.as_bytes().split(|byte| *byte == b'/').collect();
        self.0.iter().find(|route| route.fits(&segments))
    }

    /// The path as the contract writes it, with the names of its parameters.
    pub(super) fn template(&self, path: &str) -> Option<&str> {
        let path = path.strip_suffix('/').unwrap_or(path);
        self.find(path).map(|route| route.template.as_str())
    }

    fn methods(&self, path: &str) -> Option<&str> {
        self.find(path).map(|route| route.methods.as_str())
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
