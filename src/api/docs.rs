//! Swagger UI from embedded files, and the documents it shows. `docs/update` fetches a new Swagger UI.

use poem::{
    Endpoint, EndpointExt, Request, Response, Result, Route,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY},
    },
    middleware::SetHeader,
};

use super::fixed::Fixed;

#[cfg(test)]
mod tests;

/// The page may run, show and request this server's own files only (CSP level 3). Swagger UI's icons are `data:`
/// images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const VERSION: &str = include_str!("docs/version");
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Swagger UI, to be nested at `/docs`: the page is at `/docs/`, and `/docs` leads there.
///
/// It shows `../openapi.json`. Browsers cache Swagger UI's own files for ever, since their addresses contain its
/// version; they revalidate the others each time by ETag.
pub fn docs() -> impl Endpoint {
    let swagger_ui = |gzip, content_type| Fixed::compressed(gzip, content_type).immutable();
    let page = Fixed::new(
        || include_str!("docs/index.html").replace("{version}", VERSION),
        HTML,
    );
    let versioned = Route::new()
        .at(
            "/swagger-ui-bundle.js",
            swagger_ui(include_bytes!("docs/swagger-ui-bundle.js.gz"), SCRIPT),
        )
        .at(
            "/swagger-ui.css",
            swagger_ui(include_bytes!("docs/swagger-ui.css.gz"), STYLE),
        )
        .at(
            "/swagger-ui-bundle.js.LICENSE.txt",
            text(
                include_str!("docs/swagger-ui-bundle.js.LICENSE.txt"),
                "text/plain",
            ),
        );
    Route::new()
        .at("/", page.around(with_slash))
        .at("/init.js", text(include_str!("docs/init.js"), SCRIPT))
        .at("/style.css", text(include_str!("docs/style.css"), STYLE))
        .at(
            "/favicon.svg",
            text(include_str!("docs/favicon.svg"), "image/svg+xml"),
        )
        .nest(format!("/{VERSION}"), versioned)
        .with(
            SetHeader::new()
                .overriding(CONTENT_SECURITY_POLICY, POLICY)
                .overriding(REFERRER_POLICY, "no-referrer"),
        )
}

/// Describes the service to language models that have only its address (llmstxt.org).
pub fn for_language_models() -> impl Endpoint {
    text(include_str!("docs/llms.txt"), "text/plain; charset=utf-8")
}

fn text(text: &'static str, content_type: &'static str) -> impl Endpoint {
    Fixed::new(move || text.to_owned(), content_type)
}

/// A fixed text that is made when it is first asked for, such as the OpenAPI document, with an entity tag, 304 and
/// compression.
pub fn document(
    make: impl Fn() -> String + Send + Sync + 'static,
    content_type: &'static str,
) -> impl Endpoint {
    Fixed::new(make, content_type)
}

/// The page links to its files by relative addresses, so its own address must end in a slash.
async fn with_slash(page: std::sync::Arc<Fixed>, request: Request) -> Result<Response> {
    let path = request.original_uri().path();
    if path.ends_with('/') {
        return page.call(request).await;
    }
    // Also relative, so that it is right under any prefix that a proxy adds.
    let name = path.rsplit('/').next().unwrap_or_default();
    let answer = Response::builder().status(StatusCode::TEMPORARY_REDIRECT);
    Ok(answer.header(LOCATION, format!("{name}/")).finish())
}
