//! What the entities do not show of the schema: collations, how rows lie, and names.

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};

use taskward::store::migrate::up;

use crate::support::postgres::postgres;

#[tokio::test]
async fn sqlite_keeps_the_rows_of_a_user_together() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    up(&db).await.unwrap();
    let tables = "SELECT name FROM pragma_table_list \
                  WHERE wr AND schema = 'main' ORDER BY name";
    let names = texts(&db, tables).await;
    assert_eq!(names.join(" "), "task token_revocation user_clock");
    let indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> '' ORDER BY name";
    let names = texts(&db, indexes).await;
    assert_eq!(
        names.join(" "),
        "task_create_key_key task_deleted_at task_revision_key task_tombstones task_uid_key"
    );
}

#[tokio::test]
async fn postgres_compares_keys_by_bytes() {
    let Ok(cluster) = postgres() else { return };
    let database = cluster.empty_database().await;
    let db = Database::connect(database.url()).await.unwrap();
    up(&db).await.unwrap();
    let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns \
                   WHERE table_schema = 'public' AND collation_name = 'C' ORDER BY 1";
    let names = texts(&db, columns).await;
    assert_eq!(
        names.join(" "),
        "task.create_key task.title_fold task.uid task.user_id token_revocation.user_id \
         user_clock.user_id"
    );
    let indexes = "SELECT regexp_replace(indexdef, ' USING [a-z]+ \\(', ' (') FROM pg_indexes \
                   WHERE schemaname = 'public' AND tablename <> 'seaql_migrations' ORDER BY 1";
    assert_eq!(
        texts(&db, indexes).await,
        [
            "CREATE INDEX task_deleted_at ON public.task (deleted_at) WHERE (deleted_at IS NOT NULL)",
            "CREATE INDEX task_live ON public.task (user_id, id) WHERE (deleted_at IS NULL)",
            "CREATE INDEX task_tombstones ON public.task (user_id, revision) WHERE (deleted_at IS NOT NULL)",
            "CREATE UNIQUE INDEX task_create_key_key ON public.task (user_id, create_key) \
             WHERE (create_key IS NOT NULL)",
            "CREATE UNIQUE INDEX task_pkey ON public.task (user_id, id)",
            "CREATE UNIQUE INDEX task_revision_key ON public.task (user_id, revision)",
            "CREATE UNIQUE INDEX task_uid_key ON public.task (user_id, uid) WHERE (uid IS NOT NULL)",
            "CREATE UNIQUE INDEX token_revocation_pkey ON public.token_revocation (user_id)",
            "CREATE UNIQUE INDEX user_clock_pkey ON public.user_clock (user_id)",
        ]
    );
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap().into_iter();
    rows.map(|row| row.try_get_by_index(0).unwrap()).collect()
}
