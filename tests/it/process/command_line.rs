//! The command line.

use std::{fs, path::Path};

use super::{Home, eventually, home::DEVELOPMENT_KEY};
use crate::support::{
    Backend, on_both,
    postgres::{TestDatabase, postgres},
};

const SECRET: &str = "a-secret-of-more-than-32-bytes-which-nobody-may-see";

#[test]
fn help_lists_the_settings() {
    let help = Home::empty().run(&["--help"]).good();
    for name in [
        "serve",
        "migrate",
        "openapi",
        "token",
        "healthcheck",
        "HOST",
        "PORT",
        "DATABASE_URL",
        "AUTH_HS256_SECRET",
        "BETTER_AUTH_URL",
        "RATE_LIMIT",
        "LOG_FORMAT",
    ] {
        assert!(help.contains(name), "{name} is missing: {help}");
    }
}

#[test]
fn version_prints_the_version() {
    let version = Home::empty().run(&["--version"]).good();
    assert_eq!(version, format!("taskward {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_command_is_refused() {
    let ran = Home::empty().run(&["sevre"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("serve"), "{ran:?}");
}

#[test]
fn an_unusable_database_file_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/taskward.db");
    for (file, words) in [
        (missing.as_path(), "its folder must exist"),
        (
            folder.path(),
            "add the name of a file in it, like taskward.db",
        ),
        (
            Path::new("/dev/null"),
            "which is a device and no regular file",
        ),
    ] {
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let home = Home::empty().set("DATABASE_URL", &url);
        for command in [&["migrate", "status"][..], &["serve"]] {
            let told = home.run(command).bad();
            assert!(told.contains(words), "{told}");
            assert!(told.contains(&file.display().to_string()), "{told}");
            assert!(
                !told.contains("code: 14") && !told.contains("chmod"),
                "{told}"
            );
        }
    }
}

#[test]
fn the_contract_needs_no_settings_and_no_database() {
    let home = Home::empty()
        .set("DATABASE_URL", "mysql://nowhere")
        .set("PORT", "many");
    let json = home.run(&["openapi"]).good();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
    let yaml = home.run(&["openapi", "--yaml"]).good();
    assert!(
        yaml.starts_with("openapi: 3.1") || yaml.starts_with("openapi: '3.1"),
        "{}",
        &yaml[..40]
    );
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "it left files"
    );
}

#[test]
fn development_mode_listens_on_loopback_only() {
    let home = Home::sqlite().set("HOST", "0.0.0.0");
    let told = home.run(&[]).bad();
    assert!(
        told.contains("loopback") && told.contains("HOST is 0.0.0.0"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_issuer_the_server_may_listen_on_any_address() {
    let home = Home::sqlite()
        .set("HOST", "0.0.0.0")
        .set("AUTH_HS256_SECRET", SECRET);
    let server = home.start().await;
    assert_eq!(server.anon().get("/readyz").await.status, 200);
    // Tokens of the development key are refused here, and no token is printed.
    assert_eq!(server.user("alice").get("/api/v1/tasks").await.status, 401);
    assert_eq!(server.printed(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_gets_a_link_and_a_token() {
    let home = Home::sqlite();
    let server = home.start().await;
    let welcome = eventually("the welcome is printed", || async {
        let printed = server.printed().join("\n");
        printed.contains("taskward token bob").then_some(printed)
    })
    .await;
    assert_eq!(server.anon().get("/docs/").await.status, 200);
    let line = welcome.lines().find(|line| line.contains("Token"));
    let token = line.unwrap().split_whitespace().last().unwrap();
    let link = format!("  Swagger UI  {}/docs/#token={token}\n", server.base);
    assert!(welcome.contains(&link), "{welcome}");
    assert!(!server.log().join("\n").contains(token));
    let key = home.path().join(DEVELOPMENT_KEY);
    assert!(welcome.contains(key.to_str().unwrap()), "{welcome}");
    let me = server.holder(token).get("/api/v1/me").await;
    assert_eq!((me.status, &me.body["user_id"]), (200, &"alice".into()));

    // Another process in another folder, while the server runs.
    let elsewhere = tempfile::tempdir().unwrap();
    let ran = home
        .command(&["token", "bob", "--scope", "tasks:read", "--seconds", "60"])
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let token = String::from_utf8(ran.stdout).unwrap();
    let bob = server.holder(token.trim());
    assert_eq!(bob.get("/api/v1/me").await.body["user_id"], "bob");
    let refused = bob
        .post("/api/v1/tasks", serde_json::json!({ "title": "Milk" }))
        .await;
    assert_eq!(refused.status, 403);
    let told = home.run(&["token", ""]).bad();
    assert!(told.contains("the user"), "{told}");
}

#[test]
fn taskward_token_works_in_development_mode_only() {
    for issuer in [
        ("AUTH_HS256_SECRET", SECRET),
        ("BETTER_AUTH_URL", "https://app.example.com"),
    ] {
        let home = Home::sqlite().set(issuer.0, issuer.1);
        let told = home.run(&["token", "alice"]).bad();
        assert!(told.contains("an issuer is set"), "{told}");
        assert!(!told.contains(SECRET));
        assert!(!home.path().join(DEVELOPMENT_KEY).exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthcheck_has_an_exit_status() {
    let home = Home::sqlite();
    let server = home.start().await;
    let check = |home: &Home| home.run(&["healthcheck"]);
    let beside = home.set("PORT", server.port.to_string());
    assert!(check(&beside).good().contains("ok"));
    // One that answers, and cannot work, is unhealthy as well, and says why.
    let bare = Home::sqlite().set("AUTO_MIGRATE", "off");
    let not_ready = bare.start().await;
    let told = check(&bare.clone_with("PORT", not_ready.port.to_string()));
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("migrations are pending"), "{told:?}");
    server.signal("STOP");
    // A server that does not answer is unhealthy, and the check does not hang.
    assert!(!check(&beside).bad().is_empty());
    server.kill();
    assert!(!check(&beside).bad().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn development_reads_a_file_of_settings() {
    let home = Home::empty().set("LOG_FORMAT", "json").set("PORT", "0");
    let file = "PORT=1\nDATABASE_URL=sqlite://from-file.db?mode=rwc\nMAX_TASKS_PER_USER=1\n";
    fs::write(home.path().join(".env"), file).unwrap();
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("Buy milk").await;
    let second = alice
        .post("/api/v1/tasks", serde_json::json!({ "title": "Bread" }))
        .await;
    assert_eq!((second.status, second.code()), (409, "task_limit_reached"));
    assert!(home.path().join("from-file.db").exists());
    drop(server);

    // Not in production, where a stray file must not change the settings.
    let home = home.set("AUTH_HS256_SECRET", SECRET);
    let server = home.start().await;
    assert_eq!(server.anon().get("/readyz").await.status, 200);
    assert!(home.path().join("taskward.db").exists());
}

/// A database without a schema, whose name is in the settings.
async fn bare(on: Backend) -> (Home, Option<TestDatabase>) {
    match on {
        Backend::Sqlite => (Home::sqlite().set("AUTO_MIGRATE", "off"), None),
        Backend::Postgres => {
            let database = postgres().unwrap().empty_database().await;
            (Home::postgres(&database.url()), Some(database))
        }
    }
}

on_both! {
    async fn migrations_go_up_and_down(on: Backend) {
        let (home, _database) = bare(on).await;
        let status = |applied: &str| {
            let status = home.run(&["migrate", "status"]).good();
            let lines: Vec<&str> = status.lines().collect();
            assert!(lines.len() >= 2, "{status}");
            assert!(lines.iter().all(|line| line.starts_with(applied)), "{status}");
            lines.len()
        };
        let all = status("pending m20");
        let up = home.run(&["migrate", "up"]);
        // PostgreSQL notes for each step that the migrator's table exists already.
        assert!(!up.err.contains("skipping"), "{}", up.err);
        let up = up.good();
        assert_eq!(up.matches("applied m20").count(), all, "{up}");
        assert_eq!(status("applied m20"), all);
        assert_eq!(home.run(&["migrate", "up"]).good(), "nothing to do\n");
        assert_eq!(home.run(&["migrate", "reindex"]).good(), "0 tasks had other search keys\n");
        let down = home.run(&["migrate", "down"]).good();
        assert_eq!(down.matches("reverted m20").count(), 1, "{down}");
        let down = home.run(&["migrate", "down", "99"]).good();
        assert_eq!(down.matches("reverted m20").count(), all - 1, "{down}");
        assert_eq!(status("pending m20"), all);
    }

    async fn a_server_waits_for_its_migrations(on: Backend) {
        let (home, _database) = bare(on).await;
        let server = home.start().await;
        let ready = server.anon().get("/readyz").await;
        assert_eq!(ready.status, 503);
        let detail = ready.body["detail"].as_str().unwrap();
        assert!(detail.contains("migrations are pending (run `taskward migrate up`)"), "{detail}");
        home.run(&["migrate", "up"]).good();
        eventually("the server is ready", || async {
            (server.anon().get("/readyz").await.status == 200).then_some(())
        })
        .await;
        server.user("alice").create("Buy milk").await;
    }
}

#[tokio::test]
async fn the_server_may_open_as_many_files_as_the_system_allows() {
    let home = Home::sqlite().through(r#"ulimit -S -n 100; ulimit -H -n 600; exec "$@""#);
    let server = home.start().await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let open_files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<_> = open_files.unwrap().split_whitespace().collect();
    assert_eq!(words[3..5], ["600", "600"], "{limits}");
}
