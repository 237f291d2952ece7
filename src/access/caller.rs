//! The caller: who sent the request, and the right to act for them.

use std::{sync::Arc, time::Duration};

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::{Authenticated, Authenticator, NoTurn, Price, RateLimit, store_problem};
use crate::{
    auth::{Identity, Scopes},
    contract::{
        Problem, into_poem,
        registry::{MetaSecurityScheme, Registry},
    },
    in_flight::StreamPlace,
    store::{Read, ReadWrite, Scope, ScopeKind, StoreError, Write},
};

/// What an operation does with the tasks, and so which OAuth scopes its token needs.
pub trait Access: ScopeKind {
    /// The scopes, all of which are needed.
    const SCOPES: Scopes;
}

impl Access for Read {
    const SCOPES: Scopes = Scopes {
        read: true,
        write: false,
    };
}

impl Access for Write {
    const SCOPES: Scopes = Scopes {
        read: false,
        write: true,
    };
}

impl Access for ReadWrite {
    const SCOPES: Scopes = Scopes::ALL;
}

/// The sender of a request, whose token was verified and has the scopes for `A`.
#[derive(Debug)]
pub struct Caller<A> {
    pub(super) authenticated: Authenticated,
    pub(super) scope: Scope<A>,
}

impl<A: Access> Caller<A> {
    /// The sender of a request.
    ///
    /// # Errors
    /// As of [`Authenticator::authenticate`]; 403 if the token's scopes do not allow `A`.
    pub(crate) async fn of(request: &Request) -> Result<Self, Problem> {
        let authenticator: &Arc<Authenticator> = request.data().ok_or_else(Problem::internal)?;
        authenticator.authenticate(request).await?.caller()
    }

    /// The way to the caller's data.
    pub fn scope(&self) -> &Scope<A> {
        &self.scope
    }

    /// Waits, in the middle of an answer, until the rate limit has room for all that was read for the caller.
    pub(crate) async fn paid(&self) {
        self.authenticated.paid().await;
    }

    /// Reads a further page in the middle of an answer when it is the user's turn, to its end, also if the client goes away
    /// before.
    ///
    /// # Errors
    /// [`NoTurn`], and then nothing was done.
    pub(crate) fn in_next_turn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, NoTurn>> + Send + use<'_, T, F, A> {
        self.authenticated.in_next_turn(work)
    }

    /// Takes a place among the streams of the caller.
    ///
    /// # Errors
    /// 429 if the caller has as many as one may have.
    pub(crate) fn stream(&self) -> Result<StreamPlace, Problem> {
        self.authenticated.stream()
    }

    /// For how long the caller's token is still good; zero once it has expired.
    pub(crate) fn time_left(&self) -> Duration {
        self.authenticated.time_left()
    }

    /// Waits until the caller's token is known to be revoked. May be dropped before.
    pub(crate) fn revoked(&self) -> impl Future<Output = ()> + use<A> {
        let authenticated = self.authenticated.clone();
        async move { authenticated.revoked().await }
    }

    /// Waits for a turn, charges the price, and does what needs the turn, to its end, also if the client goes away before.
    ///
    /// # Errors
    /// 429 if the user has too much in flight for too long, or is over the rate limit by then.
    pub(crate) fn in_turn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        price: Price,
        work: F,
    ) -> impl Future<Output = Result<T, Problem>> + Send + use<'_, T, F, A> {
        self.authenticated.in_turn(price, work)
    }

    /// How many requests the caller may send; `None`: as many as they like.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        self.authenticated.rate_limit()
    }

    /// Who the caller is.
    pub fn identity(&self) -> &Identity {
        self.authenticated.identity()
    }
}

impl Caller<Write> {
    /// The same caller for an operation that turns out to show a task that it does not write.
    ///
    /// # Errors
    /// 403 if the token may not read.
    pub(crate) fn reading(&self) -> Result<Caller<ReadWrite>, Problem> {
        self.authenticated.caller()
    }

    /// What an error of the store means to this client. With 412, and for a uid that is taken, the task is shown as it
    /// is now, if the token may read it.
    pub(crate) fn problem(&self, error: StoreError) -> Problem {
        self.problem_of(error, "If-Match")
    }

    /// The same for an operation of a batch, which says by `if_version` which version it expects.
    pub(crate) fn problem_in_batch(&self, error: StoreError) -> Problem {
        self.problem_of(error, "`if_version`")
    }

    fn problem_of(&self, error: StoreError, condition: &str) -> Problem {
        match (error, self.reading()) {
            (StoreError::Changed(task), Ok(reader)) => {
                let current = reader.scope().tasks().show(&task);
                store_problem::changed(&task, Some(current), condition)
            }
            (StoreError::UidTaken(task), Ok(reader)) => {
                store_problem::uid_taken(&task, Some(reader.scope().tasks().show(&task)))
            }
            (StoreError::Changed(task), Err(_)) => store_problem::changed(&task, None, condition),
            (error, _) => store_problem::problem(error),
        }
    }
}

/// The name of the scheme in the contract.
const SCHEME: &str = "bearer";

impl<'a, A: Access> ApiExtractor<'a> for Caller<A> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "http",
                description: Some(
                    "A JWT of an issuer that this server trusts. With Better Auth: `authClient.token()`.",
                ),
                name: None,
                key_in: None,
                scheme: Some("bearer"),
                bearer_format: Some("JWT"),
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Self::of(request).await.map_err(into_poem)
    }
}
