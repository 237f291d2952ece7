//! Migrations: up and down, by many processes at once, and seen from a build that is too old.

mod empty;
mod partitions;
mod search_keys;
mod storage;

use std::{
    env::current_exe,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use migration::{Migrator, MigratorTraitSelf as _};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};
use taskward::store::migrate::{self, UnknownMigrations, down, pending, status, up, up_within};

use empty::{Empty, connect};

const SEARCH_KEYS: &str = "m20261202_000004_search_keys";

/// The names of all migrations, oldest first.
fn all() -> Vec<String> {
    let migrations = Migrator {
        search_keys: migrate::SEARCH_KEYS,
        row_bytes: migrate::ROW_BYTES,
    }
    .migrations();
    migrations.iter().map(|it| it.name().to_owned()).collect()
}

/// Makes a test of each check for each database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name($crate::migrations::Empty::sqlite()).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(empty) = $crate::migrations::Empty::postgres().await else { return };
                super::$name(empty).await;
            })*
        }
    };
}
use on_both;

on_both! {
    migrations_go_up_and_down_again
    status_writes_nothing
    concurrent_starts_are_safe
    concurrent_processes_are_safe
    migrations_of_a_newer_build_are_named
    tables_of_another_backend_are_named
    waiting_for_the_lock_ends
    a_lock_ends_with_the_session_that_holds_it
}

async fn migrations_go_up_and_down_again(empty: Empty) {
    let db = empty.connect().await;
    assert_eq!(up(&db).await.unwrap(), all());
    assert_eq!(up(&db).await.unwrap(), [""; 0]);
    assert_eq!(pending(&db).await.unwrap(), 0);
    let newest_first: Vec<String> = all().into_iter().rev().collect();
    let (later, first) = newest_first.split_at(newest_first.len() - 1);
    let steps = u32::try_from(later.len()).unwrap();
    assert_eq!(down(&db, steps).await.unwrap(), later);
    let applied = |(name, is_applied): (String, bool)| is_applied.then_some(name);
    let status_now = status(&db).await.unwrap().into_iter();
    assert_eq!(status_now.filter_map(applied).collect::<Vec<_>>(), first);
    assert!(count(&db, "task").await.is_err());
    assert_eq!(up(&db).await.unwrap(), all()[1..]);
    assert_eq!(count(&db, "task").await.unwrap(), 0);
    assert_eq!(down(&db, 99).await.unwrap(), newest_first);
    assert!(count(&db, "user_clock").await.is_err());
    assert_eq!(up(&db).await.unwrap(), all());
}

async fn status_writes_nothing(empty: Empty) {
    let db = empty.connect().await;
    assert_eq!(pending(&db).await.unwrap(), all().len());
    let status = status(&db).await.unwrap();
    let none_applied: Vec<_> = all().into_iter().map(|name| (name, false)).collect();
    assert_eq!(status, none_applied);
    assert!(count(&db, "seaql_migrations").await.is_err());
}

async fn concurrent_starts_are_safe(empty: Empty) {
    let pools = join_all((0..8).map(|_| empty.connect())).await;
    let applied = join_all(pools.iter().map(up)).await;
    let mut applied: Vec<String> = applied.into_iter().flat_map(Result::unwrap).collect();
    applied.sort();
    assert_eq!(applied, all());
    assert_eq!(recorded(&pools[0]).await, all().len());
}

/// The same with processes, which share no lock but the database's: this program again, running only
/// [`as_another_process`].
async fn concurrent_processes_are_safe(empty: Empty) {
    let children: Vec<_> = (0..4)
        .map(|_| {
            Command::new(current_exe().unwrap())
                .args(["--exact", "migrations::as_another_process", "--nocapture"])
                .env("MIGRATE_THIS", &empty.url)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut applied = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let output_text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output_text}");
        applied += output_text.matches("applied m").count();
    }
    assert_eq!(applied, all().len());
}

#[tokio::test]
async fn as_another_process() {
    let Ok(url) = std::env::var("MIGRATE_THIS") else {
        return;
    };
    for name in up(&connect(&url, 1).await).await.unwrap() {
        println!("applied {name}");
    }
}

async fn migrations_of_a_newer_build_are_named(empty: Empty) {
    let db = empty.connect().await;
    up(&db).await.unwrap();
    let newer =
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_x', 0)";
    db.execute_unprepared(newer).await.unwrap();
    let unknown = UnknownMigrations(vec!["m29990101_000001_x".to_owned()]);
    for error in [
        status(&db).await.unwrap_err(),
        pending(&db).await.unwrap_err(),
        up(&db).await.unwrap_err(),
        down(&db, 1).await.unwrap_err(),
    ] {
        assert_eq!(error.downcast_ref(), Some(&unknown));
        assert!(error.to_string().contains("newer build"), "{error}");
    }
    assert_eq!(recorded(&db).await, all().len() + 1);
}

/// FastAPI backends often call their table `task` too.
async fn tables_of_another_backend_are_named(empty: Empty) {
    let db = empty.connect().await;
    let create = "CREATE TABLE task (id integer PRIMARY KEY, title text)";
    db.execute_unprepared(create).await.unwrap();
    let told = up(&db).await.unwrap_err().to_string();
    assert!(
        told.contains("the table `task`") && told.contains("a database of its own"),
        "{told}"
    );
    // The table is unchanged, and no other was created.
    assert_eq!(count(&db, "task").await.unwrap(), 0);
    assert!(count(&db, "user_clock").await.is_err());
    db.execute_unprepared("DROP TABLE task").await.unwrap();
    assert_eq!(up(&db).await.unwrap(), all());
}

async fn waiting_for_the_lock_ends(empty: Empty) {
    let holder = hold(&empty).await;
    let db = empty.connect().await;
    let began = Instant::now();
    let error = up_within(&db, Duration::from_millis(300))
        .await
        .unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    let message = format!("{error:#}");
    assert!(message.contains("another process is"), "{message}");
    if db.get_database_backend() == DbBackend::Postgres {
        assert!(message.contains("(server process "), "{message}");
        assert!(message.contains("127.0.0.1, connected 20"), "{message}");
    }
    holder.close().await.unwrap();
    assert_eq!(up(&db).await.unwrap(), all());
}

async fn a_lock_ends_with_the_session_that_holds_it(empty: Empty) {
    let holder = hold(&empty).await;
    let db = empty.connect().await;
    let waiting = tokio::spawn(async move { up(&db).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    // As when its process dies: the connection closes and nobody unlocks.
    holder.close().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), all());
}

/// Takes the lock, as a process would that migrates for very long; closing the connection lets it go.
async fn hold(empty: &Empty) -> DatabaseConnection {
    let holder = connect(&empty.url, 1).await;
    let lock = match holder.get_database_backend() {
        DbBackend::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        _ => format!(
            "SELECT pg_advisory_lock({})",
            i64::from_be_bytes(*b"taskward")
        ),
    };
    holder.execute_unprepared(&lock).await.unwrap();
    holder
}

/// How many migrations the database has.
async fn recorded(db: &DatabaseConnection) -> usize {
    let recorded = count(db, "seaql_migrations").await.unwrap();
    recorded.try_into().unwrap()
}

async fn count(db: &DatabaseConnection, table: &str) -> Result<i64, DbErr> {
    let count = format!("SELECT count(*) FROM {table}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), count));
    row.await?.unwrap().try_get_by_index(0)
}
