//! Bytes over a socket, for what a well-behaved client does not send.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::TestApp;

/// Sends bytes as they are and reads until the server closes, so let them ask for that; what is read
/// is the whole answer, the head included.
pub async fn raw(app: &TestApp, request: impl AsRef<[u8]>) -> String {
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
