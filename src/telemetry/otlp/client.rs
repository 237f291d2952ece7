//! Sends one message to a collector.

use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, StatusCode, header};
use prost::Message;
use reqwest::redirect::Policy;
use thiserror::Error;
use url::Url;

use crate::{telemetry::Collector, tls};

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The first and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Sends messages to one URL.
#[derive(Debug)]
pub(super) struct Client {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    failures: u32,
}

/// Why a message was not taken.
#[derive(Debug, Error)]
pub(super) enum Unsent {
    /// It can be sent again.
    #[error("{0}")]
    NotNow(String),
    /// It would not be taken at another time either.
    #[error("the collector answered {0}")]
    Refused(StatusCode),
}

impl Client {
    pub(super) fn new(url: &Url, collector: &Collector) -> anyhow::Result<Self> {
        let mut client = reqwest::Client::builder()
            .timeout(collector.timeout)
            .redirect(Policy::none())
            .user_agent(concat!("taskward/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls::client(url)?);
        if tls::is_loopback(url) {
            client = client.no_proxy();
        }
        let mut headers: HeaderMap = collector.headers.iter().cloned().collect();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(header::CONTENT_TYPE, protobuf);
        Ok(Self {
            client: client.build()?,
            url: url.clone(),
            headers,
            failures: 0,
        })
    }

    /// Sends a message, and returns the answer.
    ///
    /// # Errors
    /// If the collector is away, or does not take it. `what` names it in the log, which tells the first failure and then
    /// each time that their number has doubled.
    pub(super) async fn send<A: Message + Default>(
        &mut self,
        what: &str,
        message: &impl Message,
    ) -> Result<A, Unsent> {
        let sent = self.try_to_send(message.encode_to_vec()).await;
        match &sent {
            Ok(_) if self.failures > 0 => {
                tracing::info!("the collector takes {what} again");
                self.failures = 0;
            }
            Ok(_) => {}
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures.is_power_of_two() {
                    let failures = self.failures;
                    tracing::warn!(failures, "cannot send {what} to the collector: {why}");
                }
            }
        }
        // An answer that cannot be read says nothing of what was refused.
        sent.map(|answer| A::decode(&*answer).unwrap_or_default())
    }

    /// How long to wait before it is tried again.
    pub(super) fn pause(&self) -> Duration {
        let doubled = 1 << self.failures.saturating_sub(1).min(10);
        PAUSES.0.saturating_mul(doubled).min(PAUSES.1)
    }

    async fn try_to_send(&self, body: Vec<u8>) -> Result<Vec<u8>, Unsent> {
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone());
        // With its causes: reqwest's own texts say only that something failed.
        let not_now = |error: reqwest::Error| {
            let error = anyhow::Error::from(error.without_url());
            Unsent::NotNow(format!("{error:#}"))
        };
        let mut answer = request.body(body).send().await.map_err(not_now)?;
        match answer.status() {
            status if status.is_success() => {}
            // Those of the protocol that are worth another try.
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => {
                return Err(Unsent::NotNow(format!("it answered {status}")));
            }
            status => return Err(Unsent::Refused(status)),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(not_now)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Endpoints;

    #[test]
    fn pauses_become_longer_up_to_half_a_minute() {
        let collector = Collector {
            endpoints: Endpoints::default(),
            headers: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        let url = "http://127.0.0.1:4318/v1/traces".parse().unwrap();
        let mut client = Client::new(&url, &collector).unwrap();
        let pauses = [1, 2, 3, 4, 5, 6, 7, 100, u32::MAX].map(|failures| {
            client.failures = failures;
            client.pause().as_secs()
        });
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }
}
