//! One connection to the server, with at most one request under way.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use mio::{Interest, Registry, Token, net::TcpStream};

use crate::{
    request::Request,
    response::{self, Answer},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Connection {
    socket: TcpStream,
    out: Vec<u8>,
    sent: usize,
    arrived: Vec<u8>,
    length: usize,
    success: u16,
    /// When the request under way was due; none without a request.
    pub due: Option<Instant>,
}

/// What became of the request under way.
pub enum Outcome {
    Waiting,
    Answered,
    /// The status, or what broke.
    Failed(String),
}

impl Connection {
    pub fn open(server: SocketAddr, registry: &Registry, number: usize) -> anyhow::Result<Self> {
        let socket = std::net::TcpStream::connect_timeout(&server, CONNECT_TIMEOUT)
            .with_context(|| format!("cannot connect to {server}"))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        registry.register(
            &mut socket,
            Token(number),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        Ok(Self {
            socket,
            out: Vec::with_capacity(1024),
            sent: 0,
            arrived: vec![0; 32 * 1024],
            length: 0,
            success: 0,
            due: None,
        })
    }

    /// Begins a request. What cannot be sent at once is sent by `advance`.
    pub fn begin(&mut self, request: &Request<'_>, due: Instant) -> std::io::Result<()> {
        self.out.clear();
        write!(self.out, "{request}")?;
        (self.sent, self.length) = (0, 0);
        self.success = request.operation.success();
        self.due = Some(due);
        self.send()
    }

    fn send(&mut self) -> std::io::Result<()> {
        while self.sent < self.out.len() {
            match self.socket.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Continues to send and to read after the socket has reported something. The second value says whether the
    /// connection has ended.
    pub fn advance(&mut self) -> (Outcome, bool) {
        if self.send().is_err() {
            return (Outcome::Failed("write".to_owned()), true);
        }
        loop {
            if self.length == self.arrived.len() {
                self.arrived.resize(self.length * 2, 0);
            }
            match self.socket.read(&mut self.arrived[self.length..]) {
                Ok(0) => return (Outcome::Failed("closed".to_owned()), true),
                Ok(count) => self.length += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (Outcome::Waiting, false);
                }
                Err(_) => return (Outcome::Failed("closed".to_owned()), true),
            }
            match response::read(&self.arrived[..self.length]) {
                Answer::Incomplete => {}
                Answer::Complete { status, close } if status == self.success => {
                    return (Outcome::Answered, close);
                }
                Answer::Complete { status, close } => {
                    return (Outcome::Failed(status.to_string()), close);
                }
                Answer::Malformed => return (Outcome::Failed("malformed".to_owned()), true),
            }
        }
    }
}
