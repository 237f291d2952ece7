//! A slow network between the server and its database, which can also stop delivering.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Forwards connections; it ends when this is dropped.
pub(super) struct Proxy {
    port: u16,
    delivers: watch::Sender<bool>,
    /// How often a client has sent something.
    sent: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Forwards to a local port, each direction late by `delay`.
    pub(super) async fn to(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let (delivers, watched) = watch::channel(true);
        let (sent, received) = (Arc::<AtomicU64>::default(), Arc::default());
        let counted = sent.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                connections.spawn(forward(
                    from_client,
                    to_server,
                    delay,
                    watched.clone(),
                    counted.clone(),
                ));
                connections.spawn(forward(
                    from_server,
                    to_client,
                    delay,
                    watched.clone(),
                    Arc::clone(&received),
                ));
            }
        });
        Self {
            port: own_port,
            delivers,
            sent,
            _tasks: tasks,
        }
    }

    /// The same database by way of this network.
    pub(super) fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// How often clients have sent something. A statement is sent in one piece, so these are the round trips.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// As when a cable is pulled: nothing arrives, and neither side notices.
    pub(super) fn deliver(&self, delivers: bool) {
        self.delivers.send(delivers).unwrap();
    }
}

/// Latency, not a lower rate: the next bytes are on their way before the last have arrived.
async fn forward(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    delay: Duration,
    mut delivers: watch::Receiver<bool>,
    pieces: Arc<AtomicU64>,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            pieces.fetch_add(1, Relaxed);
            let due = Instant::now() + delay;
            sender.send((due, buffer[..count].to_vec())).ok();
        }
    };
    let write = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            if delivers.wait_for(|delivers| *delivers).await.is_err()
                || to.write_all(&bytes).await.is_err()
            {
                break;
            }
        }
    };
    tokio::join!(read, write);
}
