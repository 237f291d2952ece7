//! Readiness: whether the server can serve requests now. `/readyz` asks it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::{auth::Verifier, store::Database};

/// What the server needs to work.
#[derive(Clone)]
pub struct Readiness {
    database: Database,
    verifier: Verifier,
    stopping: Stopping,
}

/// Whether the server is about to stop: it still answers, but load balancers should send it no new requests.
#[derive(Debug, Clone, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// Says that the server is about to stop.
    pub fn begin(&self) {
        self.0.store(true, Relaxed);
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
        if self.stopping.0.load(Relaxed) {
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
