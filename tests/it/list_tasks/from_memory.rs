//! Pages from memory: when they are used, and when not. That they are right, `properties/page_cache.rs` shows.

use sea_orm::{ConnectionTrait as _, Database};

use crate::support::{Backend, TestApp, on_both};

/// Changes the title of all tasks past the server, and no revision, as nobody does.
async fn change_past_the_server(app: &TestApp) {
    execute(app, "UPDATE task SET title = 'other'").await;
}

async fn execute(app: &TestApp, sql: &str) {
    let db = Database::connect(&app.database_url).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

on_both! {
    async fn a_page_is_read_again_only_after_a_change(on: Backend) {
        let app = on.app().await;
        let uncached = app.another(|settings| settings.page_cache_bytes = 0).await;
        let alice = app.user("alice");
        alice.create("milk").await;
        let lists = ["", "?sort=title&limit=5", "?completed=false"];
        for list in lists {
            assert_eq!(alice.titles(list).await, ["milk"]);
        }
        change_past_the_server(&app).await;
        for list in lists {
            assert_eq!(alice.titles(list).await, ["milk"], "from memory: {list}");
            assert_eq!(uncached.user("alice").titles(list).await, ["other"]);
        }
        assert_eq!(alice.titles("?sort=title&limit=6").await, ["other"], "another page");
        // A write of the user, by way of another server: what has changed is read, or the whole page.
        let bread = uncached.user("alice").create("bread").await;
        for list in lists {
            let titles = alice.titles(list).await;
            assert!(titles.contains(&"bread".to_owned()), "{list}: {titles:?}");
        }
        uncached.user("alice").delete(&bread.location).await;
        for list in lists {
            let titles = alice.titles(list).await;
            assert_eq!(titles.len(), 1, "{list}: {titles:?}");
        }
    }
}

/// Behind new connections there may be another database, in which a revision stands for other tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_read_again_over_new_connections() {
    if crate::support::postgres::postgres().is_err() {
        return;
    }
    // A pooler keeps the connections of its clients when those of the database end: docs/capacity.md.
    let app = Backend::Postgres
        .app_with(|settings| settings.without_pooler = true)
        .await;
    let alice = app.user("alice");
    alice.create("milk").await;
    let lists = ["", "?sort=title&limit=5", "?completed=false"];
    for list in lists {
        assert_eq!(alice.titles(list).await, ["milk"]);
    }
    change_past_the_server(&app).await;
    assert_eq!(alice.titles("").await, ["milk"], "from memory");
    execute(
        &app,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'taskward'",
    )
    .await;
    for list in lists {
        assert_eq!(alice.titles(list).await, ["other"], "{list}");
    }
}
