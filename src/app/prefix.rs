//! Adds the path of `PUBLIC_URL` to the addresses in answers.

use poem::http::{HeaderMap, HeaderValue, header};
use url::Url;

/// The path of `PUBLIC_URL` without a slash at its end. A proxy removes it from requests before this server sees
/// them, so the addresses in answers must have it again.
#[derive(Debug, Clone)]
pub(super) struct Prefix(String);

impl Prefix {
    pub(super) fn of(public_url: Option<&Url>) -> Self {
        let path = public_url.map_or("", Url::path);
        Self(path.trim_end_matches('/').to_owned())
    }

    /// Adds the prefix to a `Location` or `Link` that begins with `/`.
    pub(super) fn mark(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        for (name, root) in [(header::LOCATION, "/"), (header::LINK, "</")] {
            let rooted = headers
                .get(&name)
                .and_then(|value| value.to_str().ok()?.strip_prefix(root));
            let prefixed = rooted.map(|rest| {
                HeaderValue::from_str(&format!("{}{}/{rest}", root.trim_end_matches('/'), self.0))
            });
            if let Some(Ok(value)) = prefixed {
                headers.insert(name, value);
            }
        }
    }
}
