//! `taskward purge`.

use sea_orm::{ConnectionTrait as _, Database, DbBackend};

use super::Home;
use crate::support::{Backend, on_both};

on_both! {
    async fn purges_what_is_old_beside_a_server(on: Backend) {
        let home = Home::on(on).await.set("TOMBSTONE_RETENTION_DAYS", "7");
        let url = match on {
            Backend::Postgres => home.setting("DATABASE_URL").to_owned(),
            Backend::Sqlite => format!("sqlite://{}", home.path().join("taskward.db").display()),
        };
        let server = home.start().await;
        let alice = server.user("alice");
        for id in 1..=3 {
            alice.create("Buy milk").await;
            alice.delete(&format!("/api/v1/tasks/{id}")).await.has(204);
        }
        let db = Database::connect(url).await.unwrap();
        let old = match db.get_database_backend() {
            DbBackend::Postgres => "now() - interval '8 days'",
            _ => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-8 days')",
        };
        // What an older version has not counted, too.
        let age = format!("UPDATE task SET deleted_at = {old} WHERE id < 3");
        db.execute_unprepared(&age).await.unwrap();
        db.execute_unprepared("UPDATE user_clock SET row_count = 2, stored_bytes = 1").await.unwrap();
        db.close().await.unwrap();
        let told = home.run(&["purge"]).good();
        assert_eq!(told, "purged 2 deleted tasks, all older than 7 days\n1 users had other counts of what they store\n");
        let told = home.run(&["purge"]).good();
        assert_eq!(told, "purged 0 deleted tasks, all older than 7 days\n0 users had other counts of what they store\n");
        alice.post_nothing("/api/v1/tasks/2/restore").await.fails(404, "task_not_found");
        alice.post_nothing("/api/v1/tasks/3/restore").await.has(200);
        assert_eq!(alice.get("/api/v1/me").await.body["usage"]["bytes"], 256 + 16 + 2);
    }
}
