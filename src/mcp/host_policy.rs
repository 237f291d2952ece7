//! The host policy of `/mcp`: under which host names it may be called, and by pages of which origins.
//!
//! A page of another site can make a browser send requests here: across origins, or after it rebinds its own name
//! to this server's address. Such a page has no token, and so gets nothing. The specification requires both checks
//! nevertheless (MCP, Streamable HTTP, "Security Warning").

use poem::http::{HeaderMap, HeaderName, header, uri::Authority};
use url::{Host, Url};

use crate::{
    access::AllowedOrigin,
    contract::{Problem, ProblemCode},
};

/// The rules of one server.
pub(super) struct HostPolicy {
    /// `name`, or `name:port`.
    hosts: Vec<String>,
    origins: Vec<AllowedOrigin>,
}

impl HostPolicy {
    /// Allows calls to the host of the public address, to loopback and to `hosts`, by pages of the public address and
    /// of `origins`.
    pub(super) fn new(public: Option<&Url>, hosts: &[String], origins: &[AllowedOrigin]) -> Self {
        let own_host = public.and_then(Url::host_str).map(str::to_ascii_lowercase);
        let own_origin = public.map(|url| AllowedOrigin::Exact(url.origin().ascii_serialization()));
        let named = hosts.iter().map(|host| host.to_ascii_lowercase());
        Self {
            hosts: own_host.into_iter().chain(named).collect(),
            origins: own_origin
                .into_iter()
                .chain(origins.iter().cloned())
                .collect(),
        }
    }

    /// Checks the host that a request names, and the page that it comes from.
    ///
    /// # Errors
    /// 403. It says which setting allows the request.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = text(headers, &header::HOST);
        let authority = host.and_then(|host| host.parse::<Authority>().ok());
        let Some(authority) = authority.filter(|host| self.is_own(host)) else {
            let detail = format!(
                "/mcp is not served under the host `{}`, only under: {}. Set PUBLIC_URL to the address by which \
                 clients reach this server, or add the host to MCP_ALLOWED_HOSTS; a proxy must pass on the header \
                 Host.",
                host.unwrap_or_default(),
                self.hosts_in_words(),
            );
            return Err(Problem::new(ProblemCode::HostNotAllowed, detail));
        };
        let Some(origin) = headers.get(header::ORIGIN) else {
            // Not a browser, or a page of the same origin.
            return Ok(());
        };
        let on_one_machine = is_loopback(authority.host())
            && text(headers, &header::ORIGIN).is_some_and(is_loopback_origin);
        if on_one_machine || self.origins.iter().any(|one| one.allows(origin)) {
            return Ok(());
        }
        let detail =
            "Pages of this origin may not call /mcp. Set CORS_ALLOWED_ORIGINS to allow it.";
        Err(Problem::new(ProblemCode::OriginNotAllowed, detail))
    }

    fn is_own(&self, called: &Authority) -> bool {
        let name = called.host().to_ascii_lowercase();
        let full = called.as_str().to_ascii_lowercase();
        is_loopback(&name) || self.hosts.iter().any(|host| *host == name || *host == full)
    }

    fn hosts_in_words(&self) -> String {
        let mut hosts = self.hosts.clone();
        hosts.push("localhost".to_owned());
        hosts.join(", ")
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether this is a name of the local machine, which no page can rebind.
fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_policy(public: Option<&str>, hosts: &[&str]) -> HostPolicy {
        let public = public.map(|url| url.parse::<Url>().unwrap());
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let origins = [AllowedOrigin::Exact("https://app.example".to_owned())];
        HostPolicy::new(public.as_ref(), &hosts, &origins)
    }

    fn asked(host_policy: &HostPolicy, host: &str, origin: Option<&str>) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        host_policy
            .check(&headers)
            .map_or_else(|problem| problem.code.name(), |()| "in")
    }

    #[test]
    fn only_loopback_is_served_by_default() {
        let host_policy = host_policy(None, &[]);
        for host in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:1",
            "[::1]:8000",
            "127.8.9.1",
            "LOCALHOST",
        ] {
            assert_eq!(asked(&host_policy, host, None), "in", "{host}");
        }
        for host in [
            "example.com",
            "10.0.0.1:8000",
            "localhost.example.com",
            "127.0.0.1.nip.io",
            "[::2]",
            "",
        ] {
            assert_eq!(
                asked(&host_policy, host, None),
                "host_not_allowed",
                "{host}"
            );
        }
    }

    #[test]
    fn the_public_address_and_named_hosts_are_served() {
        let host_policy = host_policy(
            Some("https://Tasks.Example.com/base"),
            &["taskward:8000", "inner"],
        );
        for host in [
            "tasks.example.com",
            "TASKS.example.com:443",
            "taskward:8000",
            "inner",
            "inner:9",
        ] {
            assert_eq!(asked(&host_policy, host, None), "in", "{host}");
        }
        for host in [
            "taskward",
            "taskward:8001",
            "example.com",
            "tasks.example.com.evil.example",
        ] {
            assert_eq!(
                asked(&host_policy, host, None),
                "host_not_allowed",
                "{host}"
            );
        }
    }

    #[test]
    fn pages_need_permission() {
        let host_policy = host_policy(Some("https://tasks.example.com"), &[]);
        let public = "tasks.example.com";
        for origin in ["https://tasks.example.com", "https://app.example"] {
            assert_eq!(asked(&host_policy, public, Some(origin)), "in", "{origin}");
        }
        // A page on the developer's machine may call a server on that machine, and no other.
        for origin in [
            "http://localhost:5173",
            "http://127.0.0.1:6274",
            "http://[::1]:3000",
        ] {
            assert_eq!(
                asked(&host_policy, "localhost:8000", Some(origin)),
                "in",
                "{origin}"
            );
            assert_eq!(
                asked(&host_policy, public, Some(origin)),
                "origin_not_allowed",
                "{origin}"
            );
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "file://",
            "https://app.example/",
            "http://localhost.evil.example",
        ] {
            assert_eq!(
                asked(&host_policy, "localhost:8000", Some(origin)),
                "origin_not_allowed",
                "{origin}"
            );
        }
    }
}
