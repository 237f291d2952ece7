//! A full disk for SQLite: writes are refused, reads go on, and it recovers. Every write that is acknowledged later is
//! there: a connection that has met a full disk could acknowledge writes that are never committed.
//!
//! A limit on the size of the process's files replaces the disk: it needs no rights, and unlike
//! a full disk it affects no other process. Where file systems can be mounted, a small one is filled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::json;

use super::{Home, Process, Reply, reply};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_file_size_limit_writes_are_refused_until_there_is_room() {
    // The signal at the limit would end the process, as no full disk does.
    let home = Home::sqlite().through(r#"trap "" XFSZ; exec "$@""#);
    let server = home.start().await;
    server.user("alice").create("Buy milk").await;
    // The write-ahead log may still grow a little.
    let size = fs::metadata(home.path().join("taskward.db-wal"))
        .unwrap()
        .len();
    let limit = |bytes: &str| {
        let arguments = [
            format!("--pid={}", server.id()),
            format!("--fsize={bytes}:"),
        ];
        Command::new("prlimit").args(arguments).status().unwrap()
    };
    if !limit(&(size + 64 * 1024).to_string()).success() {
        return;
    }
    let mut made = fills_up(&server).await;
    assert!(limit("unlimited").success());
    made.extend(heals(&server).await);
    is_all_there(&home, server, &made).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_writes_are_refused_until_there_is_room() {
    let home = Home::sqlite();
    let Some(disk) = Disk::mount(&home.path().join("disk")) else {
        // Only root can mount; the test above covers the same.
        return;
    };
    let url = format!("sqlite://{}/taskward.db?mode=rwc", disk.0.display());
    let ballast = disk.0.join("ballast");
    let home = home.set("DATABASE_URL", url);
    let server = home.start().await;
    server.user("alice").create("Buy milk").await;
    fs::write(&ballast, vec![0; 1024 * 1024]).unwrap();
    let mut made = fills_up(&server).await;
    fs::remove_file(&ballast).unwrap();
    made.extend(heals(&server).await);
    is_all_there(&home, server, &made).await;
}

/// Writes until there is no room, and a while longer. Returns the ids of what was acknowledged.
async fn fills_up(server: &Process) -> Vec<i64> {
    let alice = server.user("alice");
    let mut made = Vec::new();
    let mut refused = 0;
    while refused < 10 {
        assert!(made.len() < 1000, "there is room for everything");
        let answer = write(server).await;
        if answer.status == 201 {
            made.push(answer.body["id"].as_i64().unwrap());
            continue;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.body["code"], "database_unavailable");
        assert!(answer.retry_after.is_some());
        refused += 1;
        assert_eq!(alice.get("/api/v1/tasks/1").await.status, 200);
    }
    assert_eq!(alice.get("/api/v1/tasks?q=milk").await.items().len(), 1);
    assert_eq!(server.anon().get("/healthz").await.status, 200);
    made
}

/// Writes at once, since there is room again.
async fn heals(server: &Process) -> Vec<i64> {
    let mut made = Vec::new();
    for _ in 0..5 {
        let answer = write(server).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        made.push(answer.body["id"].as_i64().unwrap());
    }
    assert_eq!(server.anon().get("/readyz").await.status, 200);
    made
}

/// Another server finds what this one has acknowledged, and no lock.
async fn is_all_there(home: &Home, server: Process, made: &[i64]) {
    let other = home.start().await;
    let alice = other.user("alice");
    let next = alice.create("From the other side").await;
    assert!(
        made.iter().all(|id| *id < next.id),
        "{made:?}, then {}",
        next.id
    );
    server.kill();
    for id in made {
        let found = alice.get(&format!("/api/v1/tasks/{id}")).await;
        assert_eq!(found.status, 200, "{id} is lost");
    }
}

async fn write(server: &Process) -> Reply {
    let body = json!({ "title": "Much to do", "description": "x".repeat(8000) });
    let request = server.user("alice").request(Method::POST, "/api/v1/tasks");
    reply(request.json(&body)).await.unwrap()
}

/// A disk of two megabytes.
pub(super) struct Disk(pub(super) PathBuf);

impl Disk {
    pub(super) fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=2m", "tmpfs"];
        let mounted = Command::new("mount").args(arguments).arg(folder).output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, since the server may still run.
        Command::new("umount")
            .arg("--lazy")
            .arg(&self.0)
            .status()
            .ok();
    }
}
