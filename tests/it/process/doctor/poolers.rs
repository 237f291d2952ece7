//! PgBouncer between the server and PostgreSQL.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use tokio::net::TcpStream;
use url::Url;

use super::{super::eventually, Found, Home, free_port, is_installed};
use crate::support::postgres::{TestDatabase, postgres};

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// PgBouncer in front of one database. Dropping it ends it.
struct Pooler {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Pooler {
    async fn before(database: &TestDatabase, mode: &str) -> Self {
        let target = Url::parse(&database.url()).unwrap();
        let (name, port) = (&target.path()[1..], free_port().await);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n{name} = host={} port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n",
            target.host_str().unwrap(),
            target.port().unwrap(),
        );
        fs::write(&file, settings).unwrap();
        // It refuses to run as root, and changes to this user after it has read the file.
        let open = ["755", &folder.path().display().to_string()];
        Command::new("chmod").args(open).status().unwrap();
        let child = Command::new(PROGRAM)
            .args(["--user", "nobody"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("PgBouncer listens", || async {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        let mut url = target.clone();
        url.set_port(Some(port)).unwrap();
        Self {
            child,
            url: url.into(),
            _folder: folder,
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_is_told_from_one_in_session_mode() {
    let Ok(server) = postgres() else {
        return;
    };
    if !is_installed(PROGRAM) {
        return;
    }
    let database = server.fresh_database().await.without_pooler();
    let pooler = Pooler::before(&database, "session").await;
    let found = Found::by(&Home::postgres(&pooler.url), &[]);
    found.says("database.pooler", "ok", "session mode");
    found.says("database.prepared_statements", "ok", "kept apart");
    // PgBouncer knows no `options`, by which the deadline is asked for.
    // A little less than the 4 s that a request waits.
    let role = "(`ALTER ROLE … SET statement_timeout = '3600ms'`)";
    found.says("database.statement_timeout", "warning", role);
    drop(pooler);

    let pooler = Pooler::before(&database, "transaction").await;
    let home = Home::postgres(&pooler.url);
    let found = Found::by(&home, &[]);
    found.says("database.pooler", "ok", "transaction mode");
    found.says("database.direct_url", "warning", "set DATABASE_DIRECT_URL");
    // PgBouncer 1.18 of Debian 12 mixes them up; 1.21 and later need a setting for it.
    found.says(
        "database.prepared_statements",
        "problem",
        "max_prepared_statements above 0",
    );
    let direct = home.set("DATABASE_DIRECT_URL", database.url());
    Found::by(&direct, &[]).says("database.direct_url", "ok", "the same database");
    let swapped = Home::postgres(&database.url()).set("DATABASE_DIRECT_URL", &pooler.url);
    Found::by(&swapped, &[]).says("database.direct_url", "problem", "without the pooler");
}
