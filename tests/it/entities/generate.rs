//! What the command line tool of sea-orm does to make entities of a database.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use sea_orm::{DatabaseConnection, DbBackend, sea_query::TableCreateStatement};
use sea_orm_codegen::{
    BannerVersion, BigIntegerType, DateTimeCrate, EntityFormat, EntityTransformer,
    EntityWriterContext, WithPrelude, WithSerde,
};

/// Files by name.
pub type Files = BTreeMap<String, String>;

/// The entities of a migrated database, with the defaults of the tool but for the prelude, which nobody
/// needs.
///
/// The unique keys are left out: codegen can give a column one key only, and `user_id` is in two, so that
/// the other key would become a `find_by_…` that looks for an idempotency key among *all* users.
pub async fn generate(db: &DatabaseConnection) -> Files {
    let tables = match db.get_database_backend() {
        DbBackend::Sqlite => sqlite_tables(db).await,
        _ => postgres_tables(db).await,
    };
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
