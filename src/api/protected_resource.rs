//! How a client that has only the address of the MCP endpoint gets a token for it: the metadata of a
//! protected resource (RFC 9728), as the MCP specification asks ("Authorization Server Location").

use poem::{
    EndpointExt, Response, Result,
    endpoint::{BoxEndpoint, make},
    http::header::CACHE_CONTROL,
    middleware::SetHeader,
};

use super::docs::document;
use crate::{
    auth::Resource,
    contract::{Problem, ProblemCode, into_poem},
};

/// The metadata changes with the settings only, and then clients are told the new one by the next 401.
const FIVE_MINUTES: &str = "public, max-age=300";

/// The metadata of the resource. Without one the answer is 404: a document that named no authorization
/// server would send clients looking for one here.
pub fn metadata(resource: Option<&Resource>) -> BoxEndpoint<'static, Response> {
    match resource {
        Some(resource) => document(format!("{:#}\n", resource.metadata()), "application/json")
            .with(SetHeader::new().overriding(CACHE_CONTROL, FIVE_MINUTES))
            .boxed(),
        None => make(|_| nothing()).boxed(),
    }
}

async fn nothing() -> Result<Response> {
    let detail = "No authorization server is known for this server, so send a token that you have in the header \
                  Authorization. Who runs it sets PUBLIC_URL and an issuer that signs tokens for PUBLIC_URL/mcp: \
                  BETTER_AUTH_URL, or AUTH_ISSUER with AUTH_AUDIENCE and AUTH_JWKS_URL.";
    let problem = Problem::new(ProblemCode::NoAuthorizationServer, detail);
    Err(into_poem(problem))
}
