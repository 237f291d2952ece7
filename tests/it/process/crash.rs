//! `kill -9`, and a database that crashes: what was acknowledged is there afterwards.

use std::sync::Arc;

use tokio::task::block_in_place;

use super::{Home, any, eventually, ledger::Ledger};
use crate::support::postgres::Cluster;

const ROUNDS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_lost_nothing_on_sqlite() {
    kill_repeatedly(&Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_lost_nothing_on_postgres() {
    let Ok(cluster) = Cluster::own_cluster(true) else {
        return;
    };
    let database = cluster.fresh_database().await;
    kill_repeatedly(&Home::postgres(&database.url())).await;
}

async fn kill_repeatedly(home: &Home) {
    let ledger = Arc::new(Ledger::default());
    for _ in 0..ROUNDS {
        let server = home.start().await;
        let writers = ledger.write_to(&[&server]);
        ledger.grows_by(any(20..120)).await;
        server.kill();
        writers.stop().await;
        let server = home.start().await;
        ledger.check(&server).await;
    }
    assert_eq!(ledger.refused(), 0);
    assert!(ledger.cut() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_postgres_has_lost_nothing() {
    let Ok(cluster) = Cluster::own_cluster(true) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let server = Home::postgres(&database.url()).start().await;
    let ledger = Arc::new(Ledger::default());
    let writers = ledger.write_to(&[&server]);
    for _ in 0..2 {
        ledger.grows_by(any(20..120)).await;
        block_in_place(|| cluster.crash());
        block_in_place(|| cluster.start());
        ledger.grows_by(50).await;
    }
    writers.stop().await;
    eventually("the server is ready", || async {
        let ready = server.anon().get("/readyz").await;
        (ready.status == 200).then_some(())
    })
    .await;
    ledger.check(&server).await;
    assert_eq!(ledger.cut(), 0, "the server itself was there all the time");
}
