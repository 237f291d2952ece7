use super::*;
use crate::{access::AllowedOrigin, auth::KeySource};
use expect_test::expect;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The settings of somebody who has a place for data.
fn config(pairs: &[(&str, &str)]) -> Config {
    let pairs = [&[("XDG_DATA_HOME", "/data")], pairs].concat();
    Config::read(Source::of(&pairs)).expect("settings without faults")
}

fn faults(pairs: &[(&str, &str)]) -> String {
    Config::read(Source::of(pairs))
        .expect_err("settings with faults")
        .to_string()
}

#[test]
fn every_default_can_be_read() {
    for setting in setting::all() {
        let read = setting.check_default();
        assert_eq!(read, Ok(()), "the default of {}", setting.name());
    }
}

#[test]
fn nothing_set_is_development_mode_on_sqlite() {
    let config = config(&[]);
    assert!(config.is_development());
    assert_eq!(config.database.url, "sqlite://taskward.db?mode=rwc");
    assert!(config.auto_migrate);
    let development = AllowedOrigin::Exact("http://localhost:3000".to_owned());
    assert_eq!(config.http.allowed_origins, [development]);
    assert_eq!(
        (config.host.to_string(), config.port),
        ("127.0.0.1".to_owned(), 8000)
    );
}

#[test]
fn all_faults_are_reported_at_once_and_no_secret_is() {
    expect![[r#"
        the settings have faults:
          - AUTH_HS256_SECRET has 7 bytes, but must have at least 32
          - AUTH_LEEWAY_SECONDS is `-1`, but must be a number of seconds from 0 to 300
          - DATABASE_URL begins with `mysql:`, but must begin with `sqlite:` or `postgres:`
          - PORT is `http`, but must be a number from 0 to 65535
          - CORS_ALLOWED_ORIGINS entry 1 must be written `https://app.example.com`
          - RATE_LIMIT is `lots`, but must be `off`, or requests per second like `50/s`"#]]
    .assert_eq(&faults(&[
        ("PORT", "http"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ("AUTH_HS256_SECRET", "hunter2"),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://app.example.com/, http://localhost:3000",
        ),
        ("RATE_LIMIT", "lots"),
        ("AUTH_LEEWAY_SECONDS", "-1"),
    ]));
}

#[test]
fn development_mode_stays_on_loopback() {
    assert!(faults(&[("HOST", "0.0.0.0")]).contains("HOST is 0.0.0.0, but no issuer is set"));
    let config = config(&[("HOST", "0.0.0.0"), ("AUTH_HS256_SECRET", SECRET)]);
    assert!(!config.is_development());
    assert!(config.http.allowed_origins.is_empty());
}

#[test]
fn better_auth_url_stands_for_its_defaults() {
    let config = config(&[
        ("BETTER_AUTH_URL", "https://app.example.com/"),
        ("PUBLIC_URL", "https://api.example.com"),
    ]);
    let rules: Vec<_> = config
        .auth
        .issuers
        .iter()
        .map(|rule| match &rule.keys {
            KeySource::Jwks(url) => format!("{:?} {:?} {url}", rule.issuer, rule.audiences),
            KeySource::Hs256(_) => "a secret".to_owned(),
        })
        .collect();
    expect![[r#"
    [
        "Some(\"https://app.example.com\") [\"https://app.example.com\"] https://app.example.com/api/auth/jwks",
        "Some(\"https://app.example.com/api/auth\") [\"https://api.example.com/mcp\"] https://app.example.com/api/auth/jwks",
    ]
"#]].assert_debug_eq(&rules);
}

#[test]
fn issuers_audiences_and_key_sets_belong_together_by_position() {
    let two = config(&[
        ("AUTH_ISSUER", "https://a.example, https://b.example"),
        ("AUTH_AUDIENCE", "x, y z"),
        (
            "AUTH_JWKS_URL",
            "https://a.example/jwks, https://b.example/jwks",
        ),
        ("AUTH_NAMESPACE", "b"),
    ]);
    assert_eq!(two.auth.issuers.len(), 2);
    assert_eq!(two.auth.issuers[1].audiences, ["y", "z"]);
    let fault = faults(&[
        ("AUTH_ISSUER", "a,b"),
        ("AUTH_JWKS_URL", "https://a.example/jwks"),
    ]);
    assert!(
        fault.contains("1 entries, AUTH_ISSUER 2 and AUTH_AUDIENCE 0"),
        "{fault}"
    );
    assert!(faults(&[("AUTH_ISSUER", "a")]).contains("AUTH_JWKS_URL is missing"));
}

#[test]
fn a_secret_alone_asks_for_no_claims_unless_they_are_set() {
    let bare = config(&[("BETTER_AUTH_SECRET", SECRET)]);
    assert_eq!(bare.auth.issuers[0].issuer, None);
    let bound = config(&[
        ("AUTH_HS256_SECRET", SECRET),
        ("AUTH_ISSUER", "me"),
        ("AUTH_AUDIENCE", "you"),
    ]);
    assert_eq!(bound.auth.issuers[0].issuer.as_deref(), Some("me"));
    assert_eq!(bound.auth.issuers[0].audiences, ["you"]);
    assert!(!format!("{bound:?}").contains(SECRET), "a secret shows");
}

#[test]
fn a_database_url_is_translated_and_never_shown() {
    let url = "postgresql://u:hunter2@ep-x.eu.neon.tech/db?sslmode=require&channel_binding=require";
    let config = config(&[("DATABASE_URL", url)]);
    assert_eq!(
        config.database.url,
        "postgres://u:hunter2@ep-x.eu.neon.tech/db?sslmode=verify-full"
    );
    assert!(!config.auto_migrate);
    assert!(config.notes[0].starts_with("DATABASE_URL has sslmode=require, and is read as"));
    assert_eq!(config.warnings, [""; 0]);
    let debug = format!("{config:?}");
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_name_that_looks_like_a_setting_warns() {
    let config = config(&[
        ("BETTER_AUTH_URL", "https://a.example"),
        ("AUTH_JWKS", "https://a.example/jwks"),
        ("TASKWARD_PORT", "1"),
    ]);
    expect![[r#"
    [
        "AUTH_JWKS is not a setting; did you mean AUTH_JWKS_URL?",
        "TASKWARD_PORT is not a setting; did you mean PORT?",
    ]
"#]]
    .assert_debug_eq(&config.warnings);
}

#[test]
fn the_public_address_is_that_of_the_server_and_not_of_its_mcp_endpoint() {
    let faults = faults(&[("PUBLIC_URL", "https://api.example.com/mcp")]);
    assert!(faults.contains("without /mcp"), "{faults}");
}

#[test]
fn numbers_that_would_break_something_later_are_refused_at_the_start() {
    for (name, value) in [
        ("AUTH_JWKS_TTL_SECONDS", "0"),
        ("AUTH_JWKS_COOLDOWN_SECONDS", "18446744073709551615"),
        ("TOMBSTONE_RETENTION_DAYS", "999999999"),
        ("RUST_LOG", "taskward=loud"),
    ] {
        assert!(
            faults(&[(name, value)]).contains(name),
            "{name}={value} is taken"
        );
    }
}

#[test]
fn a_server_that_is_reached_from_elsewhere_should_know_its_name() {
    let reached = |more: &[(&str, &str)]| {
        let base = [("HOST", "0.0.0.0"), ("AUTH_HS256_SECRET", SECRET)];
        config(&[&base, more].concat()).warnings.join("\n")
    };
    assert!(
        reached(&[]).contains("/mcp is served only to clients that call this server localhost")
    );
    assert_eq!(reached(&[("PUBLIC_URL", "https://api.example.com")]), "");
    assert_eq!(
        reached(&[("MCP_ALLOWED_HOSTS", "taskward:8000, [::2]:80, inner")]),
        ""
    );
    assert_eq!(config(&[]).warnings, [""; 0]);
    assert!(!config(&[]).http.mcp.chat_app_tools);
    assert!(
        config(&[("MCP_CHAT_APP_TOOLS", "on")])
            .http
            .mcp
            .chat_app_tools
    );
    for host in ["https://inner", "a b", "user@inner", "inner/path"] {
        let faults = faults(&[("MCP_ALLOWED_HOSTS", host)]);
        assert!(
            faults.contains("entry 1 must be a host like"),
            "{host}: {faults}"
        );
    }
}

#[test]
fn a_file_is_read_as_it_is_written() {
    let text = "\u{feff}APP_NAME=My Todo App\n# a comment's apostrophe\nMOTTO=don't panic\n\
                AUTH_HS256_SECRET=\"0123$456789abcdef0123456789abc$def\"\nPORT=8001\n";
    let config = Config::read(Source::of_file(text)).expect("settings without faults");
    assert_eq!(config.port, 8001);
    let [issuer] = config.auth.issuers.as_slice() else {
        panic!("one issuer");
    };
    let KeySource::Hs256(secret) = &issuer.keys else {
        panic!("a secret");
    };
    assert_eq!(secret.0, "0123$456789abcdef0123456789abc$def");
}

#[test]
fn a_fault_in_a_file_names_its_line_and_not_its_text() {
    let text = format!("APP_NAME=x\nPORT=none\nAUTH_HS256_SECRET=\"{SECRET}\nHOST=127.0.0.1\n");
    let faults = Config::read(Source::of_file(&text))
        .expect_err("settings with faults")
        .to_string();
    assert!(faults.contains("PORT (line 2 of .env)"), "{faults}");
    assert!(
        faults.contains("AUTH_HS256_SECRET in line 3 of .env"),
        "{faults}"
    );
    assert!(!faults.contains(SECRET), "{faults}");
}

#[test]
fn a_line_that_seems_to_set_an_issuer_stops_development_mode() {
    for (line, told) in [
        (
            "set AUTH_HS256_SECRET=hunter2",
            "AUTH_HS256_SECRET in line 2 of .env cannot be read",
        ),
        (
            "EXPORT AUTH_JWKS_URL=https://hunter2.example",
            "AUTH_JWKS_URL in line 2 of .env cannot be read",
        ),
        (
            "\u{200b}BETTER_AUTH_URL=https://hunter2.example",
            "BETTER_AUTH_URL in line 2 of .env cannot be read",
        ),
        (
            "set JWT_SECRET=hunter2",
            "line 2 of .env is not of the form NAME=value, but looks as if",
        ),
        (
            "\u{200b}AUTH_HS256_SECRETS=hunter2",
            "line 2 of .env is not of the form NAME=value, but looks as if",
        ),
    ] {
        let faults = Config::read(Source::of_file(&format!("APP=x\n{line}\n")))
            .expect_err("settings with faults")
            .to_string();
        assert!(faults.contains(told), "{line:?}: {faults}");
        assert!(!faults.contains("hunter2"), "{line:?}: {faults}");
    }
    // What is of others is ignored, with its number; and so is a doubtful line beside an issuer.
    let text = format!("set APP=x\nAUTH_HS256_SECRET={SECRET}\nset JWT_SECRET=hunter2\n");
    let config = Config::read(Source::of_file(&text)).expect("settings without faults");
    assert!(!config.is_development());
    assert_eq!(
        config.warnings[..2],
        [1, 3].map(|line| format!(
            "line {line} of .env is not of the form NAME=value, and is ignored"
        ))
    );
}

#[test]
fn a_misspelt_setting_is_told() {
    let named = |name| format!("{name} is not a setting; did you mean");
    // An issuer that was meant is not replaced by development mode.
    let told = faults(&[("BETTER_AUTH_ULR", "https://app.example.com")]);
    assert!(
        told.contains(&(named("BETTER_AUTH_ULR") + " BETTER_AUTH_URL?")),
        "{told}"
    );
    let config = config(&[("RATE_LIMTI", "50/s"), ("PATH", "/bin"), ("HOSTNAME", "a")]);
    let [warning] = config.warnings.as_slice() else {
        panic!("one warning: {:?}", config.warnings);
    };
    assert!(
        warning.contains(&(named("RATE_LIMTI") + " RATE_LIMIT?")),
        "{warning}"
    );
}

#[test]
fn no_setting_tells_a_secret() {
    let texts = [
        "https://user:hunter2@example.com",
        "https://example.com/keys?key=hunter2",
        "postgres://user:hunter2@db/tasks",
        "postgres://user:hunter2@db/tasks?sslmode=hunter2",
        "postgres://user:hunter2@[db/tasks",
        "postgres://user:1#hunter2@db/tasks",
        "postgres://user:1/hunter2@db/tasks",
        "postgres://user@db/tasks?password=hunter2",
        "postgres://user@db/tasks?hunter2",
        "sqlite://todo.db?key=hunter2",
        "mysql://user:hunter2@db/tasks",
        "user:hunter2@db/tasks",
    ];
    for setting in setting::all() {
        for text in texts {
            let told = match Config::read(Source::of(&[(setting.name(), text)])) {
                Ok(config) => [config.warnings, config.notes].concat().join("\n"),
                Err(faults) => faults.to_string(),
            };
            assert!(
                !told.contains("hunter2"),
                "{}={text}: {told}",
                setting.name()
            );
        }
    }
}

#[test]
fn the_key_of_development_mode_has_one_place_per_user() {
    let file = |pairs: &[(&str, &str)]| {
        let config = Config::read(Source::of(pairs)).expect("settings without faults");
        (
            config.development_key.display().to_string(),
            config.warnings,
        )
    };
    let none: Vec<String> = Vec::new();
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    assert_eq!(
        file(&[("HOME", home), ("XDG_DATA_HOME", "relative")]),
        (
            format!("{home}/.local/share/taskward/development-key.pem"),
            none.clone()
        )
    );
    assert_eq!(
        file(&[("HOME", home), ("XDG_DATA_HOME", "/data")]),
        (
            "/data/taskward/development-key.pem".to_owned(),
            none.clone()
        )
    );
    assert_eq!(
        file(&[("HOME", home), ("DEVELOPMENT_KEY_FILE", "here.pem")]),
        ("here.pem".to_owned(), none)
    );
    for pairs in [&[][..], &[("HOME", "/nonexistent")]] {
        let (file, warnings) = file(pairs);
        assert_eq!(file, "taskward-development-key.pem");
        assert!(warnings[0].contains("there is no home directory"));
    }
}
