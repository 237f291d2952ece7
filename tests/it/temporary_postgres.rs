//! The temporary PostgreSQL itself: it comes back after a crash, and never outlives its test process.

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::support::postgres::{Cluster, postgres};

#[tokio::test]
async fn a_server_can_be_stopped_and_started() {
    let Ok(cluster) = Cluster::own_cluster(true) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let db = Database::connect(database.url()).await.unwrap();
    let insert = "INSERT INTO user_clock VALUES ('alice', 1, 1, 1, now())";
    db.execute_unprepared(insert).await.unwrap();
    for stop in [Cluster::crash, Cluster::stop] {
        stop(&cluster);
        assert!(TcpStream::connect(("127.0.0.1", cluster.port())).is_err());
        cluster.start();
        let db = Database::connect(database.url()).await.unwrap();
        assert_eq!(clocks(&db).await.unwrap(), 1);
    }
    let folder = cluster.folder().to_owned();
    drop(cluster);
    assert!(!folder.exists());
}

#[tokio::test]
async fn each_test_has_its_own_database() {
    let Ok(cluster) = postgres() else { return };
    let one = cluster.fresh_database().await;
    // A pooler would let clients in after the database has gone.
    let other = cluster.fresh_database().await.without_pooler();
    let db = Database::connect(one.url()).await.unwrap();
    let insert = "INSERT INTO user_clock VALUES ('alice', 1, 1, 1, now())";
    db.execute_unprepared(insert).await.unwrap();
    let db = Database::connect(other.url()).await.unwrap();
    assert_eq!(clocks(&db).await.unwrap(), 0);
    // Dropped while somebody is connected.
    let url = other.url();
    drop(other);
    assert!(Database::connect(url).await.is_err());
}

#[test]
fn a_killed_test_process_leaves_nothing_behind() {
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "temporary_postgres::as_another_process"])
        .arg("--nocapture")
        .env("HOLD_A_POSTGRES", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null()) // it would say again that there is none
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let line = lines.find_map(|line| Some(line.split_once("it is at ")?.1.to_owned()));
    let Some((port, folder)) = line.as_deref().and_then(|line| line.split_once(' ')) else {
        // It said why there is none, and ended well.
        assert!(process.wait().unwrap().success());
        return;
    };
    let address = format!("127.0.0.1:{port}");
    assert!(TcpStream::connect(&address).is_ok() && Path::new(folder).exists());

    process.kill().unwrap(); // SIGKILL: it can do nothing about it
    process.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).is_ok() || Path::new(folder).exists() {
        assert!(Instant::now() < deadline, "{folder} is still there");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn as_another_process() {
    if env::var_os("HOLD_A_POSTGRES").is_some() {
        let Ok(cluster) = Cluster::own_cluster(false) else {
            return;
        };
        let folder = cluster.folder().display();
        println!("it is at {} {folder}", cluster.port());
        sleep(Duration::from_secs(60));
    }
}

async fn clocks(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let count = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM user_clock");
    let row = db.query_one_raw(count).await?;
    row.unwrap().try_get_by_index(0)
}
