//! The checked-in entities are what `sea-orm-cli generate entity --entity-format dense` makes of the
//! migrated schema, on either database, and hold what they are given.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use migration::{Migrator, MigratorTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, Database, DatabaseConnection, EntityTrait as _,
    IntoActiveModel as _, QueryOrder as _,
    prelude::{DateTimeWithTimeZone, Json},
    sea_query::TableCreateStatement,
};
use sea_orm_codegen::{
    BannerVersion, BigIntegerType, DateTimeCrate, EntityFormat, EntityTransformer,
    EntityWriterContext, WithPrelude, WithSerde,
};

use crate::support::postgres::postgres;

/// The store's own entity, which is private there.
#[path = "../../src/store/entity/task.rs"]
mod task;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/entity");
const MEND: &str = "UPDATE_ENTITIES=1 cargo test --test it entities";

/// Files by name.
type Files = BTreeMap<String, String>;

#[tokio::test]
async fn checked_in_entities_are_what_the_schema_gives() {
    let generated = generate(sqlite_tables(&sqlite().await).await);
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
    assert_eq!(
        generate(postgres_tables(&db).await),
        generate(sqlite_tables(&sqlite().await).await)
    );
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
    Migrator::up(&db, None).await.unwrap();
    db
}

/// The tables without their unique keys: codegen can give a column one key only, and `user_id` is in two,
/// so that the other key would become a `find_by_…` that looks for an idempotency key among *all* users.
async fn sqlite_tables(db: &DatabaseConnection) -> Vec<TableCreateStatement> {
    let pool = db.get_sqlite_connection_pool().clone();
    let schema = sea_schema::sqlite::discovery::SchemaDiscovery::new(pool);
    let tables = schema.discover().await.unwrap().tables;
    let tables = tables.into_iter();
    let tables = tables.filter(|table| table.name != "seaql_migrations");
    tables.map(|table| table.write()).collect()
}

async fn postgres_tables(db: &DatabaseConnection) -> Vec<TableCreateStatement> {
    let pool = db.get_postgres_connection_pool().clone();
    let schema = sea_schema::postgres::discovery::SchemaDiscovery::new(pool, "public");
    let tables = schema.discover().await.unwrap().tables;
    let tables = tables.into_iter();
    let tables = tables.filter(|table| table.info.name != "seaql_migrations");
    tables
        .map(|mut table| {
            table.unique_constraints.clear();
            table.write()
        })
        .collect()
}

/// What the command line tool does with the tables, with its defaults but for the prelude, which nobody
/// needs.
fn generate(tables: Vec<TableCreateStatement>) -> Files {
    let none = Vec::new;
    let context = EntityWriterContext::new(
        EntityFormat::Dense,
        WithPrelude::None,
        WithSerde::None,
        false,
        DateTimeCrate::Chrono,
        BigIntegerType::I64,
        None,
        false,
        false,
        false,
        none(),
        none(),
        none(),
        none(),
        none(),
        false,
        true,
        BannerVersion::Minor,
    );
    let writer = EntityTransformer::transform(tables).unwrap();
    let files = writer.generate(&context).files.into_iter();
    files
        .map(|file| (file.name, rustfmt(&file.content)))
        .collect()
}

fn rustfmt(code: &str) -> String {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt is needed: rustup component add rustfmt");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(code.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "rustfmt failed on:\n{code}");
    String::from_utf8(output.stdout).unwrap()
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
