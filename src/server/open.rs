//! The open connections, as the accept loop sees them.

use std::{
    collections::{HashMap, hash_map::Entry},
    future::pending,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    sync::Semaphore,
    task::{Id, JoinError, JoinSet},
    time::{Instant, timeout},
};

use crate::peer_network::peer_network;

use super::{
    Drained, Limits, Shared, connection, connection_state::ConnectionState, large_heads::LargeHeads,
};

/// The open connections.
pub(super) struct Open {
    tasks: JoinSet<()>,
    states: HashMap<Id, (Arc<ConnectionState>, IpAddr)>,
    /// The clients: each address, or each network of IPv6.
    addresses: HashMap<IpAddr, Client>,
    large_heads: Arc<Semaphore>,
}

/// What one client has.
struct Client {
    connections: usize,
    large_heads: Arc<Semaphore>,
}

impl Open {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            tasks: JoinSet::new(),
            states: HashMap::new(),
            addresses: HashMap::new(),
            large_heads: Arc::new(Semaphore::new(limits.max_large_heads)),
        }
    }

    /// Serves one more connection, unless its address has as many as one may have.
    pub(super) fn add<E>(&mut self, shared: &Arc<Shared<E>>, stream: TcpStream, peer: SocketAddr)
    where
        E: poem::Endpoint + 'static,
    {
        let address = peer_network(peer.ip());
        let limits = &shared.limits;
        let peer_ip = peer.ip().to_canonical();
        let is_proxy = limits.proxies.iter().any(|of| of.contains(&peer_ip));
        let has = self.addresses.get(&address).map_or(0, |of| of.connections);
        if has >= limits.max_connections_per_address && !is_proxy {
            // Its place is free when it has ended, which a client that is turned away finds at its next try.
            self.close_longest_idle_of(|of| of == address);
            tracing::debug!("an address has too many connections");
            return;
        }
        let client = self.addresses.entry(address).or_insert_with(|| Client {
            connections: 0,
            large_heads: Arc::new(Semaphore::new(limits.max_large_heads_per_address)),
        });
        client.connections += 1;
        let of_address = Some(&client.large_heads).filter(|_| !is_proxy);
        let large_heads = LargeHeads::new(&self.large_heads, of_address);
        let state = Arc::new(ConnectionState::new());
        let task = self.tasks.spawn(connection::serve(
            shared.clone(),
            state.clone(),
            stream,
            peer,
            large_heads,
        ));
        self.states.insert(task.id(), (state, address));
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
        let Some((_, address)) = self.states.remove(&id) else {
            return;
        };
        if let Entry::Occupied(mut client) = self.addresses.entry(address) {
            client.get_mut().connections -= 1;
            if client.get().connections == 0 {
                client.remove();
            }
        }
    }

    /// Asks the connection that has been idle for longest to close. It looks at every connection, which only a full
    /// server does; keeping a sorted list would cost every request.
    pub(super) fn close_longest_idle(&self) {
        self.close_longest_idle_of(|_| true);
    }

    fn close_longest_idle_of(&self, which: impl Fn(IpAddr) -> bool) {
        let states = self.states.values().filter(|(_, address)| which(*address));
        let idle = states.filter_map(|(state, _)| Some((state.idle_since()?, state)));
        if let Some((_, state)) = idle.min_by_key(|(since, _)| *since) {
            state.ask_to_close();
        }
    }

    /// Asks all to end and waits for them; cuts those that have not ended within `limit`.
    pub(super) async fn drain(mut self, limit: Duration) -> Drained {
        let began = Instant::now();
        self.states
            .values()
            .for_each(|(state, _)| state.ask_to_stop());
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
