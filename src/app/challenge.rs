//! What the MCP endpoint adds to its challenges: where a client gets a token, and for which scopes.

use poem::{Endpoint, Middleware, Request, Result};

use crate::{
    auth::{Resource, Scopes},
    contract::{Challenge, Problem, into_poem},
};

/// Completes the challenges of 401 and 403: the `scope` to ask for, and the place of the metadata of the
/// protected resource (`resource_metadata`, RFC 9728 §5.1).
#[derive(Clone)]
pub(super) struct CompleteChallenge {
    scope: String,
    resource_metadata: Option<String>,
}

impl CompleteChallenge {
    pub(super) fn new(resource: Option<&Resource>) -> Self {
        Self {
            // Always all scopes. A client older than revision 2026-07-28 asks for exactly the scopes of its last
            // challenge: if that named only `tasks:write`, its next token could no longer read.
            scope: Scopes::ALL.names().join(" "),
            resource_metadata: resource.map(Resource::metadata_url),
        }
    }

    fn completed(&self, challenge: Challenge) -> Challenge {
        Challenge {
            scope: Some(self.scope.clone()),
            resource_metadata: self.resource_metadata.clone(),
            ..challenge
        }
    }
}

impl<E: Endpoint> Middleware<E> for CompleteChallenge {
    type Output = Completed<E>;

    fn transform(&self, inner: E) -> Self::Output {
        Completed {
            inner,
            with: self.clone(),
        }
    }
}

/// An endpoint with complete challenges.
pub(super) struct Completed<E> {
    inner: E,
    with: CompleteChallenge,
}

impl<E: Endpoint> Endpoint for Completed<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let answer = self.inner.call(request).await;
        answer.map_err(|error| match error.downcast::<Problem>() {
            Ok(mut problem) => {
                let challenge = problem.challenge.take();
                problem.challenge = challenge.map(|it| Box::new(self.with.completed(*it)));
                into_poem(problem)
            }
            Err(error) => error,
        })
    }
}
