//! Tells a client that has only the address of the MCP endpoint where to get a token for it: the metadata of a
//! protected resource (RFC 9728), as the MCP specification requires ("Authorization Server Location").

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

/// The metadata changes only when the settings do.
const FIVE_MINUTES: &str = "public, max-age=300";

/// The metadata of the resource. Without one the answer is 404: a document that named no authorization
/// server would send clients looking for one here.
pub fn metadata(resource: Option<&Resource>) -> BoxEndpoint<'static, Response> {
    match resource {
        Some(resource) => {
            let metadata = format!("{:#}\n", resource.metadata());
            document(move || metadata.clone(), "application/json")
                .with(SetHeader::new().overriding(CACHE_CONTROL, FIVE_MINUTES))
                .boxed()
        }
        None => make(|_| not_found()).boxed(),
    }
}

async fn not_found() -> Result<Response> {
    let detail = "This server has no authorization server. Send a token that you already have in the header \
                  Authorization. The operator can set PUBLIC_URL and an issuer that signs tokens for PUBLIC_URL/mcp: \
                  BETTER_AUTH_URL, or AUTH_ISSUER with AUTH_AUDIENCE and AUTH_JWKS_URL.";
    let problem = Problem::new(ProblemCode::NoAuthorizationServer, detail);
    Err(into_poem(problem))
}
