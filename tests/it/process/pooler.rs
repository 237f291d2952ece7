//! A pooler that does not know a parameter of the connection, and says so in words of its own.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::Home;
use crate::support::postgres::Cluster;

/// What a client sends that wants TLS ("SSLRequest", §55.7 of PostgreSQL's manual).
const WANTS_TLS: u32 = 80_877_103;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_refuses_the_deadline_is_used_without_it() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url = url::Url::parse(&database.url()).unwrap();
    let port = listener.local_addr().unwrap().port();
    url.set_port(Some(port)).unwrap();
    let _pooler = JoinSet::from_iter([pool(listener, cluster.port())]);

    let home = Home::postgres(url.as_str());
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("Buy milk").await;
    assert_eq!(alice.titles("?q=milk").await, ["Buy milk"]);
    let log = server.log().join("\n");
    let told =
        "refuses the parameter statement_timeout (Feature not supported: command-line options)";
    assert_eq!(log.matches(told).count(), 1, "{log}");
}

async fn pool(listener: TcpListener, port: u16) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(serve(client, port));
    }
}

async fn serve(mut client: TcpStream, port: u16) -> std::io::Result<()> {
    let mut startup = message(&mut client).await?;
    if startup[4..8] == WANTS_TLS.to_be_bytes() {
        client.write_all(b"N").await?;
        startup = message(&mut client).await?;
    }
    let asks = String::from_utf8_lossy(&startup).contains("statement_timeout");
    if asks {
        let fields = b"SFATAL\0C0A000\0MFeature not supported: command-line options\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap();
        client.write_all(b"E").await?;
        client.write_u32(length).await?;
        return client.write_all(fields).await;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.write_all(&startup).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// A message that begins with its length, as the first ones do.
async fn message(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(usize::try_from(length).unwrap(), 0);
    client.read_exact(&mut message[4..]).await?;
    Ok(message)
}
