//! TLS for what this server asks of others: key sets, and collectors of telemetry.

use std::{net::IpAddr, sync::Arc};

use anyhow::Context as _;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::{Host, Url};

/// The configuration for a URL. It names the provider, so that no process-wide default is needed. Plain http needs no
/// certificates, so a container without any can use it.
///
/// # Errors
/// If https is wanted where no root certificates are.
pub(crate) fn client(url: &Url) -> anyhow::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(match url.scheme() {
        "https" => builder
            .with_platform_verifier()
            .context("cannot find root certificates")?,
        _ => builder.with_root_certificates(RootCertStore::empty()),
    }
    .with_no_client_auth())
}

/// Whether the host of a URL is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
