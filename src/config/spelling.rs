//! Names that are meant to be settings, but are not.

use strsim::osa_distance;

use super::setting::all;

/// Of Auth.js and Prisma: no misspellings, although close to settings.
const OTHERS: [&str; 3] = ["AUTH_URL", "AUTH_SECRET", "DIRECT_URL"];

/// The setting that somebody who wrote this name most likely meant. `None` if it looks unrelated.
pub(super) fn close_setting(name: &str) -> Option<&'static str> {
    if OTHERS.contains(&name) {
        return None;
    }
    let written = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let written = written.strip_prefix("TASKWARD_").unwrap_or(&written);
    let settings = || all().map(super::setting::Declared::name);
    // In lower case, `host` and `port` are common names of other programs.
    let is_same = |setting: &&str| {
        *setting == written && (name != name.to_ascii_lowercase() || name.contains('_'))
    };
    settings()
        .find(is_same)
        .or_else(|| {
            let close = settings().map(|setting| (osa_distance(written, setting), setting));
            close
                .filter(|(distance, setting)| (1..=most_typos(setting)).contains(distance))
                .min()
                .map(|(_, setting)| setting)
        })
        .or_else(|| settings().find(|setting| has_words_of(written, setting)))
        .or_else(|| settings().find(|setting| goes_on(written, setting)))
}

/// Whether a name is most likely about the tokens of an issuer, in the words of another program.
pub(super) fn looks_like_issuer(name: &str) -> bool {
    const FAMILIES: [&str; 5] = ["AUTH_", "BETTER_AUTH_", "OIDC_", "JWT_", "JWKS_"];
    const ABOUT: [&str; 7] = ["URL", "URI", "ISS", "AUD", "JWKS", "SECRET", "KEY"];
    let name = name.to_ascii_uppercase();
    let family = FAMILIES.iter().find(|family| name.starts_with(**family));
    !OTHERS.contains(&name.as_str())
        && family.is_some_and(|family| {
            *family == "JWKS_"
                || ABOUT
                    .iter()
                    .any(|word| name[family.len()..].starts_with(word) || name.ends_with(word))
        })
}

/// Short names are close to many that mean something else.
fn most_typos(setting: &str) -> usize {
    match setting.len() {
        ..8 => 0,
        8..15 => 1,
        _ => 2,
    }
}

/// Whether it is the setting without some of its words: `CORS_ORIGINS`, `AUTH_JWKS`.
fn has_words_of(written: &str, setting: &str) -> bool {
    let mut words = setting.split('_');
    written.contains('_')
        && written.split('_').all(|word| {
            words.any(|candidate| candidate == word || candidate.strip_suffix('S') == Some(word))
        })
}

/// Whether it is a setting about issuers with more words: `AUTH_ISSUER_URL`.
fn goes_on(written: &str, setting: &str) -> bool {
    setting.starts_with("AUTH_")
        && written
            .strip_prefix(setting)
            .is_some_and(|more| more.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_names_of_other_programs_find_the_setting() {
        for (written, meant) in [
            ("BETTER_AUTH_ULR", "BETTER_AUTH_URL"),
            ("BETTERAUTH_URL", "BETTER_AUTH_URL"),
            ("BETTER_AUTH_URI", "BETTER_AUTH_URL"),
            ("Better_Auth_Url", "BETTER_AUTH_URL"),
            ("TASKWARD_PORT", "PORT"),
            ("TASKWARD_DATABASE_URI", "DATABASE_URL"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("AUTH_JWKS_URI", "AUTH_JWKS_URL"),
            ("AUTH_JWKS", "AUTH_JWKS_URL"),
            ("AUTH_ISSUER_URL", "AUTH_ISSUER"),
            ("AUTH_ISUER", "AUTH_ISSUER"),
            ("AUTH_HS256_SECRETS", "AUTH_HS256_SECRET"),
            ("CORS_ORIGINS", "CORS_ALLOWED_ORIGINS"),
            ("CORS_ORIGIN", "CORS_ALLOWED_ORIGINS"),
            ("ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGINS"),
            ("CORS_ALLOW_ORIGINS", "CORS_ALLOWED_ORIGINS"),
            ("SHUTDOWN_DELAY", "SHUTDOWN_DELAY_SECONDS"),
        ] {
            assert_eq!(close_setting(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn unrelated_names_do_not() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "HOSTTYPE",
            "HOSTS",
            "LOST",
            "SORT",
            "POST",
            "PORTS",
            "host",
            "port",
            "USER",
            "LANG",
            "TERM",
            "SHELL",
            "PWD",
            "DATABASE_SSL",
            "DATABASE_KEY",
            "DATABASE_USER",
            "DATABASE_NAME",
            "DATABASE_HOST",
            "DATABASE_PORT",
            "DATABASE_URL_UNPOOLED",
            "POSTGRES_URL",
            "DIRECT_URL",
            "REDIS_URL",
            "API_URL",
            "APP_URL",
            "BASE_URL",
            "AUTH_URL",
            "AUTH_SECRET",
            "AUTH_GITHUB_ID",
            "AUTH_GITHUB_SECRET",
            "AUTH_TRUST_HOST",
            "NEXTAUTH_URL",
            "NEXTAUTH_SECRET",
            "NEXT_PUBLIC_API_URL",
            "NEXT_PUBLIC_BETTER_AUTH_URL",
            "JWT_SECRET",
            "SECRET_KEY",
            "LOG_LEVEL",
            "RUST_BACKTRACE",
            "CARGO_HOME",
            "OPENAI_API_KEY",
            "TASKWARD_SERVICE_HOST",
            "TASKWARD_PORT_8000_TCP",
        ] {
            assert_eq!(close_setting(name), None, "{name}");
        }
    }
}
