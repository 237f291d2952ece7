//! Every error of every path as a problem, the framework's own included.

use poem::{
    Error, IntoResponse, Response,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderValue, Method, StatusCode, header},
};
use serde_json::Value;

use crate::{api, contract::Problem};

/// Which methods each path of the contract has, for `Allow`.
pub(super) struct AllowedMethods(Vec<(Vec<String>, String)>);

impl AllowedMethods {
    /// Reads them from the document.
    pub(super) fn of(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let entry = |(path, operations): (&String, &Value)| {
            let mut methods: Vec<String> = operations
                .as_object()
                .into_iter()
                .flatten()
                .map(|(method, _)| method.to_ascii_uppercase())
                .collect();
            if methods.iter().any(|method| method == "GET") {
                methods.push("HEAD".to_owned());
            }
            methods.push("OPTIONS".to_owned());
            (
                path.split('/').map(str::to_owned).collect(),
                methods.join(", "),
            )
        };
        Self(paths.map(entry).collect())
    }

    fn methods(&self, path: &str) -> Option<&str> {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &[String]| {
            pattern.len() == segments.len()
                && pattern
                    .iter()
                    .zip(&segments)
                    .all(|(p, s)| p == s || p.starts_with('{'))
        };
        self.0
            .iter()
            .find(|(pattern, _)| fits(pattern))
            .map(|(_, methods)| methods.as_str())
    }

    /// The problem that an error is. `Err`: it is none, and this is the answer.
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
            let detail = format!("There is nothing at {path}; /openapi.json lists what there is.");
            return Ok(Problem::new(
                StatusCode::NOT_FOUND,
                "route_not_found",
                detail,
            ));
        }
        if error.is::<MethodNotAllowedError>() {
            let fixed = error.data::<api::AllowHeader>().map(|allowed| allowed.0);
            let allowed = fixed
                .or_else(|| self.methods(path))
                .unwrap_or("GET, HEAD, OPTIONS");
            return method_not_allowed(method, path, allowed);
        }
        let status = error.status();
        if status.is_client_error() {
            return Ok(Problem::new(status, "bad_request", error.to_string()));
        }
        tracing::error!(%error, "an operation failed");
        Ok(Problem::internal())
    }
}

/// 405 (RFC 9110 §15.5.6), but OPTIONS is answered with what can be done (§9.3.7).
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
    let detail = format!("{path} does not take {method}; it takes {allowed}.");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    Ok(problem.header(header::ALLOW, allow))
}

/// The answer that a problem is.
pub(super) fn response(problem: Problem, request_id: &str) -> Response {
    let (status, headers) = (problem.status, problem.headers.clone());
    let body = serde_json::to_vec(&problem.into_detail(request_id)).unwrap_or_default();
    let mut response = Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .body(body);
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    response
}
