//! The server over real sockets. A test shortens the limit that it is about; the others are so long that
//! no test reaches them.

mod capacity;
mod refused;
mod slow;
mod stop;
mod upload;

use std::{
    future::{Future, pending},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use futures_util::stream;
use poem::{Body, Endpoint, Request, Response, endpoint::make, http::StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Drained, Limits, Refused, listen, serve};

/// Longer than anything here takes; a test that waits for it has failed.
const FOREVER: Duration = Duration::from_secs(20);

/// More than the kernel's buffers hold.
const LARGE: usize = 32 * 1024 * 1024;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Limits that no test reaches. Each test shortens the one that it is about.
fn patient() -> Limits {
    Limits {
        head_timeout: FOREVER,
        idle_timeout: FOREVER,
        write_stall: FOREVER,
        linger: FOREVER,
        late_head: FOREVER,
        drain: FOREVER,
        ..Limits::default()
    }
}

/// Lets a test see a request arrive at the endpoint, and hold it there.
#[derive(Default)]
struct Gate {
    entered: Notify,
    open: Notify,
    dropped: Notify,
}

/// Tells the gate when what holds it goes away.
struct Guard(Arc<Gate>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

fn endpoint(gate: Arc<Gate>) -> impl Endpoint + 'static {
    make(move |mut request: Request| {
        let gate = gate.clone();
        async move {
            let ticks = |every: Duration, bytes: usize| {
                let guard = Guard(gate.clone());
                Body::from_bytes_stream(stream::unfold(guard, move |guard| async move {
                    sleep(every).await;
                    Some((Ok::<_, std::io::Error>(vec![b'.'; bytes]), guard))
                }))
            };
            if let Some(refused) = request.extensions().get::<Refused>() {
                let answer = Response::builder().status(StatusCode::IM_A_TEAPOT);
                return Ok(answer
                    .content_type("text/plain")
                    .body(format!("{refused:?}")));
            }
            let answer = match request.uri().path() {
                "/hello" => Response::from("hello".to_owned()),
                "/length" => request
                    .take_body()
                    .into_vec()
                    .await?
                    .len()
                    .to_string()
                    .into(),
                "/refuse" => StatusCode::PAYLOAD_TOO_LARGE.into(),
                "/hold" => {
                    gate.entered.notify_one();
                    gate.open.notified().await;
                    "held".to_owned().into()
                }
                "/large" => vec![b'.'; LARGE].into(),
                "/flood" => ticks(Duration::ZERO, 64 * 1024).into(),
                "/ticks" => ticks(ms(20), 2).into(),
                "/panic" => panic!("on purpose"),
                _ => StatusCode::NOT_FOUND.into(),
            };
            Ok::<Response, poem::Error>(answer)
        }
    })
}

struct Server {
    address: SocketAddr,
    gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Drained>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate::default());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            if stopped.await.is_err() {
                pending::<()>().await;
            }
        };
        let task = tokio::spawn(serve(listener, endpoint(gate.clone()), limits, shutdown));
        Self {
            address,
            gate,
            stop: Some(stop),
            task,
        }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// A client whose request is with the endpoint.
    async fn held(&self) -> Client {
        let mut client = self.client().await;
        client.send("GET /hold HTTP/1.1\r\nhost: t\r\n\r\n").await;
        soon(self.gate.entered.notified()).await;
        client
    }

    fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn stopped(self) -> Drained {
        soon(self.task).await.unwrap()
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(FOREVER / 2, future).await.expect("takes too long")
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    async fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: t\r\n\r\n"))
            .await;
        self.answer().await
    }

    /// The next answer's head, in lower case, and its body of known length.
    async fn answer(&mut self) -> String {
        soon(async {
            let mut text = Vec::new();
            while !text.ends_with(b"\r\n\r\n") {
                text.push(self.0.read_u8().await.unwrap());
            }
            let head = String::from_utf8(text).unwrap().to_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or("0", |rest| rest.split("\r\n").next().unwrap_or_default());
            let mut body = vec![0; length.parse().unwrap()];
            self.0.read_exact(&mut body).await.unwrap();
            head + std::str::from_utf8(&body).unwrap()
        })
        .await
    }

    /// Waits for the server to close; a reset counts, and so does an unexpected answer.
    async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = soon(self.0.read_to_end(&mut rest)).await;
        rest
    }
}
