//! The origins of `CORS_ALLOWED_ORIGINS`.

use url::Host;

use super::value::web_url;
use crate::access::AllowedOrigin;

/// An entry of the list, and its place in it.
pub(super) fn origin((index, text): (usize, &str)) -> Result<AllowedOrigin, String> {
    let read = match text.contains('*') {
        true => pattern(text),
        false => exact(text),
    };
    read.map_err(|fault| format!("entry {} {fault}", index + 1))
}

/// An origin as browsers send it: compared byte by byte, so it must be exact.
fn exact(text: &str) -> Result<AllowedOrigin, String> {
    let url = web_url(text).ok_or("must be an origin like https://app.example.com")?;
    let origin = url.origin().ascii_serialization();
    match origin == text {
        true => Ok(AllowedOrigin::Exact(origin)),
        false => Err(format!("must be written `{origin}`")),
    }
}

/// An origin with one `*`, which stands for a part of the first label of the host's name. What is left must be
/// names that only the owner of the front end can get.
fn pattern(text: &str) -> Result<AllowedOrigin, String> {
    let malformed = "has a `*`, which can only stand for the first label of a host, or for a part of it, like \
                     https://*.preview.example.com or https://my-app-*-my-team.vercel.app";
    let (start, end) = text.split_once('*').ok_or(malformed)?;
    let label_start = start.strip_prefix("https://").ok_or(
        "has a `*`, which needs https: over http, anybody on the way can be any of these origins",
    )?;
    // With something in place of the star, it is an origin like any other.
    let example = format!("{start}x{end}");
    let url = web_url(&example).ok_or(malformed)?;
    if url.origin().ascii_serialization() != example
        || label_start.contains('.')
        || end.contains('*')
    {
        return Err(malformed.to_owned());
    }
    let Some(Host::Domain(host)) = url.host() else {
        return Err(malformed.to_owned());
    };
    let (_, parent) = host.split_once('.').ok_or(malformed)?;
    let label_end = end.split('.').next().unwrap_or_default();
    if is_owned(parent) || is_given_to_one_owner(parent, label_end) {
        let (start, end) = (start.to_owned(), end.to_owned());
        return Ok(AllowedOrigin::Pattern { start, end });
    }
    Err(format!(
        "would let in names below `{parent}` that anybody can register: write the origins one by one, use a domain of \
         your own, or end the name with your team's, like https://my-app-*-my-team.vercel.app"
    ))
}

/// Whether the name, or one above it, belongs to somebody: it is more than a public suffix.
fn is_owned(name: &str) -> bool {
    psl::domain_str(name).is_some()
}

/// Whether a hosting company gives names with this end to one owner only: Vercel those that end with a team's name,
/// Netlify those that end with a site's, after two hyphens. At others anybody can register such a name.
fn is_given_to_one_owner(parent: &str, label_end: &str) -> bool {
    match parent {
        "vercel.app" => label_end.len() > 1 && label_end.starts_with('-'),
        "netlify.app" => label_end.len() > 2 && label_end.starts_with("--"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_only_names_of_one_owner() {
        for text in [
            "https://*.example.app",
            "https://*.preview.example.com",
            "https://pr-*.example.com:8443",
            "https://*.my-project.pages.dev",
            "https://deploy-preview-*--my-site.netlify.app",
            "https://my-app-*-my-team.vercel.app",
            "https://*-my-team.vercel.app",
        ] {
            let allowed = origin((0, text)).unwrap();
            let value = text.replace('*', "a-1").parse().unwrap();
            assert!(allowed.allows(&value), "{text}");
        }
        for text in [
            "https://*.app",
            "https://*.vercel.app",
            "https://my-app-*.vercel.app",
            "https://my-app-*-.vercel.app",
            "https://my-app-*team.vercel.app",
            "https://*.co.uk",
            "https://my-*-team.co.uk",
            "https://my-*-team.com",
            "https://*.github.io",
            "https://*-x.github.io",
            "https://*-x.pages.dev",
            "https://a-*-b.herokuapp.com",
            "https://*-x.netlify.app",
        ] {
            let fault = origin((0, text)).unwrap_err();
            assert!(
                fault.contains("that anybody can register"),
                "{text}: {fault}"
            );
        }
        for text in [
            "*",
            "https://*",
            "https://*:3000",
            "https://*.*.example.app",
            "https://a.*.example.app",
            "https://example.*",
            "https://*.Example.app",
            "https://*.example.app/",
            "https://*.example.app:443",
            "https://user@*.example.app",
            "https://example.app/*",
            "https://x?*.example.app",
            "https://*.1.2.3.4",
            "http://*.example.app",
            "*.example.app",
        ] {
            let fault = origin((1, text)).unwrap_err();
            assert!(
                fault.starts_with("entry 2 has a `*`, which "),
                "{text}: {fault}"
            );
        }
    }
}
