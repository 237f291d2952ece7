//! What the MCP endpoint adds to its challenges, by which a client finds out where to get a token and
//! what to ask for.

use poem::{
    Endpoint, Middleware, Request, Result,
    http::{HeaderValue, header::WWW_AUTHENTICATE},
};

use crate::{
    auth::{Resource, Scopes},
    contract::{Problem, into_poem},
};

/// Adds to the Bearer challenges of 401 and 403 the `scope` that a client should ask for, and where to
/// ask (`resource_metadata`, RFC 9728 §5.1).
#[derive(Clone)]
pub(super) struct Challenge {
    parameters: String,
}

impl Challenge {
    pub(super) fn new(resource: Option<&Resource>) -> Self {
        // Always all of them: an agent that may only read cannot do most of what it is asked for, and
        // clients older than 2026-07-28 ask for exactly this, so those that came back for writing would
        // lose reading.
        let mut parameters = format!(r#", scope="{}""#, Scopes::ALL.names().join(" "));
        if let Some(resource) = resource {
            let url = resource.metadata_url();
            parameters.push_str(&format!(r#", resource_metadata="{url}""#));
        }
        Self { parameters }
    }

    fn complete(&self, challenge: &HeaderValue) -> Option<HeaderValue> {
        let text = challenge.to_str().ok()?;
        // The one scope that was missing stands at the end, if there is one.
        let text = text.split(", scope=").next().unwrap_or(text);
        HeaderValue::from_str(&format!("{text}{}", self.parameters)).ok()
    }
}

impl<E: Endpoint> Middleware<E> for Challenge {
    type Output = Challenged<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Challenged {
            inner,
            challenge: self.clone(),
        }
    }
}

/// An endpoint whose challenges are complete.
pub(super) struct Challenged<E> {
    inner: E,
    challenge: Challenge,
}

impl<E: Endpoint> Endpoint for Challenged<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let answer = self.inner.call(request).await;
        answer.map_err(|error| match error.downcast::<Problem>() {
            Ok(mut problem) => {
                let headers = problem.headers.iter_mut();
                for (_, value) in headers.filter(|(name, _)| *name == WWW_AUTHENTICATE) {
                    *value = self
                        .challenge
                        .complete(value)
                        .unwrap_or_else(|| value.clone());
                }
                into_poem(problem)
            }
            Err(error) => error,
        })
    }
}
