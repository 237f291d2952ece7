//! The address where the server listens, or will.

use std::{io::ErrorKind, net::SocketAddr};

use serde_json::Value;
use taskward::{check::Check, config::Config};
use tokio::net::TcpSocket;

use super::{
    super::local_url,
    seen::{self, Seen, Unseen},
};

const PORT: &str = "server.port";
const READY: &str = "server.ready";

/// What is at the address.
pub(super) enum Listening {
    /// This server runs there.
    Running {
        /// Its address without a slash at the end.
        base: String,
        instance: String,
    },
    /// Nothing, or something else.
    No,
}

pub(super) async fn examine(config: &Config) -> (Listening, Vec<Check>) {
    if config.port == 0 {
        let detail = "PORT is 0, so the system chooses one at the start";
        return (Listening::No, vec![Check::skipped(PORT, detail)]);
    }
    let base = local_url(config);
    let client = match seen::client(true) {
        Ok(client) => client,
        Err(why) => return (Listening::No, vec![Check::skipped(PORT, why)]),
    };
    match seen::seen(&client, &base).await {
        Ok(Seen { instance, .. }) => {
            let checks = vec![
                Check::ok(PORT, format!("Taskward runs at {base}")),
                readiness(&client, &base).await,
            ];
            (Listening::Running { base, instance }, checks)
        }
        Err(Unseen::Other(what)) => {
            let check = Check::problem(
                PORT,
                format!(
                    "another program listens at {base} ({what}), or an older Taskward: stop it, or set PORT to a free port"
                ),
            );
            (Listening::No, vec![check])
        }
        Err(Unseen::NoAnswer {
            is_refused: false,
            why,
        }) => {
            let check = Check::problem(
                PORT,
                format!(
                    "what listens at {base} does not answer ({why}): look at its log, and restart it"
                ),
            );
            (Listening::No, vec![check])
        }
        Err(Unseen::NoAnswer {
            is_refused: true, ..
        }) => {
            let free = free(SocketAddr::from((config.host, config.port)));
            let ready = Check::skipped(READY, "the server does not run here");
            (Listening::No, vec![free, ready])
        }
    }
}

/// Whether the server could listen there. Nothing listens meanwhile, so no client is disappointed.
fn free(address: SocketAddr) -> Check {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)
    });
    match bound {
        Ok(()) => Check::ok(PORT, format!("{address} is free")),
        Err(error) => {
            let advice = match error.kind() {
                ErrorKind::AddrInUse => "stop the program that uses it, or set PORT to a free port",
                ErrorKind::AddrNotAvailable => {
                    "HOST is no address of this machine: set it to one, or to 0.0.0.0 for all"
                }
                ErrorKind::PermissionDenied => {
                    "give this user the right to ports below 1024, or set PORT to a higher one"
                }
                _ => "correct HOST and PORT",
            };
            Check::problem(
                PORT,
                format!("cannot listen on {address} ({error}): {advice}"),
            )
        }
    }
}

async fn readiness(client: &reqwest::Client, base: &str) -> Check {
    let answer = match client.get(format!("{base}/readyz")).send().await {
        Ok(answer) => answer,
        Err(error) => {
            return Check::problem(
                READY,
                format!(
                    "/readyz does not answer ({}): look at the log",
                    seen::causes(&error.without_url())
                ),
            );
        }
    };
    if answer.status().is_success() {
        return Check::ok(READY, "the server is ready");
    }
    let body: Value = serde_json::from_str(&seen::text_of(answer).await).unwrap_or_default();
    let detail = body["detail"]
        .as_str()
        .unwrap_or("it does not say why; look at its log");
    Check::problem(READY, seen::printable(detail))
}
