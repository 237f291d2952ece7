//! What came back. Shown in a snapshot, it hides what differs from run to run, but only after it has
//! checked that the hidden part is what it must be.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use serde_json::Value;
use taskward::contract::ProblemCode;

/// An answer of the server.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as JSON; null if there is none, a string if it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    pub(super) async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let is_stream = headers
            .get("content-type")
            .is_some_and(|value| value == "text/event-stream");
        let text = match is_stream {
            true => until_silent(response).await,
            false => response.text().await.expect("a whole body of UTF-8"),
        };
        let body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text.clone()),
        };
        let answer = Self {
            status,
            headers,
            body,
            text,
        };
        answer.check();
        answer
    }

    /// What holds for every answer.
    fn check(&self) {
        assert!(self.status < 500 || self.status == 503, "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{self:?}");
        if self.header("content-type").contains("json") && !self.headers.contains_key("etag") {
            assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        }
        // The errors of JSON-RPC are its own.
        let is_rpc = self.body["jsonrpc"] == "2.0";
        if is_rpc {
            assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        }
        if self.status >= 400 && !self.text.is_empty() && !is_rpc {
            assert_eq!(
                self.header("content-type"),
                "application/problem+json",
                "{self:?}"
            );
            assert_eq!(self.body["status"], self.status, "{self:?}");
            assert_eq!(
                self.body["request_id"],
                self.header("x-request-id"),
                "{self:?}"
            );
            let code = ProblemCode::ALL
                .iter()
                .find(|code| code.name() == self.code())
                .unwrap_or_else(|| panic!("a code that is not declared: {self:?}"));
            assert_eq!(code.status(), self.status, "{self:?}");
            assert_eq!(self.body["title"], code.title(), "{self:?}");
            assert_eq!(
                self.body["type"],
                format!("urn:taskward:problem:{}", code.name())
            );
        }
        if self.status == 401 {
            assert!(
                self.header("www-authenticate").starts_with("Bearer "),
                "{self:?}"
            );
        }
    }

    /// Compares it with what is expected. `UPDATE_EXPECT=1 cargo test --test it sqlite` rewrites the
    /// expectations (of one database only, as both would write to the same place at once).
    #[track_caller]
    pub fn is(&self, expected: expect_test::Expect) {
        expected.assert_eq(&self.to_string());
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Asserts what kind of problem it is, and gives it on.
    #[track_caller]
    pub fn fails(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self}");
        self
    }

    /// Asserts the status, and gives it on.
    #[track_caller]
    pub fn has(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The faults of a problem, each as where it is and what it is.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.body["errors"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let text = |fault: &Value, name: &str| fault[name].as_str().map(str::to_owned);
        faults
            .iter()
            .map(|fault| {
                let place = text(fault, "pointer").or_else(|| text(fault, "parameter"));
                format!("{} {}", place.unwrap(), text(fault, "detail").unwrap())
            })
            .collect()
    }

    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The tasks of a list.
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = reqwest::StatusCode::from_u16(self.status).unwrap();
        writeln!(f, "{reason}")?;
        let shown = [
            "location",
            "etag",
            "link",
            "allow",
            "retry-after",
            "www-authenticate",
            "idempotency-replayed",
        ];
        for name in shown
            .iter()
            .filter(|name| self.headers.contains_key(**name))
        {
            writeln!(f, "{name}: {}", self.header(name))?;
        }
        match &self.body {
            Value::Null => Ok(()),
            Value::String(text) => write!(f, "\n{text}"),
            body => write!(f, "\n{:#}", hidden(body.clone())),
        }
    }
}

/// What a stream sends until nothing comes for a while.
async fn until_silent(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    let silence = Duration::from_millis(300);
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(silence, response.chunk()).await {
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Hides request ids and the times of the server, which must be times of the last minutes.
fn hidden(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = hidden(item.take())),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let text = member.as_str();
                *member = match (name.as_str(), text) {
                    ("created_at" | "updated_at" | "completed_at", Some(text)) => {
                        assert_recent(text);
                        "[now]".into()
                    }
                    ("request_id", Some(text)) => {
                        assert!(!text.is_empty());
                        "[id]".into()
                    }
                    _ => hidden(member.take()),
                };
            }
        }
        _ => {}
    }
    value
}

/// A time in an answer. To be compared as such: fractions have as many digits as they need, so as texts
/// they do not sort.
pub fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}

/// Asserts that a text is a time as the contract writes it, of the last ten minutes.
pub fn assert_recent(text: &str) {
    assert!(
        text.ends_with('Z') && text.len() <= "2026-02-06T09:00:00.000000Z".len(),
        "{text}"
    );
    let time: DateTime<Utc> = text.parse().expect("RFC 3339");
    let age = Utc::now() - time;
    assert!(
        (-60..600).contains(&age.num_seconds()),
        "{text} is no time of now"
    );
}
