//! `taskward serve`: the API, until SIGTERM or SIGINT.

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use taskward::{
    api::Stopping,
    app::app,
    auth::{DevIssuer, Verifier},
    clock::Clock,
    config::Config,
    server::{self, Limits},
    store::{Database, Pace},
    telemetry::Registry,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};

use super::telemetry::Telemetry;
use crate::log::Log;

/// How long the collector may take for the last spans and metrics, if the requests in flight have left so much of the drain limit.
const LAST_MESSAGES: Duration = Duration::from_secs(5);

pub(super) async fn serve(config: &Config, log: Log) -> anyhow::Result<ExitCode> {
    // First of all, so that a signal during the start is not missed.
    let signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    raise_open_files();
    let clock = Clock::System;
    let database = open_database(config, &clock).await?;
    let development = match config.is_development() {
        true => Some(super::development_issuer(config)?),
        false => None,
    };
    let verifier = Verifier::new(&config.auth, development.clone(), &clock)?;
    for rule in verifier.rules() {
        tracing::info!("tokens are accepted by {rule}");
    }
    let address = SocketAddr::from((config.host, config.port));
    let listener =
        server::listen(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let stopping = Stopping::default();
    let registry = Registry::default();
    let endpoint = app(
        database.clone(),
        verifier,
        stopping.clone(),
        &config.http,
        &registry,
    );
    let telemetry = Telemetry::start(&config.telemetry, &registry, log)?;
    tracing::info!(%address, "listening");
    if let Some(issuer) = development {
        welcome(config, address, &issuer)?;
    }
    let limits = Limits {
        max_connections_per_address: config.max_connections_per_address,
        proxies: config.http.limits.proxies.0.clone(),
        ..Limits::default()
    };
    let purging = tokio::spawn(database.clone().keep_purging(Pace::default()));
    let (drain, stop) = (limits.drain, OnceLock::new());
    let shutdown = async {
        signals.wait(stopping, config.shutdown_delay).await;
        let _ = stop.set(Instant::now());
    };
    let drained = server::serve(listener, endpoint, limits, shutdown).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut after the drain limit");
    }
    // What it has sent is done, or was never begun.
    purging.abort();
    database.close().await;
    let used = stop.get().map_or(Duration::ZERO, Instant::elapsed);
    telemetry
        .stop(LAST_MESSAGES.min(drain.saturating_sub(used)))
        .await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Raises the limit of open files to what the system allows: each connection is one, and the usual 1,024 are fewer than the
/// connections that this server takes.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

async fn open_database(config: &Config, clock: &Clock) -> anyhow::Result<Database> {
    let database = Database::connect(&config.database, clock).await?;
    if config.auto_migrate {
        // A database in memory lives as long as its connection: migrate over that.
        let direct = match config.database.url.starts_with("sqlite:") {
            true => database.clone(),
            false => Database::connect(&config.direct, clock).await?,
        };
        migrate(direct).await?;
    }
    database.first_look().await?;
    Ok(database)
}

/// How long the start waits for PostgreSQL.
const START_WAITS: Duration = Duration::from_secs(2);
/// Between two looks for it.
const PAUSE: Duration = Duration::from_secs(1);

/// Applies what is pending; if PostgreSQL is not there yet, once it has come. Requests get 503 until then.
async fn migrate(database: Database) -> anyhow::Result<()> {
    if let Ok(Ok(())) = timeout(START_WAITS, database.check_reachable()).await {
        let applied = database.migrate_up().await;
        report(&applied.context("cannot migrate the database")?);
        return Ok(());
    }
    tracing::warn!("migrations are applied once the database can be reached");
    tokio::spawn(async move {
        let mut told = String::new();
        loop {
            sleep(PAUSE).await;
            if database.check_reachable().await.is_err() {
                continue;
            }
            match database.migrate_up().await {
                Ok(applied) => break report(&applied),
                Err(error) if told == format!("{error:#}") => {}
                Err(error) => {
                    told = format!("{error:#}");
                    tracing::error!("cannot migrate the database: {told}");
                }
            }
        }
    });
    Ok(())
}

fn report(applied: &[String]) {
    for name in applied {
        tracing::info!(name, "migration applied");
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Returns when the server should stop accepting requests.
    async fn wait(mut self, stopping: Stopping, delay: Duration) {
        tokio::select! {
            // From the terminal: at once.
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {
                tracing::info!("SIGTERM: /readyz fails from now on");
                stopping.begin();
                // Load balancers need a moment to notice, and send requests until then.
                sleep(delay).await;
            }
        }
        stopping.close();
        tracing::info!("finishing the requests in flight");
    }
}

/// What a newcomer needs: a token, and a link that has it in its fragment.
fn welcome(config: &Config, address: SocketAddr, issuer: &DevIssuer) -> anyhow::Result<()> {
    let token = issuer.mint("alice", None, Duration::from_secs(24 * 60 * 60))?;
    let (link, both) = match config.http.docs {
        true => (
            format!("  Swagger UI  http://{address}/docs/#token={token}\n"),
            "Both make you alice for a day; the link opens Swagger UI with the token filled in.",
        ),
        false => (String::new(), "It makes you alice for a day."),
    };
    let key = config.development_key.display();
    super::print(&format!(
        "\nTaskward runs in development mode: it signs tokens itself, with the key in\n{key}\n\n\
         {link}  Token       {token}\n\n\
         {both}\n\
         `taskward token bob` (or `cargo run -- token bob`) prints a token for bob.\n\n"
    ))
}
