//! A stream of events, read as a browser reads it (HTML standard, "Server-sent events").

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::Actor;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: Option<i64>,
    pub data: Value,
}

impl Event {
    /// The whole events of a text. Comments, and blocks without data, are none.
    pub fn all_of(text: &str) -> Vec<Self> {
        let end = text.rfind("\n\n").map_or(0, |end| end + 2);
        text[..end].split("\n\n").filter_map(Self::of).collect()
    }

    fn of(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.split_once(": "));
            lines.find_map(|(field, value)| (field == name).then_some(value))
        };
        let data = field("data")?;
        Some(Self {
            name: field("event").unwrap_or("message").to_owned(),
            id: field("id").map(|id| id.parse().expect("a revision")),
            data: serde_json::from_str(data).expect("JSON"),
        })
    }

    /// Why a stream ends, if it does.
    pub fn reason(&self) -> Option<&str> {
        (self.name == "end").then(|| self.data["reason"].as_str().unwrap())
    }
}

/// A stream that is open.
#[derive(Debug)]
pub struct Events {
    pub response: reqwest::Response,
    /// All that has come.
    pub text: String,
    /// How much of it was taken.
    taken: usize,
    rest: Vec<u8>,
}

impl Actor {
    /// Opens a stream from a revision on.
    pub async fn events(&self, since: i64) -> Events {
        let path = format!("/api/v1/events?since={since}");
        let request = self.request(Method::GET, &path);
        Events::open(request).await.expect("a stream")
    }
}

impl Events {
    /// Sends a request for a stream. `Err`: the connection broke, or the answer is no stream.
    pub async fn open(request: RequestBuilder) -> Result<Self, String> {
        let request = request.timeout(Duration::from_secs(600));
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        if status != 200 {
            return Err(format!(
                "{} {}",
                status,
                response.text().await.unwrap_or_default()
            ));
        }
        Ok(Self {
            response,
            text: String::new(),
            taken: 0,
            rest: Vec::new(),
        })
    }

    /// Reads some more. `false` at the end, or when the connection breaks.
    async fn read(&mut self) -> bool {
        let Ok(Some(chunk)) = self.response.chunk().await else {
            return false;
        };
        // A character may be cut.
        self.rest.extend_from_slice(&chunk);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let whole: Vec<u8> = self.rest.drain(..whole).collect();
        self.text.push_str(std::str::from_utf8(&whole).unwrap());
        true
    }

    /// The next event; `None` at the end of the stream, or when the connection breaks. May be dropped before.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.text[self.taken..].find("\n\n") {
                let block = self.text[self.taken..][..end].to_owned();
                self.taken += end + 2;
                if let Some(event) = Event::of(&block) {
                    return Some(event);
                }
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// The next event, which must come within ten seconds.
    #[track_caller]
    pub fn soon(&mut self) -> impl Future<Output = Event> {
        let caller = std::panic::Location::caller();
        async move {
            let next = timeout(Duration::from_secs(10), self.next()).await;
            next.unwrap_or_else(|_| panic!("{caller}: no event"))
                .unwrap_or_else(|| panic!("{caller}: the stream has ended"))
        }
    }

    /// Whether nothing comes for so long. A comment does not count.
    pub async fn is_silent_for(&mut self, time: Duration) -> bool {
        timeout(time, self.next()).await.is_err()
    }

    /// Everything up to the end, which must come in time.
    pub async fn until_the_end(mut self, limit: Duration) -> (Vec<Event>, String) {
        let until = Instant::now() + limit;
        let mut events = Vec::new();
        while let Some(event) = timeout_at(until, self.next()).await.expect("an end") {
            events.push(event);
        }
        (events, self.text)
    }
}
