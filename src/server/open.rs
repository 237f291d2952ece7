//! The open connections, as the accept loop sees them.

use std::{collections::HashMap, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    task::{Id, JoinError, JoinSet},
    time::{Instant, timeout},
};

use super::{Drained, Shared, connection, connection_state::ConnectionState};

/// The open connections.
#[derive(Default)]
pub(super) struct Open {
    tasks: JoinSet<()>,
    states: HashMap<Id, Arc<ConnectionState>>,
}

impl Open {
    /// Serves one more connection.
    pub(super) fn add<E>(&mut self, shared: &Arc<Shared<E>>, stream: TcpStream, peer: SocketAddr)
    where
        E: poem::Endpoint + 'static,
    {
        let state = Arc::new(ConnectionState::new());
        let task = self.tasks.spawn(connection::serve(
            shared.clone(),
            state.clone(),
            stream,
            peer,
        ));
        self.states.insert(task.id(), state);
    }

    /// How many there are. One that has ended counts until [`Open::ended`] has seen it.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Resolves when one has ended. May be dropped before.
    pub(super) async fn ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => pending().await,
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                // Panics of endpoints are caught in `connection`; this one is of a body that was being sent.
                tracing::error!(%error, "a connection's task failed");
                error.id()
            }
        };
        self.states.remove(&id);
    }

    /// Asks the connection that has been idle for longest to close. It looks at every connection, which only a full
    /// server does; keeping a sorted list would cost every request.
    pub(super) fn close_longest_idle(&self) {
        let idle = self
            .states
            .values()
            .filter_map(|state| Some((state.idle_since()?, state)));
        if let Some((_, state)) = idle.min_by_key(|(since, _)| *since) {
            state.ask_to_close();
        }
    }

    /// Asks all to end and waits for them; cuts those that have not ended within `limit`.
    pub(super) async fn drain(mut self, limit: Duration) -> Drained {
        let began = Instant::now();
        self.states.values().for_each(|state| state.ask_to_stop());
        let finish = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.forget(ended);
            }
        };
        // Whether the time ran out shows below, where what is left is counted.
        let _ = timeout(limit, finish).await;
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
        let cut = self.tasks.len();
        self.tasks.shutdown().await;
        tracing::info!(
            cut,
            took_ms = began.elapsed().as_millis(),
            "all connections are closed"
        );
        Drained { cut }
    }
}
