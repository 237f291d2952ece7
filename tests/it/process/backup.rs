//! `taskward backup`, and the permissions of the server's files.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use reqwest::header;
use sea_orm::sqlx::{self, Connection as _, SqliteConnection};
use serde_json::json;

use super::Home;
use crate::support::{Backend, on_both, postgres::postgres};

const TASKS: &str = "/api/v1/tasks";

on_both! {
    /// A backup of either database is restored, as docs/operating.md says, and clients come that have seen what was lost.
    async fn nothing_from_before_fits_after_a_restore(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        alice.create("milk").await;
        match on {
            Backend::Sqlite => { home.run(&["backup", "copy.db"]).good(); }
            Backend::Postgres => pg("pg_dump", &["--format=custom", "--file", &dump(&home), home.setting("DATABASE_URL")]),
        }
        // What is lost.
        let bread = alice.create("bread").await;
        let milk = alice.patch(&format!("{TASKS}/1"), json!({ "title": "oat milk" })).await.has(200);
        let list = alice.get(&format!("{TASKS}?limit=1")).await.has(200);
        server.kill();
        let (home, _database) = match on {
            Backend::Sqlite => {
                for name in ["taskward.db-wal", "taskward.db-shm"] {
                    let _ = fs::remove_file(home.path().join(name));
                }
                fs::rename(home.path().join("copy.db"), home.path().join("taskward.db")).unwrap();
                (home, None)
            }
            Backend::Postgres => {
                let cluster = crate::support::postgres::postgres().unwrap();
                let database = cluster.empty_database().await;
                pg("pg_restore", &["--no-owner", "--dbname", &database.url(), &dump(&home)]);
                (home.set("DATABASE_URL", database.url()), Some(database))
            }
        };

        // A copy that is ahead of the database is told so, even if the operator has done nothing.
        let server = home.start().await;
        let alice = server.user("alice");
        assert_eq!(alice.titles("").await, ["milk"]);
        alice.get("/api/v1/changes?since=3").await.fails(410, "resync_required");
        server.kill();

        assert_eq!(home.run(&["after-restore"]).good().split(':').next(), Some("moved the revisions of 1 users ahead"));
        let server = home.start().await;
        let alice = server.user("alice");
        alice.create("tea").await;
        for since in [1, 3, 500_000] {
            alice.get(&format!("/api/v1/changes?since={since}")).await.fails(410, "resync_required");
        }
        alice.get_if_none_match(&format!("{TASKS}?limit=1"), list.header("etag")).await.has(200);
        let change = json!({ "title": "of a task that was lost" });
        alice.patch_if_match(&format!("{TASKS}/1"), milk.header("etag"), change.clone()).await.fails(412, "version_mismatch");
        alice.patch(&bread.location, change).await.fails(404, "task_not_found");
        let cursor = list.body["next_cursor"].as_str().unwrap();
        alice.get(&format!("{TASKS}?limit=1&cursor={cursor}")).await.fails(400, "invalid_cursor");
        let late = alice.request(reqwest::Method::GET, "/api/v1/events").header("last-event-id", "2");
        alice.send(late.header(header::ACCEPT, "text/event-stream")).await.fails(410, "resync_required");
        assert_eq!(alice.titles("").await, ["tea", "milk"]);
    }
}

/// Where the dump of a database is.
fn dump(home: &Home) -> String {
    let file = home.path().join("taskward.dump");
    file.to_str().unwrap().to_owned()
}

/// Runs a program of PostgreSQL.
fn pg(program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{program}: {ran:?}");
}

/// The permissions of a file in the folder.
fn mode(home: &Home, name: &str) -> u32 {
    fs::metadata(home.path().join(name)).unwrap().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_acknowledged_before() {
    let mut home = Home::sqlite();
    let server = home.start().await;
    let alice = server.user("alice");
    let first = alice.create("Buy milk").await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let (bob, stop) = (server.user(&format!("bob{number}")), stop.clone());
            tokio::spawn(async move {
                let mut count = 0;
                while !stop.load(Relaxed) {
                    bob.create(&format!("Task {count}")).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut before = Vec::new();
    for number in 0..3 {
        let title = format!("before backup {number}");
        before.push(alice.create(&title).await.id);
        let file = format!("backup{number}.db");
        let mut command = home.command(&["backup", &file]);
        let ran = tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
        assert_eq!(mode(&home, &file), 0o600);
    }
    stop.store(true, Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert!(written > 0);
    server.kill();

    // The copy is a complete database.
    for (number, id) in before.iter().enumerate() {
        home = home.set(
            "DATABASE_URL",
            format!("sqlite://backup{number}.db?mode=rw"),
        );
        let restored = home.start().await;
        let alice = restored.user("alice");
        alice.get(&first.location).await.has(200);
        let task = alice.get(&format!("/api/v1/tasks/{id}")).await.has(200);
        assert_eq!(task.body["title"], format!("before backup {number}"));
        restored.user("bob0").create("another").await;
        restored.kill();
    }
}

#[tokio::test]
async fn a_backup_refuses_to_overwrite_a_file() {
    let home = Home::sqlite();
    home.run(&["migrate", "up"]).good();
    fs::write(home.path().join("there.db"), "mine").unwrap();
    let told = home.run(&["backup", "there.db"]).bad();
    assert!(told.contains("there.db is there already"), "{told}");
    assert_eq!(
        fs::read_to_string(home.path().join("there.db")).unwrap(),
        "mine"
    );
    // Names that SQLite reads as something else are files all the same.
    for name in [":memory:", "file:b.db?mode=memory"] {
        home.run(&["backup", name]).good();
        let copy = fs::metadata(home.path().join(name)).unwrap();
        assert!(copy.len() > 0, "{name}");
    }
    let told = home.run(&["backup", "no/folder.db"]).bad();
    assert!(told.contains("cannot create no/folder.db"), "{told}");

    let gone = home.clone_with("DATABASE_URL", "sqlite::memory:");
    let told = gone.run(&["backup", "copy.db"]).bad();
    assert!(
        told.contains("a database in memory cannot be copied"),
        "{told}"
    );

    let none = Home::sqlite();
    let told = none.run(&["backup", "copy.db"]).bad();
    assert!(
        told.contains("cannot open the SQLite file taskward.db"),
        "{told}"
    );
    assert!(!none.path().join("copy.db").exists());

    // A file that is not a database leaves no copy either.
    fs::write(none.path().join("taskward.db"), [b'x'; 8192]).unwrap();
    let told = none.run(&["backup", "copy.db"]).bad();
    assert!(told.contains("taskward.db is no SQLite database"), "{told}");
    assert!(!none.path().join("copy.db").exists());
}

/// A value that no statement of ours could have written: SQLite copies it, and its check of the copy finds it.
#[tokio::test]
async fn a_copy_that_is_not_whole_is_refused() {
    let home = Home::sqlite();
    let server = home.start().await;
    server.user("alice").create("milk").await;
    server.kill();
    let url = format!("sqlite://{}", home.path().join("taskward.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let sql: String = sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'task'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let lax = sql.replacen("\"title\" text NOT NULL", "\"title\" text", 1);
    assert_ne!(
        lax, sql,
        "the column of the title is written in another way"
    );
    for schema in [lax, sql] {
        let mend = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ? WHERE name = 'task'; \
             PRAGMA writable_schema = RESET";
        sqlx::query(mend)
            .bind(schema)
            .execute(&mut connection)
            .await
            .unwrap();
        // It is refused once the schema is as it was.
        let _ = sqlx::query("UPDATE task SET title = NULL")
            .execute(&mut connection)
            .await;
    }
    connection.close().await.unwrap();
    let told = home.run(&["backup", "copy.db"]).bad();
    assert!(
        told.contains("the copy is damaged, and so may be the database: NULL value in task.title"),
        "{told}"
    );
    assert!(!home.path().join("copy.db").exists());
}

#[tokio::test]
async fn a_backup_of_postgresql_points_to_pg_dump() {
    let Ok(server) = postgres() else {
        return;
    };
    let database = server.fresh_database().await;
    let told = Home::postgres(&database.url())
        .run(&["backup", "copy.db"])
        .bad();
    assert!(told.contains("pg_dump --format=custom"), "{told}");
}

#[tokio::test]
async fn nobody_else_reads_the_files_of_sqlite() {
    let home = Home::sqlite().through("umask 000; exec \"$@\"");
    let server = home.start().await;
    server.user("alice").create("Buy milk").await;
    for file in ["taskward.db", "taskward.db-wal", "taskward.db-shm"] {
        assert_eq!(mode(&home, file), 0o600, "{file}");
    }
    server.kill();

    // An existing file keeps its permissions; the log warns that all can read it.
    let file = home.path().join("taskward.db");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let server = home.start().await;
    let log = server.log();
    assert!(
        log.iter()
            .any(|line| line.contains("every user of this machine can read the tasks")),
        "{log:?}"
    );
    assert_eq!(mode(&home, "taskward.db"), 0o644);
}
