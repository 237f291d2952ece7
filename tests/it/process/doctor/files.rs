//! SQLite files that cannot be used.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::task::block_in_place;

use super::{super::disk_full::Disk, Found, Home};

/// A database with some tasks, whose server has stopped.
async fn filled() -> Home {
    let home = Home::sqlite();
    block_in_place(|| home.run(&["migrate", "up"])).good();
    let lines: Vec<String> = (0..2000)
        .map(|n| {
            format!(
                r#"{{"user_id":"alice","title":"Task {n}","created_at":"2026-02-01 08:30:00"}}"#
            )
        })
        .collect();
    fs::write(home.path().join("old.jsonl"), lines.join("\n")).unwrap();
    block_in_place(|| home.run(&["import", "old.jsonl"])).good();
    // A command that ends may leave its log behind, in which the pages are that a test damages.
    execute(&home, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    home
}

async fn execute(home: &Home, sql: &str) {
    let url = format!("sqlite://{}", home.path().join("taskward.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_where_no_file_can_be_is_a_problem() {
    for (url, words) in [
        (
            "sqlite://missing/taskward.db",
            "the folder missing is not there: create it",
        ),
        ("sqlite:///dev/null", "which is a device"),
        (
            "sqlite://gone.db?mode=rw",
            "add `?mode=rwc` to DATABASE_URL",
        ),
    ] {
        let home = Home::sqlite().set("DATABASE_URL", url);
        Found::by(&home, &[]).says("database.file", "problem", words);
    }
    let home = Home::sqlite().set("DATABASE_DIRECT_URL", "sqlite://other.db");
    Found::by(&home, &[]).says("database.file", "problem", "name two files");
    let home = Home::sqlite().set("DATABASE_URL", "sqlite::memory:");
    let found = Found::by(&home, &[]);
    found.says("database.file", "skipped", "in memory");
    found.says(
        "settings",
        "warning",
        "all tasks are gone when the server stops",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_the_file_is_judged() {
    let home = filled().await;
    Found::by(&home, &[]).says("database.content", "ok", "no damage");

    // An older or newer schema.
    let off = filled().await.set("AUTO_MIGRATE", "off");
    block_in_place(|| off.run(&["migrate", "down"])).good();
    Found::by(&off.clone_with("AUTO_MIGRATE", "on"), &[]).says(
        "database.migrations",
        "ok",
        "the start applies them",
    );
    Found::by(&off, &[]).says(
        "database.migrations",
        "problem",
        "are pending, and requests fail",
    );
    block_in_place(|| off.run(&["migrate", "up"])).good();
    execute(
        &off,
        "INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 0)",
    )
    .await;
    let newer = Found::by(&off, &[]);
    newer.says("database.migrations", "warning", "m29990101_000001_later");
    newer.is_good();

    // Somebody else's tables.
    let other = Home::sqlite();
    fs::write(other.path().join("taskward.db"), "").unwrap();
    execute(&other, "CREATE TABLE task (id integer primary key)").await;
    Found::by(&other, &[]).says("database.migrations", "problem", "not Taskward's");

    // Pages in the middle are overwritten.
    let file = home.path().join("taskward.db");
    let mut damaged = OpenOptions::new().write(true).open(&file).unwrap();
    let half = damaged.metadata().unwrap().len() / 2 / 4096 * 4096;
    damaged.seek(SeekFrom::Start(half)).unwrap();
    damaged.write_all(&[0xa5; 3 * 4096]).unwrap();
    Found::by(&home, &[]).says(
        "database.content",
        "problem",
        "damaged: restore it from a backup",
    );
    fs::write(
        &file,
        "no database, but a text that is longer than the header of one",
    )
    .unwrap();
    Found::by(&home, &[]).says("database.content", "problem", "is no SQLite database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_everybody_can_read_is_a_warning() {
    let home = filled().await;
    let file = home.path().join("taskward.db");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let found = Found::by(&home, &[]);
    found.says("database.permissions", "warning", "chmod 600");
    found.is_good();
    assert_eq!(Found::by(&home, &["--strict"]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_disk_and_one_that_cannot_be_written_are_problems() {
    let home = Home::sqlite();
    let Some(disk) = Disk::mount(&home.path().join("disk")) else {
        // Only root can mount.
        return;
    };
    let url = format!("sqlite://{}/taskward.db?mode=rwc", disk.0.display());
    let home = home.set("DATABASE_URL", url);
    block_in_place(|| home.run(&["migrate", "up"])).good();
    Found::by(&home, &[]).says(
        "database.disk_space",
        "problem",
        "writes are about to fail: make room",
    );
    let remount = ["-o", "remount,ro"];
    let remounted = Command::new("mount").args(remount).arg(&disk.0).status();
    assert!(remounted.unwrap().success());
    let found = Found::by(&home, &[]);
    found.says("database.file", "problem", "cannot read and write");
    found.says("database.folder", "problem", "cannot write to");
}
