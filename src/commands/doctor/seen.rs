//! Asks a server what it sees of a request.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use taskward::{
    app::probe::{CLAIM, PATH},
    check::CHECK_LIMIT,
    unicode::escaped,
};

/// An address for documentation (RFC 5737), which no client has.
const CLAIMED: &str = "203.0.113.79";
/// A host that does not take the connection within this is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// No answer of Taskward that is looked at is longer; more of another server is not kept.
pub(crate) const MOST_BYTES: usize = 256 << 10;
/// More of a text does not help.
const MOST_CHARACTERS: usize = 1_000;
/// What is left of the time of a check for what is made of the answer.
const LEAVE: Duration = Duration::from_millis(200);

/// What a server says of itself and of the request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Seen {
    pub(super) service: String,
    /// Which process it is.
    pub(super) instance: String,
    pub(super) host: Option<String>,
    pub(super) authorization: bool,
    pub(super) peer_is_trusted: bool,
    pub(super) noted: Noted,
}

/// What the nearest proxy says of where the request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Noted {
    Nothing,
    /// What this client claimed.
    Claim,
    /// Some address.
    Address,
}

/// Why nothing was seen.
#[derive(Debug)]
pub(super) enum Unseen {
    /// Nothing answers: the words of the client, without a URL.
    NoAnswer { why: String, is_refused: bool },
    /// Something else than Taskward answers.
    Other(String),
}

/// A client for one check. `local`: past any proxy of the environment.
///
/// # Errors
/// If the machine has no root certificates.
pub(super) fn client(local: bool) -> Result<Client, String> {
    let builder = Client::builder()
        // Whether it redirects is a part of what is looked for.
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(CHECK_LIMIT - LEAVE)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("taskward-doctor/", env!("CARGO_PKG_VERSION")));
    let builder = match local {
        true => builder.no_proxy(),
        false => builder,
    };
    builder.build().map_err(|error| causes(&error))
}

/// Asks the server at `base`, a URL without a slash at its end.
pub(super) async fn seen(client: &Client, base: &str) -> Result<Seen, Unseen> {
    let request = client
        .get(format!("{base}{PATH}"))
        .header("x-forwarded-for", CLAIMED)
        .header(CLAIM, CLAIMED)
        // No token: the server is only asked whether the header has come.
        .header(header::AUTHORIZATION, "Bearer taskward-doctor");
    let answer = request.send().await.map_err(|error| Unseen::NoAnswer {
        is_refused: error.is_connect(),
        why: causes(&error.without_url()),
    })?;
    let status = answer.status();
    let target = answer.headers().get(header::LOCATION);
    let target = target
        .and_then(|target| target.to_str().ok())
        .map(str::to_owned);
    let text = text_of(answer).await;
    let seen = serde_json::from_str::<Seen>(&text);
    match (status, seen) {
        (StatusCode::OK, Ok(seen)) if seen.service == "taskward" => Ok(seen),
        (status, _) if status.is_redirection() => Err(Unseen::Other(match target {
            Some(target) => format!(
                "it redirects to {}",
                target.chars().take(100).collect::<String>()
            ),
            None => "it redirects".to_owned(),
        })),
        (status, _) => Err(Unseen::Other(format!(
            "it answers {} to {PATH}",
            status.as_u16()
        ))),
    }
}

/// What a server has answered, as far as it is believed to be Taskward: at most so many bytes.
pub(crate) async fn text_of(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_BYTES
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(MOST_BYTES);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of somebody else, of which nothing can steer a terminal, and which cannot be taken for several lines.
pub(crate) fn printable(text: &str) -> String {
    let cut: String = text.chars().take(MOST_CHARACTERS).collect();
    escaped(&cut).into_owned()
}

/// An error with its causes: the first words are seldom the ones that help.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use poem::http;

    use super::*;

    #[test]
    fn what_others_say_is_one_short_line() {
        let hostile = "a\u{1b}]0;x\u{7}\nok \u{202e}b";
        assert_eq!(printable(hostile), r"a\u{1b}]0;x\u{7}\u{a}ok \u{202e}b");
        assert_eq!(printable("Größe 1 😀"), "Größe 1 😀");
        assert_eq!(printable(&"x".repeat(5_000)).len(), MOST_CHARACTERS);
    }

    #[tokio::test]
    async fn of_a_long_answer_the_beginning_is_kept() {
        let long = http::Response::new(vec![b'x'; 3 * MOST_BYTES]);
        assert_eq!(text_of(long.into()).await.len(), MOST_BYTES);
    }
}
