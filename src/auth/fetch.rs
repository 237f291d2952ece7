//! Fetching a key set over HTTP, within bounds.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, DATE},
    redirect::Policy,
};
use url::Url;

use crate::tls::{self, is_loopback};

/// For the whole fetch, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// In bytes. 64 RSA keys of 4096 bits with certificates fit.
const MAX_BODY: usize = 256 * 1024;
const MAX_REDIRECTS: usize = 3;

/// Fetches one URL.
pub(super) struct Fetcher {
    client: Client,
    url: Url,
}

impl Fetcher {
    /// # Errors
    /// For a scheme other than http and https, and if https is wanted where no root certificates are.
    pub(super) fn new(url: Url) -> anyhow::Result<Fetcher> {
        ensure!(
            matches!(url.scheme(), "http" | "https"),
            "a key set must have an http or https URL"
        );
        if url.scheme() == "http" && !is_loopback(&url) {
            tracing::warn!("key set is fetched without TLS: only right within a private network");
        }
        let mut client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(same_origin())
            // One request in minutes: a kept connection would be stale when it is wanted.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("taskward/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls::client(&url)?);
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        Ok(Fetcher {
            client: client.build().context("cannot make an HTTP client")?,
            url,
        })
    }

    /// Fetches it once.
    pub(super) async fn fetch(&self) -> anyhow::Result<Fetched> {
        let request = self
            .client
            .get(self.url.clone())
            .header(ACCEPT, "application/json");
        let mut answer = request.send().await.map_err(reqwest::Error::without_url)?;
        if answer.status() != StatusCode::OK {
            bail!("the issuer answered {}", answer.status());
        }
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            ensure!(
                body.len() + chunk.len() <= MAX_BODY,
                "the answer is longer than {MAX_BODY} bytes"
            );
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched {
            body,
            date: date.map(|date| date.to_utc()),
        })
    }
}

/// An answer of the issuer.
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    /// What time it is for the issuer, to the second (RFC 9110 §6.6.1).
    pub(super) date: Option<DateTime<Utc>>,
}

/// Follows redirects within the same origin only: another origin is not the configured issuer.
fn same_origin() -> Policy {
    Policy::custom(|attempt| {
        let same = attempt
            .previous()
            .first()
            .is_some_and(|from| from.origin() == attempt.url().origin());
        match attempt.previous().len() {
            1..=MAX_REDIRECTS if same => attempt.follow(),
            _ => attempt.error("the key set redirects elsewhere"),
        }
    })
}
