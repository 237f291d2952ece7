//! How values are read.
//!
//! The error of each completes the sentence "NAME …". It repeats the value only where that cannot hold a
//! secret, see [`must_be`].

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use url::Url;

/// Says what a value must be, and repeats it if it is short and no URL with a password or a query.
pub(super) fn must_be(text: &str, expected: impl Display) -> String {
    let is_harmless = text.len() <= 60 && !text.contains(['@', '?', '\n']);
    match is_harmless {
        true => format!("is `{text}`, but must be {expected}"),
        false => format!("must be {expected}"),
    }
}

/// A value, or none if the text is empty.
pub(super) fn optional<T>(
    text: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match text {
        "" => Ok(None),
        text => read(text).map(Some),
    }
}

/// The entries of a list, by comma; empty ones are skipped.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

/// Whatever Rust can read.
pub(super) fn parsed<T: FromStr>(text: &str, expected: &str) -> Result<T, String> {
    text.parse().map_err(|_| must_be(text, expected))
}

/// A whole number of a range; `of` says of what, like ` of seconds`.
pub(super) fn number<N: FromStr + PartialOrd + Display>(
    text: &str,
    range: RangeInclusive<N>,
    of: &str,
) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        must_be(text, format!("a number{of} from {least} to {most}"))
    })
}

pub(super) fn seconds(text: &str, range: RangeInclusive<u64>) -> Result<Duration, String> {
    number(text, range, " of seconds").map(Duration::from_secs)
}

/// On or off, in the words that are common.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" | "yes" => Ok(true),
        "off" | "false" | "0" | "no" => Ok(false),
        _ => Err(must_be(text, "`on` or `off`")),
    }
}

/// One of two words.
pub(super) fn either<T>(text: &str, one: (&str, T), other: (&str, T)) -> Result<T, String> {
    match text {
        word if word == one.0 => Ok(one.1),
        word if word == other.0 => Ok(other.1),
        _ => Err(must_be(text, format!("`{}` or `{}`", one.0, other.0))),
    }
}

/// The address of a server: what is appended to it must be below it.
pub(super) fn base_url(text: &str) -> Option<Url> {
    web_url(text).filter(|url| {
        url.query().is_none()
            && !url.path().contains("//")
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// An absolute URL of the web.
pub(super) fn web_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
