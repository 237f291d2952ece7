//! The command line.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write as _, stdin, stdout},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use taskward::{
    api::{Stopping, spec},
    app::app,
    auth::{DevIssuer, Verifier},
    config::{self, Config, LogFormat, Source},
    import::Import,
    server::{self, Limits},
    store::Database,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A multi-user todo API: it verifies your issuer's tokens and keeps users apart.
#[derive(Parser)]
#[command(name = "taskward", version, after_help = config::help())]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (what happens without a command)
    Serve,
    /// Bring the database to the schema of this build, or look at it
    Migrate {
        #[command(subcommand)]
        direction: Direction,
    },
    /// Bring along the tasks of another backend, as lines of JSON
    Import {
        /// The file, or `-` for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Read and judge all of it, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Print the contract (OpenAPI 3.1)
    Openapi {
        /// As YAML instead of JSON
        #[arg(long)]
        yaml: bool,
    },
    /// Print a token for a user, in development mode
    Token {
        /// The user: the `sub` of the token
        user: String,
        /// The scopes, by space; without it the token allows everything
        #[arg(long)]
        scope: Option<String>,
        /// For how many seconds it is valid
        #[arg(long, default_value_t = 24 * 60 * 60)]
        seconds: u64,
    },
    /// Ask the server of these settings whether it can work; the exit status tells
    Healthcheck,
}

#[derive(Subcommand)]
enum Direction {
    /// Apply all pending migrations
    Up,
    /// Take back the last migrations, and what they hold
    Down {
        /// How many
        #[arg(default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations and whether they are applied
    Status,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Two providers in one build would make rustls panic at the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    match run(arguments.command.unwrap_or(Command::Serve)).await {
        Ok(code) => code,
        Err(error) => {
            tracing::debug!(?error, "failed");
            // The log may be off or JSON; a person who starts the program reads this.
            let _ = writeln!(std::io::stderr(), "taskward: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    if let Command::Openapi { yaml } = command {
        // Needs no settings and no database.
        print(&if yaml {
            spec::yaml(None)
        } else {
            spec::json(None)
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::read(Source::environment())?;
    start_log(&config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match command {
        Command::Serve => serve(&config).await?,
        Command::Migrate { direction } => migrate(&config, direction).await?,
        Command::Token {
            user,
            scope,
            seconds,
        } => {
            anyhow::ensure!(
                config.is_development(),
                "an issuer is set, and only that makes tokens; Taskward makes them in development mode"
            );
            let token = DevIssuer::open(&config::development_key())?.mint(
                &user,
                scope.as_deref(),
                Duration::from_secs(seconds),
            )?;
            print(&format!("{token}\n"))?;
        }
        Command::Import { file, check } => return import(&config, &file, check).await,
        Command::Healthcheck => return healthcheck(&config).await,
        Command::Openapi { .. } => unreachable!("handled above"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    // First of all, so that a signal during the start is not missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let database = Database::connect(&config.database).await?;
    if config.auto_migrate {
        // The same one where there is no other: a database in memory lives as long as its connection.
        let direct = match config.direct.url == config.database.url {
            true => database.clone(),
            false => Database::connect(&config.direct).await?,
        };
        let migrated = direct.migrate_up().await;
        for name in migrated.context("cannot migrate the database")? {
            tracing::info!(name, "migration applied");
        }
    }
    let development = match config.is_development() {
        true => Some(DevIssuer::open(&config::development_key())?),
        false => None,
    };
    let verifier = Verifier::new(&config.auth, development.clone())?;
    for rule in verifier.rules() {
        tracing::info!("tokens are accepted by {rule}");
    }
    let address = SocketAddr::from((config.host, config.port));
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let stopping = Stopping::default();
    let endpoint = app(database.clone(), verifier, stopping.clone(), &config.http);
    tracing::info!(%address, "listening");
    if let Some(issuer) = development {
        welcome(address, &issuer)?;
    }
    let delay = config.shutdown_delay;
    let shutdown = async move {
        tokio::select! {
            // From the terminal: at once.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {
                tracing::info!("SIGTERM: not ready any more");
                stopping.begin();
                // Balancers take a moment to see it, and send requests until then.
                tokio::time::sleep(delay).await;
            }
        }
        tracing::info!("finishing what is in flight");
    };
    let drained = server::serve(listener, endpoint, Limits::default(), shutdown).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut after the drain limit");
    }
    database.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What a newcomer needs: a link, and a token to paste.
fn welcome(address: SocketAddr, issuer: &DevIssuer) -> anyhow::Result<()> {
    let token = issuer.mint("alice", None, Duration::from_secs(24 * 60 * 60))?;
    print(&format!(
        "\nTaskward runs in development mode, with a key of its own.\n\n  \
         Swagger UI  http://{address}/docs/\n  \
         Token       {token}\n\n\
         Press Authorize in Swagger UI and paste the token: you are alice, for a day.\n\
         `taskward token bob` (or `cargo run -- token bob`) makes one for bob.\n\n"
    ))
}

async fn migrate(config: &Config, direction: Direction) -> anyhow::Result<()> {
    let database = Database::connect(&config.direct).await?;
    let (verb, names) = match direction {
        Direction::Up => ("applied", database.migrate_up().await?),
        Direction::Down { steps } => ("taken back", database.migrate_down(steps).await?),
        Direction::Status => {
            for (name, applied) in database.migrations().await? {
                print(&format!(
                    "{} {name}\n",
                    if applied { "applied" } else { "pending" }
                ))?;
            }
            return Ok(());
        }
    };
    for name in &names {
        print(&format!("{verb} {name}\n"))?;
    }
    if names.is_empty() {
        print("nothing to do\n")?;
    }
    Ok(())
}

async fn import(config: &Config, file: &Path, check: bool) -> anyhow::Result<ExitCode> {
    let lines: Box<dyn BufRead> = match file == Path::new("-") {
        true => Box::new(stdin().lock()),
        false => Box::new(BufReader::new(
            File::open(file).with_context(|| format!("cannot open {}", file.display()))?,
        )),
    };
    let import = Import::read(lines, config.database.max_tasks)?;
    if check {
        print(&format!("{import} can be imported\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let database = Database::connect(&config.direct).await?;
    if config.auto_migrate {
        database
            .migrate_up()
            .await
            .context("cannot migrate the database")?;
    }
    let imported = import.write(&database).await?;
    print(&format!("{imported}\n"))?;
    match imported.left_alone() {
        None => Ok(ExitCode::SUCCESS),
        Some(left) => {
            writeln!(std::io::stderr(), "taskward: {left}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// For container health checks, in images that have no curl.
async fn healthcheck(config: &Config) -> anyhow::Result<ExitCode> {
    let host = match config.host {
        // "Any address" is none that one can connect to.
        ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
        ip if ip.is_unspecified() => "[::1]".to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    let url = format!("http://{host}:{}/readyz", config.port);
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()?;
    let answer = client.get(&url).send().await?;
    let ready = answer.status().is_success();
    print(&format!("{}\n", answer.text().await?))?;
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log_filter)
        .context("RUST_LOG cannot be understood")?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Pretty => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Standard output is for what was asked for, and for the welcome; the log goes to standard error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write")
}
