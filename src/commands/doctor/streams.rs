//! Whether event streams arrive at once: some proxies collect an answer until it has some kilobytes.

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use taskward::{
    check::{Check, in_time},
    config::Config,
};

use super::{listener::Listening, public_url::is_here, seen};

const STREAM: &str = "public_url.streams";

pub(super) async fn examine(
    config: &Config,
    listening: &Listening,
    token: Option<&str>,
) -> Vec<Check> {
    let Some(url) = &config.http.public_url else {
        return Vec::new();
    };
    let Listening::Running { base, .. } = listening else {
        return vec![Check::skipped(STREAM, "the server does not run here")];
    };
    let Some(token) = token else {
        let detail = "a stream needs a token of your issuer: give its file as --token-file";
        return vec![Check::skipped(STREAM, detail)];
    };
    let public = url.as_str().trim_end_matches('/');
    let clients = seen::client(true).and_then(|local| Ok((local, seen::client(is_here(url))?)));
    vec![match clients {
        Ok((local, out)) => compare((&local, base), (&out, public), token).await,
        Err(why) => Check::skipped(STREAM, why),
    }]
}

async fn compare(direct: (&Client, &str), public: (&Client, &str), token: &str) -> Check {
    let revision = match revision(direct.0, direct.1, token).await {
        Ok(revision) => revision,
        Err(why) => return Check::skipped(STREAM, format!("this server does not open one: {why}")),
    };
    let ((direct_client, direct_base), (public_client, public_base)) = (direct, public);
    if let Err(why) = second(direct_client, direct_base, revision, token).await {
        return Check::skipped(STREAM, format!("this server does not open one: {why}"));
    }
    match second(public_client, public_base, revision, token).await {
        Ok(()) => Check::ok(STREAM, "what is sent arrives at once"),
        Err(why) => Check::problem(
            STREAM,
            format!(
                "what this server sends after a second does not come through the proxy ({why}): turn off its buffering for \
                 /api/v1/events"
            ),
        ),
    }
}

/// The revision of the user, from which on nothing is to be sent: a stream that begins with kilobytes of changes would
/// arrive even where it is collected.
async fn revision(client: &Client, base: &str, token: &str) -> Result<i64, String> {
    let request = client
        .get(format!("{base}/api/v1/changes?limit=1"))
        .bearer_auth(token);
    let answer = request
        .send()
        .await
        .map_err(|error| seen::causes(&error.without_url()))?;
    let status = answer.status();
    let body: Value = serde_json::from_str(&seen::text_of(answer).await).unwrap_or_default();
    body["next"].as_i64().ok_or_else(|| status.to_string())
}

/// Opens a stream and waits for what comes after its first event.
async fn second(client: &Client, base: &str, since: i64, token: &str) -> Result<(), String> {
    let open = async {
        let request = client
            .get(format!("{base}/api/v1/events?since={since}"))
            .bearer_auth(token);
        let answer = request
            .send()
            .await
            .map_err(|error| seen::causes(&error.without_url()))?;
        read(answer).await
    };
    in_time(STREAM, open).await.map_err(|late| late.detail)?
}

async fn read(mut answer: Response) -> Result<(), String> {
    if answer.status() != StatusCode::OK {
        return Err(format!("it answers {}", answer.status()));
    }
    let mut text = String::new();
    while !has_more(&text) {
        if text.len() > seen::MOST_BYTES {
            return Err("it sends something else than events".to_owned());
        }
        match answer.chunk().await {
            Ok(Some(chunk)) => text.push_str(&String::from_utf8_lossy(&chunk)),
            Ok(None) => return Err("the stream ended".to_owned()),
            Err(error) => return Err(seen::causes(&error.without_url())),
        }
    }
    Ok(())
}

/// Whether something has come after the first event. That one comes with the head, which proxies pass on at once, and what
/// follows a second later may be held back.
fn has_more(text: &str) -> bool {
    text.contains("\n\n:") || text.matches("event: ").count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_head_is_not_enough() {
        let first = "retry: 1000\n\nevent: changes\nid: 3\ndata: {}\n\n";
        assert!(!has_more("") && !has_more(first));
        assert!(has_more(&format!("{first}: still there\n\n")));
        assert!(has_more(&format!(
            "{first}event: changes\nid: 4\ndata: {{}}\n\n"
        )));
    }
}
