use crate::{
    auth::AuthSettings,
    config::{Config, Source},
};

const SECRET: &str = "0b8f4c1e9d7a6352f0e1d2c3b4a59687";
const TWO: [(&str, &str); 3] = [
    ("AUTH_ISSUER", "https://a.example,https://b.example"),
    ("AUTH_AUDIENCE", "a,b"),
    (
        "AUTH_JWKS_URL",
        "https://a.example/jwks,https://b.example/jwks",
    ),
];

fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(Source::of(pairs)).map_err(|faults| faults.to_string())
}

fn fault(pairs: &[(&str, &str)]) -> String {
    read(pairs).expect_err("settings with faults")
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&TWO[..], more].concat()
}

fn namespaces(settings: &AuthSettings) -> Vec<Option<&str>> {
    let issuers = settings.issuers.iter();
    issuers.map(|issuer| issuer.namespace.as_deref()).collect()
}

#[test]
fn two_issuers_do_not_start_unless_it_is_said_whose_users_are_whose() {
    let told = fault(&TWO);
    assert!(
        told.contains(
            "AUTH_NAMESPACE is missing, and 2 issuers are trusted (https://a.example, https://b.example): the same `sub` may \
             be another person at each."
        ),
        "{told}"
    );
    for (names, expected) in [
        ("partner", [None, Some("partner")]),
        (",partner", [None, Some("partner")]),
        (" a , b ", [Some("a"), Some("b")]),
        ("a,", [Some("a"), None]),
    ] {
        let config = read(&with(&[("AUTH_NAMESPACE", names)])).unwrap();
        assert_eq!(namespaces(&config.auth), expected, "{names}");
    }
    let shared = read(&with(&[("AUTH_SHARED_SUBJECTS", "on")])).unwrap();
    assert_eq!(namespaces(&shared.auth), [None, None]);
    assert!(
        shared.warnings[0].contains("each can speak for every user"),
        "{:?}",
        shared.warnings
    );
    for (names, expected) in [
        ("a,b,c", "has 3 entries, and 2 issuers are trusted"),
        (",", "may leave out the namespace of one issuer only"),
        ("a,a", "has `a` twice"),
        ("a:b", "must be names of at most 32 small letters"),
        ("Partner", "must be names of at most 32 small letters"),
    ] {
        let told = fault(&with(&[("AUTH_NAMESPACE", names)]));
        assert!(told.contains(expected), "{names}: {told}");
    }
    let both = fault(&with(&[
        ("AUTH_NAMESPACE", "b"),
        ("AUTH_SHARED_SUBJECTS", "on"),
    ]));
    assert!(
        both.contains("AUTH_NAMESPACE is set beside AUTH_SHARED_SUBJECTS"),
        "{both}"
    );
}

#[test]
fn one_issuer_needs_no_namespace() {
    let better_auth = ("BETTER_AUTH_URL", "https://app.example.com");
    let pair = read(&[better_auth, ("PUBLIC_URL", "https://api.example.com")]).unwrap();
    assert_eq!(namespaces(&pair.auth), [None, None]);
    let twice = read(&[
        ("AUTH_ISSUER", "https://a.example,https://a.example"),
        ("AUTH_AUDIENCE", "a,b"),
        (
            "AUTH_JWKS_URL",
            "https://a.example/jwks,https://a.example/jwks",
        ),
    ]);
    assert_eq!(namespaces(&twice.unwrap().auth), [None, None]);
}

#[test]
fn a_secret_beside_an_issuer_is_another_issuer() {
    let better_auth = ("BETTER_AUTH_URL", "https://app.example.com");
    let secret = ("AUTH_HS256_SECRET", SECRET);
    let told = fault(&[better_auth, secret]);
    assert!(
        told.contains("2 issuers are trusted (BETTER_AUTH_URL, whoever has AUTH_HS256_SECRET)"),
        "{told}"
    );
    assert!(!told.contains(SECRET));
    let named = read(&[better_auth, secret, ("AUTH_NAMESPACE", "scripts")]).unwrap();
    assert_eq!(namespaces(&named.auth), [None, Some("scripts")]);
}

#[test]
fn the_secret_of_a_front_end_opens_no_door_beside_published_keys() {
    let secret = ("BETTER_AUTH_SECRET", SECRET);
    for issuer in [&[("BETTER_AUTH_URL", "https://app.example.com")][..], &TWO] {
        let pairs = [issuer, &[secret, ("AUTH_NAMESPACE", "b")]].concat();
        let pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(name, _)| *name != "AUTH_NAMESPACE" || issuer.len() > 1)
            .collect();
        let config = read(&pairs).unwrap();
        let rules = config.auth.issuers.iter().map(|issuer| &*issuer.rule);
        assert!(!rules.into_iter().any(|rule| rule == "BETTER_AUTH_SECRET"));
        let warnings = config.warnings.join("\n");
        assert!(
            warnings.contains("BETTER_AUTH_SECRET is ignored"),
            "{warnings}"
        );
    }
    let alone = read(&[secret]).unwrap();
    assert_eq!(alone.auth.issuers[0].rule, "BETTER_AUTH_SECRET");
}

#[test]
fn a_secret_that_everybody_knows_is_none() {
    for secret in [
        "better-auth-secret-123456789012345678901234567890",
        "your-secret-key-change-this-in-production-please",
        "YOUR_SUPER_SECRET_KEY_WITH_AT_LEAST_32_CHARACTERS",
        "a-string-secret-at-least-256-bits-long",
        "change-me-change-me-change-me-change-me",
        "replace_with_a_random_string_of_32_bytes",
    ] {
        for name in ["AUTH_HS256_SECRET", "BETTER_AUTH_SECRET"] {
            let told = fault(&[(name, secret)]);
            assert!(
                told.contains(&format!("{name} is a value that everybody knows")),
                "{told}"
            );
            assert!(!told.contains(secret), "{told}");
        }
    }
    for secret in [SECRET, "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="] {
        read(&[("AUTH_HS256_SECRET", secret)]).unwrap();
    }
}

#[test]
fn a_file_chooses_no_issuer_for_a_server_that_others_reach() {
    let issuer = "BETTER_AUTH_URL=http://localhost:3000\n";
    let of_file = |more: &str| Config::read(Source::of_file(&format!("{issuer}{more}")));
    assert!(of_file("").is_ok());
    assert!(of_file("PUBLIC_URL=http://localhost:8000").is_ok());
    for more in [
        "HOST=0.0.0.0",
        "HOST=::",
        "PUBLIC_URL=https://tasks.example.com",
    ] {
        let told = of_file(more).expect_err("settings with faults").to_string();
        assert!(
            told.contains("BETTER_AUTH_URL (line 1 of .env) is of .env"),
            "{more}: {told}"
        );
    }
    // The environment may.
    let pairs = [
        ("BETTER_AUTH_URL", "https://app.example.com"),
        ("HOST", "0.0.0.0"),
    ];
    read(&pairs).unwrap();
}
