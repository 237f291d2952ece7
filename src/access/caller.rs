//! The caller: who sent the request, and the right to act for them.

use std::{marker::PhantomData, sync::Arc};

use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::Authenticator;
use crate::{
    auth::{Identity, Scopes},
    contract::{
        Problem, into_poem,
        registry::{MetaSecurityScheme, Registry},
    },
    store::Scope,
};

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
    pub(super) identity: Arc<Identity>,
    pub(super) scope: Scope,
    pub(super) access: PhantomData<A>,
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
        let authenticator: &Arc<Authenticator> = request
            .data()
            .ok_or_else(|| into_poem(Problem::internal()))?;
        let authenticated = authenticator
            .authenticate(request)
            .await
            .map_err(into_poem)?;
        authenticated.caller().map_err(into_poem)
    }
}
