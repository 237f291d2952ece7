//! Answers that never change while the server runs. They are made and compressed once, when they are first asked for,
//! and have an entity tag and 304 (RFC 9110 §8.8, §12.5.3, §13.1.2).

use std::{
    fmt::Write as _,
    io::{self, Read, Write as _},
    sync::Arc,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use hyper::body::Bytes;
use poem::{
    Endpoint, Error, Request, Response, Result,
    error::{InternalServerError, MethodNotAllowedError},
    http::{
        HeaderMap, HeaderName, Method, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
};
use sha2::{Digest, Sha256};
use tokio::{sync::OnceCell, task::spawn_blocking};

#[cfg(test)]
mod tests;

/// Revalidate each time.
const REVALIDATE: &str = "no-cache";
/// Never revalidate (RFC 8246); for addresses that name a version.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The value of `Allow` for a 405. [`Fixed`] attaches it to the error, and `app` writes the header.
#[derive(Debug, Clone, Copy)]
pub struct AllowHeader(pub &'static str);

/// A fixed answer to GET and HEAD.
pub(super) struct Fixed {
    content_type: &'static str,
    cache_control: &'static str,
    source: Arc<Source>,
    plain: OnceCell<Variant>,
    gzip: OnceCell<Variant>,
}

/// What the content is made from. Most servers are never asked for most of it, so it is not kept ready.
enum Source {
    Text(Box<dyn Fn() -> String + Send + Sync>),
    Gzip(&'static [u8]),
}

impl Source {
    fn plain(&self) -> io::Result<Bytes> {
        match self {
            Self::Text(make) => Ok(make().into()),
            Self::Gzip(gzip) => {
                let mut plain = Vec::new();
                GzDecoder::new(*gzip).read_to_end(&mut plain)?;
                Ok(plain.into())
            }
        }
    }

    fn gzip(&self) -> io::Result<Bytes> {
        match self {
            Self::Text(make) => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
                gzip.write_all(make().as_bytes())?;
                Ok(gzip.finish()?.into())
            }
            Self::Gzip(gzip) => Ok(Bytes::from_static(gzip)),
        }
    }
}

/// One of the two forms in which the content goes out. Each has its own strong tag, since their
/// bytes differ (RFC 9110 §8.8.3.3).
struct Variant {
    bytes: Bytes,
    etag: String,
}

impl Variant {
    fn new(bytes: Bytes) -> Self {
        let mut etag = String::from("\"");
        for byte in &Sha256::digest(&bytes)[..12] {
            // Writing to a string cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self { bytes, etag }
    }
}

impl Fixed {
    /// Content made at run time, or small; `content_type` as in the header.
    pub(super) fn new(
        make: impl Fn() -> String + Send + Sync + 'static,
        content_type: &'static str,
    ) -> Self {
        Self::from_source(Source::Text(Box::new(make)), content_type)
    }

    /// Content that is compressed already, in a gzip stream (RFC 1952).
    pub(super) fn compressed(gzip: &'static [u8], content_type: &'static str) -> Self {
        Self::from_source(Source::Gzip(gzip), content_type)
    }

    fn from_source(source: Source, content_type: &'static str) -> Self {
        Self {
            content_type,
            cache_control: REVALIDATE,
            source: Arc::new(source),
            plain: OnceCell::new(),
            gzip: OnceCell::new(),
        }
    }

    /// The content in one of its forms. Making it takes milliseconds of CPU time.
    async fn variant(&self, zipped: bool) -> Result<&Variant> {
        let form = if zipped { &self.gzip } else { &self.plain };
        let make = async || {
            let source = Arc::clone(&self.source);
            let make = move || {
                if zipped {
                    source.gzip()
                } else {
                    source.plain()
                }
            };
            let bytes = spawn_blocking(move || make().map(Variant::new)).await;
            bytes
                .map_err(InternalServerError)?
                .map_err(InternalServerError)
        };
        form.get_or_try_init(make).await
    }

    /// For an address whose content can never change, because it names a version.
    pub(super) fn immutable(mut self) -> Self {
        self.cache_control = FOR_EVER;
        self
    }
}

impl Endpoint for Fixed {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut error = Error::from(MethodNotAllowedError);
            error.set_data(AllowHeader("GET, HEAD"));
            return Err(error);
        }
        let zipped = prefers_gzip(request.headers());
        let variant = self.variant(zipped).await?;
        let answer = Response::builder()
            .header(CACHE_CONTROL, self.cache_control)
            .header(ETAG, &variant.etag)
            .header(VARY, ACCEPT_ENCODING)
            .header(X_CONTENT_TYPE_OPTIONS, "nosniff");
        if has_tag(request.headers(), &variant.etag) {
            return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
        }
        let answer = answer.header(CONTENT_TYPE, self.content_type);
        let answer = if zipped {
            answer.header(CONTENT_ENCODING, "gzip")
        } else {
            answer
        };
        // hyper sends the length but not the body to HEAD.
        Ok(answer.body(variant.bytes.clone()))
    }
}

/// The elements of a header whose value is a list, over all its lines.
fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether `If-None-Match` names this tag, strong or weak (RFC 9110 §8.8.3.2).
fn has_tag(headers: &HeaderMap, etag: &str) -> bool {
    list(headers, IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// Whether `Accept-Encoding` allows gzip and does not prefer the plain form. Without the header the answer is plain,
/// which every client can read.
fn prefers_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut others) = (None, None, None);
    for element in list(headers, ACCEPT_ENCODING) {
        let mut parts = element.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            // A weight that is not a number does not allow the coding.
            .map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0));
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => others = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(others).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}
