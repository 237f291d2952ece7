//! The caller: who sent the request, and the right to act for them.
//!
//! [`Caller`] is the only way from a request to a [`Scope`]: an operation that does not ask for it
//! has no tasks to touch.

use std::{fmt, marker::PhantomData, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use poem::{
    Request, RequestBody,
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::{
    auth::{Identity, Scopes, TokenFault, UserId, Verifier, bearer},
    contract::{
        Problem, into_poem,
        registry::{MetaSecurityScheme, Registry},
    },
    store::{Database, Scope},
};

/// What stands between a request and the tasks.
pub struct Gate {
    verifier: Verifier,
    database: Database,
    limiter: Option<(Limiter, RateLimit)>,
}

type Limiter = RateLimiter<UserId, DefaultKeyedStateStore<UserId>, DefaultClock>;

/// How many requests a user may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per second that can be kept up.
    pub per_second: NonZeroU32,
    /// Requests at once, after a pause.
    pub burst: NonZeroU32,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate to the tasks in `database` for the tokens that `verifier` accepts.
    pub fn new(verifier: Verifier, database: Database, limit: Option<RateLimit>) -> Self {
        let limiter = limit.map(|limit| {
            let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
            (RateLimiter::keyed(quota), limit)
        });
        Self {
            verifier,
            database,
            limiter,
        }
    }

    /// Forgets users who have not sent anything for a while; to be called now and then.
    pub fn forget_idle_users(&self) {
        if let Some((limiter, _)) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Judges the token of a request, and counts the request.
    ///
    /// # Errors
    /// 401, 429; 503 while the keys for the token are not there.
    pub(crate) async fn admit(self: &Arc<Self>, request: &Request) -> Result<Admitted, Problem> {
        let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
        let header = headers.next().map(HeaderValue::as_bytes);
        if headers.next().is_some() {
            let detail = "The request has more than one Authorization header; send one.";
            return Err(unauthorized("authorization_malformed", detail));
        }
        let token = bearer(header).map_err(refused)?;
        let identity = self.verifier.verify(token).await.map_err(refused)?;
        self.count(&identity.user_id, NonZeroU32::MIN, Duration::ZERO)?;
        Ok(Admitted {
            gate: Arc::clone(self),
            identity,
        })
    }

    /// Counts requests of a user. Whoever has sent too many is told to wait until they can be counted, and for
    /// a while more.
    fn count(&self, user: &UserId, requests: NonZeroU32, more: Duration) -> Result<(), Problem> {
        let Some((limiter, _)) = &self.limiter else {
            return Ok(());
        };
        let Ok(counted) = limiter.check_key_n(user, requests) else {
            // More than may ever come at once, which nobody asks for: see `Admitted::count`.
            return Err(Problem::internal());
        };
        counted.map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now()) + more;
            // Whole seconds, rounded up: a client that waits so long gets through.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail = format!("You have sent too many requests; go on in {seconds} s.");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).retry_after(seconds)
        })
    }
}

/// Somebody whose token was verified, and who has not said yet what for.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    gate: Arc<Gate>,
    identity: Arc<Identity>,
}

impl Admitted {
    /// The sender as one who may do this with the tasks.
    ///
    /// # Errors
    /// 403 if the token's scopes do not allow it.
    pub(crate) fn caller<A: Access>(&self) -> Result<Caller<A>, Problem> {
        if !A::allowed(self.identity.scopes) {
            return Err(insufficient_scope(A::SCOPE));
        }
        Ok(Caller {
            identity: Arc::clone(&self.identity),
            scope: self.gate.database.scope(self.identity.user_id.clone()),
            access: PhantomData,
        })
    }

    /// Counts more requests than the one that was admitted, for one that does the work of several; with it never
    /// more than may come at once, so that it can be done at all.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn count(&self, more: u32) -> Result<(), Problem> {
        let Some((_, RateLimit { per_second, burst })) = &self.gate.limiter else {
            return Ok(());
        };
        let Some(more) = NonZeroU32::new(more.min(burst.get() - 1)) else {
            return Ok(());
        };
        // The next try has to be admitted as well.
        let one = Duration::from_secs(1) / per_second.get();
        self.gate.count(&self.identity.user_id, more, one)
    }
}

fn refused(fault: TokenFault) -> Problem {
    if fault.code == "keys_unavailable" {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, fault.code, fault.detail)
            .retry_after(1);
    }
    unauthorized(fault.code, &fault.detail)
}

/// 401 with the challenge of RFC 6750 §3.
fn unauthorized(code: &'static str, detail: &str) -> Problem {
    let challenge = match code {
        "token_missing" => r#"Bearer realm="taskward""#.to_owned(),
        _ => format!(
            r#"Bearer realm="taskward", error="invalid_token", error_description="{}""#,
            quotable(detail)
        ),
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")),
    )
}

/// Only what RFC 6750 §3 allows in an `error_description`.
fn quotable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\'' })
        .collect()
}

/// What an operation does with the tasks, and so which scope a token must have for it.
pub trait Access: Send + Sync + 'static {
    /// The scope, for messages.
    const SCOPE: &'static str;
    /// Whether scopes allow it.
    fn allowed(scopes: Scopes) -> bool;
}

/// Reads.
#[derive(Debug)]
pub struct Read;

/// Changes.
#[derive(Debug)]
pub struct Write;

impl Access for Read {
    const SCOPE: &'static str = "tasks:read";

    fn allowed(scopes: Scopes) -> bool {
        scopes.read
    }
}

impl Access for Write {
    const SCOPE: &'static str = "tasks:write";

    fn allowed(scopes: Scopes) -> bool {
        scopes.write
    }
}

/// The sender of a request whose token has been verified and allows `A`.
#[derive(Debug)]
pub struct Caller<A: Access> {
    identity: Arc<Identity>,
    scope: Scope,
    access: PhantomData<A>,
}

impl<A: Access> Caller<A> {
    /// The caller's tasks.
    pub fn tasks(&self) -> &Scope {
        &self.scope
    }

    /// Who the caller is.
    pub fn identity(&self) -> &Identity {
        &self.identity
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
        let gate: &Arc<Gate> = request
            .data()
            .ok_or_else(|| into_poem(Problem::internal()))?;
        let admitted = gate.admit(request).await.map_err(into_poem)?;
        admitted.caller().map_err(into_poem)
    }
}

/// 403 with the challenge of RFC 6750 §3.1.
fn insufficient_scope(scope: &'static str) -> Problem {
    let challenge =
        format!(r#"Bearer realm="taskward", error="insufficient_scope", scope="{scope}""#);
    let detail = format!("The token's `scope` does not have `{scope}`, which this needs.");
    Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")),
    )
}
