//! Lines of `.env` that are no assignments: what they were most likely meant to set.
//!
//! `set AUTH_HS256_SECRET=…` and an invisible character before a name must not start development mode as if nothing were
//! set.

use icu_normalizer::DecomposingNormalizer;

use super::{auth::is_of_issuer, setting::is_setting, spelling};
use crate::unicode::is_visible;

/// A line that cannot be read. Its words may be parts of a secret: compare them, do not print them.
pub(super) struct UnreadableLine {
    pub(super) line: usize,
    /// The words up to the first equals sign.
    words: Vec<String>,
    has_equals: bool,
}

impl UnreadableLine {
    pub(super) fn new(line: usize, text: &str) -> Self {
        // Full-width letters and signs become plain ones, a no-break space becomes a space.
        let plain = DecomposingNormalizer::new_nfkd().normalize(text);
        let shown: String = plain
            .chars()
            .filter(|c| c.is_whitespace() || is_visible(*c))
            .collect();
        let (before, has_equals) = match shown.split_once('=') {
            Some((before, _)) => (before, true),
            None => (shown.as_str(), false),
        };
        let is_separator = |c: char| {
            !(c.is_alphanumeric() || "_-".contains(c) || c == char::REPLACEMENT_CHARACTER)
        };
        let words = before
            .split(is_separator)
            .map(|word| word.trim_matches('-').to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        Self {
            line,
            words,
            has_equals,
        }
    }

    /// The setting that it seems to set. Names such as `PORT` are also words, and count only at the place of a name.
    pub(super) fn setting(&self) -> Option<&str> {
        let ends = [self.words.first(), self.words.last()];
        let named = ends.into_iter().flatten().find(|word| is_setting(word));
        let issuer = self.words.iter().find(|word| is_of_issuer(word));
        issuer.or(named).map(String::as_str)
    }

    /// Whether it seems to set an issuer by a misspelt name, or by the name that another program has for it.
    pub(super) fn may_set_issuer(&self) -> bool {
        let assigned = self.words.last().filter(|_| self.has_equals);
        let close = assigned.and_then(|word| spelling::close_setting(word));
        let mut words = self.words.iter();
        close.is_some_and(is_of_issuer) || words.any(|word| spelling::looks_like_issuer(word))
    }
}

#[cfg(test)]
mod tests {
    use super::UnreadableLine;

    fn setting(text: &str) -> Option<String> {
        UnreadableLine::new(1, text).setting().map(str::to_owned)
    }

    #[test]
    fn a_setting_is_found_in_the_forms_of_other_programs() {
        for text in [
            "set AUTH_HS256_SECRET=x",
            "setx AUTH_HS256_SECRET x",
            "set \"AUTH_HS256_SECRET=x\"",
            "EXPORT AUTH_HS256_SECRET=x=y",
            "declare -x AUTH_HS256_SECRET=x",
            "$env:AUTH_HS256_SECRET = 'x'",
            "process.env.AUTH_HS256_SECRET = 'x'",
            "AUTH_HS256_SECRET: x",
            "- AUTH_HS256_SECRET: x",
            "//AUTH_HS256_SECRET=x",
            "“AUTH_HS256_SECRET”=x",
            "\u{200b}AUTH_HS256_SECRET=x",
            "\u{feff}AUTH_HS256_SECRET=x",
            "AUTH_\u{2060}HS256_SECRET=x",
            "export\u{a0}AUTH_HS256_SECRET=x",
            "AUTH_HS256_SECRET＝x",
            "ＡＵＴＨ_HS256_SECRET=x",
            "\0A\0U\0T\0H\0_\0H\0S\x002\x005\x006\0_\0S\0E\0C\0R\0E\0T\0=\0x",
        ] {
            assert_eq!(
                setting(text).as_deref(),
                Some("AUTH_HS256_SECRET"),
                "{text:?}"
            );
        }
        assert_eq!(setting("set PORT=80").as_deref(), Some("PORT"));
        assert_eq!(setting("the PORT is that of x"), None);
        assert_eq!(setting("words=AUTH_HS256_SECRET"), None);
    }

    #[test]
    fn a_misspelt_issuer_is_found() {
        for (text, found) in [
            ("set AUTH_HS256_SECRTE=x", true),
            ("set auth_hs256_secret=x", true),
            // The first letter is Cyrillic.
            ("АUTH_HS256_SECRET=x", true),
            ("AUTH_\u{fffd}S256_SECRET=x", true),
            ("EXPORT JWT_SECRET=x", true),
            ("setx OIDC_ISSUER x", true),
            ("-- the settings of better-auth --", false),
            ("set NEXT_PUBLIC_API_URL=x", false),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC==", false),
        ] {
            assert_eq!(
                UnreadableLine::new(1, text).may_set_issuer(),
                found,
                "{text:?}"
            );
        }
    }
}
