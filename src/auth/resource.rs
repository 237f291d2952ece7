//! The MCP endpoint as a protected resource of OAuth (RFC 9728), for which another server issues tokens.

use serde_json::{Value, json};
use url::Url;

use super::{
    identity::Scopes,
    settings::{KeySource, TrustedIssuer},
};

/// Where a protected resource describes itself (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The MCP endpoint, and the issuers whose tokens for it are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The address of the server, without a slash at its end.
    base: String,
    authorization_servers: Vec<String>,
}

impl Resource {
    /// The resource at this public address; `None` if none of the issuers signs tokens for it, and so
    /// nobody could say where to get one.
    pub fn new(public_url: &Url, trusted: &[TrustedIssuer]) -> Option<Self> {
        let base = without_slash(public_url).to_owned();
        let id = Self::id_at(public_url);
        let mut authorization_servers: Vec<String> = Vec::new();
        for TrustedIssuer {
            rule: _,
            issuer,
            audiences,
            keys,
            namespace: _,
        } in trusted
        {
            // RFC 8414 §2: an issuer that can be asked for its metadata is a URL, and publishes its keys.
            let issuer = issuer.as_ref().filter(|issuer| is_web_url(issuer));
            if let (Some(issuer), KeySource::Jwks(_)) = (issuer, keys)
                && audiences.contains(&id)
                && !authorization_servers.contains(issuer)
            {
                authorization_servers.push(issuer.clone());
            }
        }
        (!authorization_servers.is_empty()).then_some(Self {
            base,
            authorization_servers,
        })
    }

    /// The identifier of the resource at a public address (RFC 8707 §2): the audience that its tokens
    /// must have, and the address that its clients connect to.
    pub fn id_at(public_url: &Url) -> String {
        format!("{}/mcp", without_slash(public_url))
    }

    /// Where its metadata can be fetched. Below the public address and not, as RFC 9728 §3.1 builds
    /// it, above its path: behind a proxy with a prefix only what is below reaches this server.
    /// Clients are told the address (§5.1), and need not build it.
    pub fn metadata_url(&self) -> String {
        format!("{}{WELL_KNOWN}/mcp", self.base)
    }

    /// Its metadata (RFC 9728 §2).
    pub fn metadata(&self) -> Value {
        let Self {
            base,
            authorization_servers,
        } = self;
        json!({
            "resource": format!("{base}/mcp"),
            "authorization_servers": authorization_servers,
            "scopes_supported": Scopes::ALL.names(),
            "bearer_methods_supported": ["header"],
            "resource_name": "Taskward",
            "resource_documentation": format!("{base}/llms.txt"),
        })
    }
}

fn without_slash(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
