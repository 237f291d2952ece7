//! Whose pages may call this server.

use poem::http::HeaderValue;

/// The longest label of a DNS name, in bytes (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// An origin whose pages may call this server, as browsers write it in the header `Origin` (RFC 6454 §6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// This one.
    Exact(String),
    /// Those of preview deployments: each that begins and ends like this, and has only letters, digits and
    /// hyphens in between. So the part in between stays within one label of the host's name.
    Pattern {
        /// `https://` and what the first label of the name begins with.
        start: String,
        /// What the label ends with, the other labels, and the port if it is not 443.
        end: String,
    },
}

impl AllowedOrigin {
    /// Whether an `Origin` is this one, byte by byte.
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Exact(allowed) => origin.as_bytes() == allowed.as_bytes(),
            Self::Pattern { start, end } => origin
                .as_bytes()
                .strip_prefix(start.as_bytes())
                .and_then(|rest| rest.strip_suffix(end.as_bytes()))
                .is_some_and(|between| {
                    (1..=MAX_LABEL).contains(&between.len()) && between.iter().all(is_of_label)
                }),
        }
    }
}

fn is_of_label(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(start: &str, end: &str, origin: &[u8]) -> bool {
        let pattern = AllowedOrigin::Pattern {
            start: start.to_owned(),
            end: end.to_owned(),
        };
        pattern.allows(&HeaderValue::from_bytes(origin).unwrap())
    }

    #[test]
    fn a_pattern_stays_within_one_label() {
        let preview = |origin: &str| allows("https://", ".example.app", origin.as_bytes());
        assert!(preview("https://pr-7.example.app"));
        for origin in [
            "https://.example.app",
            "https://example.app",
            "https://a.b.example.app",
            "https://evil.com/.example.app",
            "https://evil.com:1.example.app",
            "https://user@x.example.app",
            "https://evil.com#.example.app",
            "https://evil.com?.example.app",
            "https://evil\\.example.app",
            "https://PR.example.app",
            "https://a_b.example.app",
            "https://%2e.example.app",
            "http://a.example.app",
            "https://a.example.app:8443",
            "https://a.example.app.evil.com",
            "https://a.example.appx",
            "null",
            "",
        ] {
            assert!(!preview(origin), "{origin}");
        }
        assert!(!allows(
            "https://",
            ".example.app",
            b"https://\xff.example.app"
        ));
        let long = format!("https://{}.example.app", "a".repeat(64));
        assert!(!preview(&long));
    }

    #[test]
    fn start_and_end_do_not_overlap() {
        let team = |origin: &str| allows("https://app-", "-team.vercel.app", origin.as_bytes());
        assert!(team("https://app-git-main-team.vercel.app"));
        assert!(!team("https://app-team.vercel.app"));
        assert!(!team("https://app--team.vercel.app"));
        assert!(!team("https://app-x-other.vercel.app"));
    }
}
