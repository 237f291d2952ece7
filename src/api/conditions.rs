//! Headers that make a request conditional (RFC 9110 §13) or repeatable, or resume a stream.

use std::collections::BTreeSet;

use poem::{
    FromRequest, Request, RequestBody,
    http::{HeaderName, header},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::{
    contract::{
        Fault, Problem, Revision, Scalar as _, into_poem,
        registry::{MetaParamIn, MetaSchema, MetaSchemaRef, inline},
    },
    store::{Expected, IdempotencyKey},
};

/// The entity tag of a version or revision.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The text of a header; lines of the same name make one list (RFC 9110 §5.3).
fn text(request: &Request, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut lines = Vec::new();
    for value in request.headers().get_all(name) {
        let line = value
            .to_str()
            .map_err(|_| fault(name, "must be printable ASCII".to_owned()))?;
        lines.push(line.trim());
    }
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

fn fault(name: &HeaderName, detail: String) -> Problem {
    // As the contract spells them.
    let name = match name.as_str() {
        "if-match" => "If-Match",
        "if-none-match" => "If-None-Match",
        "last-event-id" => "Last-Event-ID",
        _ => "Idempotency-Key",
    };
    Problem::parameters(vec![Fault::at_parameter(name, detail)])
}

/// A list of entity tags, or `*`.
enum EntityTags {
    Any,
    List(Vec<String>),
}

/// Reads entity tags (RFC 9110 §8.8.3). A weak tag counts as a strong one: the version determines the whole content of
/// a task, and proxies that compress an answer make its tag weak.
fn entity_tags(text: &str) -> Option<EntityTags> {
    if text == "*" {
        return Some(EntityTags::Any);
    }
    let mut tags = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, after) = quoted.split_once('"')?;
        if !tag.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        tags.push(tag.to_owned());
        rest = match after.trim_start() {
            "" => "",
            more => more.strip_prefix(',')?.trim_start(),
        };
    }
    (!tags.is_empty()).then_some(EntityTags::List(tags))
}

fn read_tags(request: &Request, name: &HeaderName) -> Result<Option<EntityTags>, Problem> {
    let Some(text) = text(request, name)? else {
        return Ok(None);
    };
    let malformed = || {
        fault(
            name,
            "must be an ETag as the server sent it, with its quotes, such as \"12\"; a list of them; or *"
                .to_owned(),
        )
    };
    entity_tags(&text).map(Some).ok_or_else(malformed)
}

/// Makes a type a parameter that is read from a header, with its schema.
macro_rules! header_parameter {
    ($type:ident, $schema:expr, $read:expr) => {
        impl<'a> ApiExtractor<'a> for $type {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
            type ParamType = ();
            type ParamRawType = ();

            fn param_in() -> Option<MetaParamIn> {
                Some(MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<MetaSchemaRef> {
                Some(inline($schema))
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let read: fn(&Request) -> Result<Self, Problem> = $read;
                read(request).map_err(into_poem)
            }
        }
    };
}

fn etag_schema() -> MetaSchema {
    MetaSchema {
        pattern: Some(r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#.to_owned()),
        example: Some("\"12\"".into()),
        ..MetaSchema::new("string")
    }
}

/// What servers and proxies that compress an answer add to its tag: `-gzip` (Apache, Caddy), `--gzip`
/// (Jetty), `;gzip`, `:br`.
const CODINGS: [&str; 5] = ["gzip", "br", "zstd", "deflate", "compress"];

/// The version whose tag this is; `None` for a tag that no task has, such as "01" (tags are compared
/// character by character, RFC 9110 §8.8.3.2).
fn version(tag: &str) -> Option<i64> {
    let coded = CODINGS.iter().find_map(|coding| tag.strip_suffix(coding));
    let plain = coded.map_or(tag, |tag| tag.trim_end_matches(['-', ';', ':']));
    plain
        .parse()
        .ok()
        .filter(|version: &i64| version.to_string() == plain)
}

/// The most versions of one condition: each is a part of a statement.
const MAX_VERSIONS: usize = 16;

/// The versions that are named, each once.
///
/// # Errors
/// 400 if they are too many.
fn versions(name: &HeaderName, tags: &[String]) -> Result<Vec<i64>, Problem> {
    let versions: BTreeSet<i64> = tags.iter().filter_map(|tag| version(tag)).collect();
    if versions.len() > MAX_VERSIONS {
        let detail = format!(
            "must not name more than {MAX_VERSIONS} versions, names {}",
            versions.len()
        );
        return Err(fault(name, detail));
    }
    Ok(versions.into_iter().collect())
}

/// In which version the task must be to be changed: that of `If-Match`, or another than that of `If-None-Match`. The
/// contract documents the former alone. The latter is hardly ever what a client means, but must not be ignored (RFC 9110
/// §13.2.1).
#[derive(Debug)]
pub struct Precondition(pub Expected);

header_parameter!(Precondition, etag_schema(), |request| {
    let one_of = read_tags(request, &header::IF_MATCH)?;
    let none_of = read_tags(request, &header::IF_NONE_MATCH)?;
    Ok(Self(match (one_of, none_of) {
        (None | Some(EntityTags::Any), None) => Expected::Any,
        (Some(EntityTags::List(tags)), None) => {
            Expected::OneOf(versions(&header::IF_MATCH, &tags)?)
        }
        (None, Some(EntityTags::List(tags))) => {
            Expected::NoneOf(versions(&header::IF_NONE_MATCH, &tags)?)
        }
        (None, Some(EntityTags::Any)) => Expected::Nothing,
        (Some(_), Some(_)) => {
            let detail = "must not be sent together with If-Match";
            return Err(fault(&header::IF_NONE_MATCH, detail.to_owned()));
        }
    }))
});

/// For an operation that creates a task: refuses preconditions, which would be about the list of all tasks (RFC 9110
/// §13.1). Clients that send `If-None-Match: *` mean the new task.
#[derive(Debug)]
pub struct NoPrecondition;

impl<'a> FromRequest<'a> for NoPrecondition {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let refused = [&header::IF_MATCH, &header::IF_NONE_MATCH];
        let detail =
            "is not supported here; to create a task once and not twice, send an Idempotency-Key";
        let given = refused
            .into_iter()
            .find(|name| request.headers().contains_key(*name));
        match given {
            Some(name) => Err(into_poem(fault(name, detail.to_owned()))),
            None => Ok(Self),
        }
    }
}

/// For a batch: refuses the headers that would be about one task, and says what does the same for an operation.
#[derive(Debug)]
pub struct NotForBatches;

impl<'a> FromRequest<'a> for NotForBatches {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let version = "is not supported here; give an operation its `if_version`";
        let uid =
            "is not supported here; give each new task a `uid`, and a retry creates nothing twice";
        let refused = [
            (&header::IF_MATCH, version),
            (&header::IF_NONE_MATCH, version),
            (&KEY, uid),
        ];
        let given = refused
            .into_iter()
            .find(|(name, _)| request.headers().contains_key(*name));
        match given {
            Some((name, detail)) => Err(into_poem(fault(name, detail.to_owned()))),
            None => Ok(Self),
        }
    }
}

/// `If-None-Match`: answer 304 if the task or the list still has this version.
#[derive(Debug)]
pub struct IfNoneMatch(Option<Vec<String>>);

impl IfNoneMatch {
    /// Whether the client sent the header.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the client has this version already.
    pub fn matches(&self, version: i64) -> bool {
        self.0.as_ref().is_some_and(|tags| {
            tags.is_empty() || tags.iter().any(|tag| self::version(tag) == Some(version))
        })
    }
}

header_parameter!(IfNoneMatch, etag_schema(), |request| {
    Ok(Self(read_tags(request, &header::IF_NONE_MATCH)?.map(
        |tags| match tags {
            EntityTags::Any => Vec::new(),
            EntityTags::List(tags) => tags,
        },
    )))
});

/// `Idempotency-Key`: the same for all retries of one request (draft-ietf-httpapi-idempotency-key-header).
#[derive(Debug)]
pub struct RetryKey(pub Option<IdempotencyKey>);

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY: usize = 255;

header_parameter!(
    RetryKey,
    MetaSchema {
        min_length: Some(1),
        max_length: Some(MAX_KEY),
        pattern: Some("^[!-~]+$".to_owned()),
        example: Some("5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a".into()),
        ..MetaSchema::new("string")
    },
    |request| {
        let key = text(request, &KEY)?;
        let valid = |key: &String| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        };
        match key {
            Some(key) if !valid(&key) => Err(fault(
                &KEY,
                format!("must be 1 to {MAX_KEY} visible ASCII characters without spaces"),
            )),
            key => Ok(Self(key.map(IdempotencyKey))),
        }
    }
);

/// `Last-Event-ID`: the id of the last event that a client has of a stream (HTML standard, "Server-sent events").
#[derive(Debug)]
pub struct LastEventId(pub Option<Revision>);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

header_parameter!(LastEventId, last_event_id_schema(), |request| {
    let id = text(request, &LAST_EVENT_ID)?;
    let id = id.map(|id| Revision::from_text(&id)).transpose();
    let malformed = |_| {
        let detail = "must be the `id` of an event as it came, an integer; or leave it out, and send `since`";
        fault(&LAST_EVENT_ID, detail.to_owned())
    };
    id.map(Self).map_err(malformed)
});

fn last_event_id_schema() -> MetaSchema {
    MetaSchema {
        pattern: Some("^[0-9]{1,16}$".to_owned()),
        example: Some("15".into()),
        ..MetaSchema::new("string")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_read_as_the_pattern_says() {
        let read = |text| match entity_tags(text) {
            Some(EntityTags::Any) => Some(vec!["*".to_owned()]),
            Some(EntityTags::List(tags)) => Some(tags),
            None => None,
        };
        let list = |tags: &[&str]| Some(tags.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(read("*"), list(&["*"]));
        assert_eq!(read(r#""12""#), list(&["12"]));
        assert_eq!(read(r#"W/"12" ,"a!~", """#), list(&["12", "a!~", ""]));
        for malformed in [
            "",
            "12",
            r#""12"#,
            r#""1" "2""#,
            r#""1 2""#,
            r#"*, "1""#,
            r#"w/"1""#,
            ",",
        ] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
