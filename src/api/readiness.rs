//! Readiness: whether the server can serve requests now. `/readyz` asks it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{auth::Verifier, store::Database};

/// What the server needs to work.
#[derive(Clone)]
pub struct Readiness {
    database: Database,
    verifier: Verifier,
    stopping: Stopping,
}

/// How far the server has come with stopping.
#[derive(Debug, Clone)]
pub struct Stopping(Arc<watch::Sender<Stage>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    /// It still answers, but load balancers should send it no new requests.
    Stopping,
    /// It takes no more connections, and streams end.
    Closing,
}

impl Default for Stopping {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Serving)))
    }
}

impl Stopping {
    /// Says that the server is about to stop.
    pub fn begin(&self) {
        self.0.send_replace(Stage::Stopping);
    }

    /// Ends the streams. Their clients connect again at once, so this comes when the server takes no more connections.
    pub fn close(&self) {
        self.0.send_replace(Stage::Closing);
    }

    /// Whether the server is about to stop, or stopping.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow() >= Stage::Stopping
    }

    /// Waits for [`close`](Self::close).
    pub(super) async fn closing(&self) {
        let mut stage = self.0.subscribe();
        // The sender lives as long as this.
        let _ = stage.wait_for(|stage| *stage == Stage::Closing).await;
    }
}

impl Readiness {
    /// Readiness of these.
    pub fn new(database: Database, verifier: Verifier, stopping: Stopping) -> Self {
        Self {
            database,
            verifier,
            stopping,
        }
    }

    /// What is missing, each as a clause for the answer.
    pub(super) async fn missing(&self) -> Vec<String> {
        if self.stopping.has_begun() {
            return vec!["the server is stopping".to_owned()];
        }
        let mut missing = Vec::new();
        match self.database.readiness().await {
            Ok(0) => {}
            Ok(1) => {
                missing.push("1 migration is pending (run `taskward migrate up`)".to_owned());
            }
            Ok(pending) => missing.push(format!(
                "{pending} migrations are pending (run `taskward migrate up`)"
            )),
            Err(error) => {
                tracing::warn!(%error, "not ready");
                missing.push("the database does not answer".to_owned());
            }
        }
        for rule in self.verifier.missing_keys() {
            missing.push(format!("the keys of {rule} could not be fetched yet"));
        }
        missing
    }
}
