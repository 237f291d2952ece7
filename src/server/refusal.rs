//! A request whose head is no HTTP, or too large.
//!
//! hyper refuses it by itself, with a bare status, before there is a request. Its answer is withheld (`socket.rs`), and
//! the endpoint answers in its stead, so that a client gets the same kind of error as for any other mistake.

use chrono::Utc;
use poem::{
    Body, Request, RequestParts, Response,
    http::{Method, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::io::AsyncWriteExt as _;

use super::{Limits, socket::Socket};

/// Why the head of a request was refused. The endpoint finds it in the extensions of a request that has nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not begin with a method.
    Method,
    /// The request target has characters that must be percent-encoded.
    Target,
    /// The first line does not end with `HTTP/1.1` or `HTTP/1.0`.
    Version,
    /// A header field is no name and value.
    Header,
    /// `Content-Length` is no number, or there are two.
    ContentLength,
    /// `Transfer-Encoding` does not end with `chunked`, or must not be there.
    TransferEncoding,
    /// The head has more bytes or more fields than the server takes.
    TooLarge {
        /// How many bytes it may have.
        max_bytes: usize,
        /// How many header fields it may have.
        max_headers: usize,
    },
    /// It is large, and there are too many such requests under way.
    Crowded {
        /// How many bytes it may have at any time.
        small: usize,
    },
    /// Something else is wrong with it.
    Other,
}

impl Refused {
    pub(super) fn crowded(limits: &Limits) -> Self {
        let small = limits.large_head;
        Self::Crowded { small }
    }

    /// Why hyper ended a connection, if it refused a head. hyper tells most kinds apart by its texts alone.
    pub(super) fn of(error: &hyper::Error, limits: &Limits) -> Option<Self> {
        if !error.is_parse() {
            return None;
        }
        Some(match error.to_string().as_str() {
            "invalid HTTP method parsed" => Self::Method,
            "invalid URI" => Self::Target,
            "invalid HTTP version parsed" | "invalid HTTP version parsed (found HTTP2 preface)" => {
                Self::Version
            }
            "invalid HTTP header parsed" => Self::Header,
            "invalid content-length parsed" => Self::ContentLength,
            "invalid transfer-encoding parsed" | "unexpected transfer-encoding parsed" => {
                Self::TransferEncoding
            }
            _ if error.is_parse_too_large() => Self::TooLarge {
                max_bytes: limits.max_head_bytes,
                max_headers: limits.max_headers,
            },
            _ => Self::Other,
        })
    }

    /// The request that stands for it. Its method is none that an endpoint could have.
    pub(super) fn into_request(self, (local, remote): (LocalAddr, RemoteAddr)) -> Request {
        let (mut parts, ()) = hyper::Request::new(()).into_parts();
        parts.method = Method::from_bytes(b"REFUSED").unwrap_or_default();
        parts.extensions.insert(self);
        let parts = RequestParts::from((parts, local, remote, Scheme::HTTP));
        Request::from_parts(parts, Body::empty())
    }
}

/// Writes the last answer of a connection, and closes it.
pub(super) async fn write(response: Response, socket: &mut Socket) -> std::io::Result<()> {
    let (parts, body) = response.into_parts();
    let body = body.into_bytes().await.unwrap_or_default();
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut answer = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).into_bytes();
    for (name, value) in &parts.headers {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    let last = format!(
        "connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n",
        body.len()
    );
    answer.extend(last.into_bytes());
    answer.extend(&body);
    socket.write_all(&answer).await?;
    socket.shutdown().await
}
