//! What the program says about its settings has all faults, and no secret.

use std::fs;

use super::Home;

const SECRET: &str = "a-secret-of-more-than-32-bytes-which-nobody-may-see";
/// A secret part of a value, which must not appear anywhere.
const MARKER: &str = "hunter2-0123456789-0123456789-0123456789";

#[test]
fn all_faults_of_the_settings_are_reported_without_secrets() {
    let home = Home::empty()
        .set("HOST", "everywhere")
        .set("PORT", "70000")
        .set("DATABASE_URL", "mysql://root:hunter2@localhost/tasks")
        .set(
            "DATABASE_DIRECT_URL",
            "postgres://root:hunter3@[localhost/tasks",
        )
        .set("AUTH_HS256_SECRET", "too-short-secret")
        .set("BETTER_AUTH_URL", "app.example.com")
        .set("CORS_ALLOWED_ORIGINS", "https://app.example.com/path")
        .set("LOG_FORMAT", "xml")
        .set("SHUTDOWN_DELAY_SECONDS", "soon");
    for command in [
        &[][..],
        &["serve"],
        &["migrate", "status"],
        &["healthcheck"],
        &["token", "alice"],
    ] {
        let told = home.run(command).bad();
        for name in [
            "HOST",
            "PORT",
            "DATABASE_URL",
            "DATABASE_DIRECT_URL",
            "AUTH_HS256_SECRET",
            "BETTER_AUTH_URL",
            "CORS_ALLOWED_ORIGINS",
            "LOG_FORMAT",
            "SHUTDOWN_DELAY_SECONDS",
        ] {
            assert!(
                told.contains(&format!("  - {name} ")),
                "{name} is missing: {told}"
            );
        }
        for secret in ["hunter2", "hunter3", "too-short-secret"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "it left files"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_no_secret() {
    let home = Home::postgres("postgres://root:hunter2@127.0.0.1:1/tasks")
        .set("AUTH_HS256_SECRET", SECRET)
        .set("RUST_LOG", "trace");
    let server = home.start().await;
    assert_eq!(server.anon().get("/readyz").await.status, 503);
    let log = server.log().join("\n");
    assert!(!log.contains("hunter2") && !log.contains(SECRET), "{log}");
}

/// The names of all settings, as `--help` lists them.
fn settings() -> Vec<String> {
    let help = taskward::config::help();
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

/// Texts with a secret in a place where one can be.
fn with_a_secret() -> Vec<String> {
    [
        "https://user:MARKER@example.com",
        "https://example.com/keys?key=MARKER",
        "http://127.0.0.1:1/jwks?key=MARKER",
        "http://user:MARKER@127.0.0.1:1/jwks",
        "postgres://user:MARKER@127.0.0.1:1/tasks",
        "postgres://user:MARKER@127.0.0.1:1/tasks?sslmode=MARKER",
        "postgres://user:MARKER@[127.0.0.1/tasks",
        "postgres://user:MAR#KER@127.0.0.1/tasks",
        "postgres://user:1/MARKER@127.0.0.1/tasks",
        "postgres://user@127.0.0.1:1/tasks?password=MARKER",
        "postgres://user@127.0.0.1:1/tasks?MARKER",
        "mysql://user:MARKER@db/tasks",
        "user:MARKER@db/tasks",
    ]
    .map(|text| {
        text.replace("MARKER", MARKER)
            .replace("MAR#KER", &format!("{MARKER}#{MARKER}"))
    })
    .to_vec()
}

#[test]
fn no_setting_prints_a_secret_at_the_start() {
    let names = settings();
    assert!(names.len() > 25, "{names:?}");
    for text in with_a_secret() {
        let all = names.iter().filter(|name| *name != "RUST_LOG");
        let home = all.fold(Home::empty().set("RUST_LOG", "trace"), |home, name| {
            home.set(name, &text)
        });
        let told = home.run(&[]).bad();
        assert!(told.contains("  - HOST "), "{told}");
        assert!(!told.contains("hunter2"), "{text}: {told}");
    }
}

#[test]
fn a_secret_in_the_wrong_form_or_place_is_not_printed() {
    for name in [
        "AUTH_HS256_SECRET",
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_SECRTE",
        "DATABASE_URL",
    ] {
        let short = &MARKER[..20];
        for text in [
            short.to_owned(),
            format!(" {MARKER} "),
            format!("{MARKER}${{A}}"),
        ] {
            let home = Home::empty().set("RUST_LOG", "trace").set("PORT", "1");
            let ran = home.set(name, &text).run(&["healthcheck"]);
            assert!(!ran.err.contains("hunter2"), "{name}={text}: {ran:?}");
        }
        for line in [
            format!("{name}=\"{MARKER}"),
            format!("{name} {MARKER}"),
            format!("{name}: {MARKER}"),
            format!("{name}='{MARKER}'x"),
            MARKER.to_string(),
            format!("{MARKER} {name}={MARKER}"),
            format!("{name}={MARKER}#x"),
            format!("NOTE='\n{name}={MARKER}\n'"),
        ] {
            let home = Home::empty().set("RUST_LOG", "trace").set("PORT", "1");
            fs::write(home.path().join(".env"), &line).unwrap();
            let ran = home.run(&["healthcheck"]);
            assert!(!ran.err.contains("hunter2"), "{line}: {ran:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_running_server_has_no_secret() {
    for (name, text) in [
        (
            "AUTH_JWKS_URL",
            format!("http://user:{MARKER}@127.0.0.1:1/jwks?key={MARKER}"),
        ),
        (
            "DATABASE_URL",
            format!("postgres://user:{MARKER}@127.0.0.1:1/tasks?foo={MARKER}"),
        ),
    ] {
        let home = Home::sqlite()
            .set("AUTH_ISSUER", "https://app.example.com")
            .set("AUTH_AUDIENCE", "https://app.example.com")
            .set("AUTH_JWKS_URL", "http://127.0.0.1:1/jwks")
            .set("RUST_LOG", "trace")
            .set(name, text);
        let server = home.start().await;
        assert_eq!(server.anon().get("/readyz").await.status, 503);
        super::eventually("the key set is looked for", || async {
            let log = server.log().join("\n");
            log.contains("cannot fetch the key set").then_some(())
        })
        .await;
        let log = server.log().join("\n");
        assert!(!log.contains("hunter2"), "{name}: {log}");
    }
}
