//! The checked-in entities are what `sea-orm-cli generate entity --entity-format dense` generates from the
//! migrated schema, on either database, and keep what is written.

mod generate;

use std::{env, fs, path::Path};

use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, Database, DatabaseConnection, EntityTrait as _,
    IntoActiveModel as _, QueryOrder as _,
    prelude::{DateTimeWithTimeZone, Json},
};
use taskward::store::migrate::up;

use crate::support::postgres::postgres;
use generate::{Files, generate};

/// The store's own entity, which is private there.
#[path = "../../src/store/entity/task.rs"]
mod task;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/entity");
const MEND: &str = "UPDATE_ENTITIES=1 cargo test --test it entities";

#[tokio::test]
async fn checked_in_entities_match_the_schema() {
    let generated = generate(&sqlite().await).await;
    if env::var_os("UPDATE_ENTITIES").is_some() {
        write(&generated);
    }
    let checked_in = read();
    for name in generated.keys().chain(checked_in.keys()) {
        assert!(
            generated.get(name) == checked_in.get(name),
            "src/store/entity/{name} is not what the migrations give. Mend it with:\n\n    {MEND}\n\n\
             It would be:\n\n{}",
            generated.get(name).map_or("(no such file)", |file| file)
        );
    }
}

#[tokio::test]
async fn postgres_gives_the_same_entities() {
    let Ok(cluster) = postgres() else { return };
    let database = cluster.fresh_database().await;
    let db = connect(&database.url()).await;
    assert_eq!(generate(&db).await, generate(&sqlite().await).await);
}

#[tokio::test]
async fn sqlite_returns_a_row_as_it_was_written() {
    check_round_trip(&sqlite().await).await;
}

#[tokio::test]
async fn postgres_returns_a_row_as_it_was_written() {
    let Ok(cluster) = postgres() else { return };
    let database = cluster.fresh_database().await;
    check_round_trip(&connect(&database.url()).await).await;
}

/// Writes rows and reads them back: each type fits its column, and the order of keys and of times (which
/// SQLite keeps as text) is the same everywhere.
async fn check_round_trip(db: &DatabaseConnection) {
    let full = task::Model {
        user_id: "Ä\u{1F600}'\"".to_owned(),
        id: i64::MAX,
        title: "Über".to_owned(),
        description: Some("a\nb".to_owned()),
        completed_at: Some(time("2026-02-06T09:00:00.000001Z")),
        priority: 2,
        due_at: Some(time("9999-12-31T23:59:59Z")),
        due_is_date: true,
        tags: Json::from(vec!["b", "a"]),
        title_fold: "über".to_owned(),
        description_fold: Some("a\nb".to_owned()),
        tags_fold: "b a".to_owned(),
        create_key: Some("key".to_owned()),
        create_hash: Some("hash".to_owned()),
        created_at: time("2026-02-06T09:00:00Z"),
        updated_at: time("2026-02-06T09:00:00.5Z"),
        revision: i64::MAX,
        deleted_at: Some(time("0001-01-01T00:00:00Z")),
        uid: Some("0f0c1a52-b7d8-4e36-9d5e-0a6f3c1f2b7a".to_owned()),
    };
    let empty = task::Model {
        id: 1,
        revision: 1,
        description: None,
        completed_at: None,
        due_at: None,
        due_is_date: false,
        description_fold: None,
        title_fold: "b".to_owned(),
        create_key: None,
        create_hash: None,
        updated_at: time("2026-02-06T09:00:00Z"),
        deleted_at: None,
        uid: None,
        ..full.clone()
    };
    let third = task::Model {
        id: 2,
        revision: 2,
        title_fold: "B".to_owned(),
        updated_at: time("2026-02-06T09:00:00.500001Z"),
        ..empty.clone()
    };
    for row in [&full, &empty, &third] {
        let written = row.clone().into_active_model().insert(db).await.unwrap();
        assert_eq!(&written, row);
    }
    let by_time = task::Entity::find().order_by_asc(task::Column::UpdatedAt);
    assert_eq!(
        by_time.all(db).await.unwrap(),
        [empty.clone(), full.clone(), third.clone()]
    );
    let by_title = task::Entity::find().order_by_asc(task::Column::TitleFold);
    assert_eq!(by_title.all(db).await.unwrap(), [third, empty, full]);
}

fn time(text: &str) -> DateTimeWithTimeZone {
    DateTimeWithTimeZone::parse_from_rfc3339(text).unwrap()
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    // One connection: to SQLite, each has a database in memory of its own.
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn sqlite() -> DatabaseConnection {
    let db = connect("sqlite::memory:").await;
    up(&db).await.unwrap();
    db
}

fn read() -> Files {
    let entries = fs::read_dir(FOLDER).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn write(files: &Files) {
    for stale in read().keys().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(Path::new(FOLDER).join(stale)).unwrap();
    }
    for (name, code) in files {
        fs::write(Path::new(FOLDER).join(name), code).unwrap();
    }
}
