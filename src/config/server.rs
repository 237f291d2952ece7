//! Where the server listens, and how it stops.

use std::{net::IpAddr, time::Duration};

use url::Url;

use super::{
    Source,
    setting::settings,
    value::{base_url, must_be, number, optional, parsed, seconds},
};

settings! { "Server";
    /// IP address to listen on
    HOST: IpAddr = "127.0.0.1", |text| parsed(text, "an IP address");

    /// port to listen on; 0 takes a free one
    PORT: u16 = "8000", |text| number(text, 0..=65535, "");

    /// public address of this server; agents sign in for PUBLIC_URL/mcp, and may call it by this host
    PUBLIC_URL: Option<Url> = "", |text| optional(text, public_url);

    /// open connections of one address, if it is none of TRUSTED_PROXIES
    MAX_CONNECTIONS_PER_ADDRESS: usize = "1000", |text| number(text, 1..=10_000, "");

    /// seconds to keep accepting requests after SIGTERM while /readyz fails
    SHUTDOWN_DELAY_SECONDS: Duration = "1", |text| seconds(text, 0..=3_600);
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = base_url(text).filter(|url| !url.path().trim_end_matches('/').ends_with("/mcp"));
    let expected = "an http or https URL without query or fragment and without /mcp, like https://tasks.example.com";
    url.ok_or_else(|| must_be(text, expected))
}

/// The address to listen on. Development mode must not be reachable from other machines.
pub(super) fn host(source: &mut Source, is_development: bool) -> IpAddr {
    let host = source.get(&HOST);
    if is_development && !host.is_loopback() {
        source.fault(
            HOST.name,
            format!(
                "is {host}, but no issuer is set: development mode listens on loopback only, because its key is \
                 no secret. Set BETTER_AUTH_URL, AUTH_JWKS_URL or AUTH_HS256_SECRET"
            ),
        );
    }
    host
}
