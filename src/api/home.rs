//! What is at `/`: Swagger UI, or a page with links, for people with a browser. Programs get a 404 that says where the
//! contract is.

use poem::{
    Endpoint, IntoEndpoint, IntoResponse, Request, Response, Result,
    http::{
        Method, StatusCode,
        header::{ACCEPT, CONTENT_SECURITY_POLICY, LOCATION},
    },
};

/// The page of a server without Swagger UI.
const PAGE: &str = include_str!("home.html");

/// Redirects browsers from `/` to Swagger UI, or shows the page with links if there is no Swagger UI. All other requests go to
/// the inner endpoint. (A route `/` would not do: poem's router prefers the endpoint that is nested there.)
pub struct Home<E> {
    inner: E,
    has_docs: bool,
}

impl<E: Endpoint> Home<E> {
    /// `has_docs`: whether Swagger UI is served.
    pub fn before(inner: impl IntoEndpoint<Endpoint = E>, has_docs: bool) -> Self {
        Self {
            inner: inner.into_endpoint(),
            has_docs,
        }
    }
}

impl<E: Endpoint> Endpoint for Home<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if request.uri().path() != "/" || !reads || !wants_html(&request) {
            return self
                .inner
                .call(request)
                .await
                .map(IntoResponse::into_response);
        }
        if self.has_docs {
            let answer = Response::builder().status(StatusCode::TEMPORARY_REDIRECT);
            return Ok(answer.header(LOCATION, "/docs/").finish());
        }
        let policy = "default-src 'none'; frame-ancestors 'none'";
        let answer = Response::builder().content_type("text/html; charset=utf-8");
        Ok(answer.header(CONTENT_SECURITY_POLICY, policy).body(PAGE))
    }
}

/// Whether the client names HTML among what it accepts, as every browser does. `*/*` does not count.
fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get_all(ACCEPT).iter();
    let mut ranges = accept
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges.any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts
            .next()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        is_html && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use poem::{Route, test::TestClient};

    use super::*;

    /// What Chromium sends.
    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    async fn asked(has_docs: bool, accept: &str) -> poem::test::TestResponse {
        let client = TestClient::new(Home::before(Route::new(), has_docs));
        client.get("/").header(ACCEPT, accept).send().await
    }

    #[tokio::test]
    async fn browsers_are_redirected_and_programs_are_not() {
        let answer = asked(true, BROWSER).await;
        answer.assert_status(StatusCode::TEMPORARY_REDIRECT);
        answer.assert_header(LOCATION, "/docs/");
        for accept in ["*/*", "application/json", "text/html;q=0, */*", ""] {
            asked(true, accept)
                .await
                .assert_status(StatusCode::NOT_FOUND);
            asked(false, accept)
                .await
                .assert_status(StatusCode::NOT_FOUND);
        }
        let answer = asked(false, BROWSER).await;
        answer.assert_status_is_ok();
        let page = answer.0.into_body().into_string().await.unwrap();
        assert!(page.contains("openapi.json") && !page.contains("docs/"));
        let client = TestClient::new(Home::before(Route::new(), true));
        let post = client.post("/").header(ACCEPT, BROWSER).send().await;
        post.assert_status(StatusCode::NOT_FOUND);
    }
}
