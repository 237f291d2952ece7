//! What the program can do, one file per subcommand.

mod after_restore;
mod backup;
mod doctor;
mod healthcheck;
mod import;
mod migrate;
mod purge;
mod serve;
mod telemetry;
mod token;
mod user;

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Subcommand;
use taskward::{api::spec, auth::DevIssuer, config::Config};

pub(crate) use doctor::doctor;

use crate::log::Log;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the API (the default)
    Serve,
    /// Bring the database to the schema of this build, or show its state
    Migrate {
        #[command(subcommand)]
        direction: migrate::Direction,
    },
    /// Import the tasks of another backend from lines of JSON
    Import {
        /// The file, or `-` for standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// Read and check all of it, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Copy the SQLite database to a new file, while the server runs
    Backup {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// After a restore of an older state: have every copy read again, so that nothing from before fits by chance
    AfterRestore,
    /// Export or erase what a user stores, or revoke the user's tokens
    User {
        #[command(subcommand)]
        action: user::Action,
    },
    /// Remove what was deleted longer ago than it can be restored, and count again what users store; the server does the
    /// first by itself
    Purge,
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
        /// The scopes, separated by spaces; without this option the token allows everything
        #[arg(long)]
        scope: Option<String>,
        /// How many seconds the token is valid
        #[arg(long, default_value_t = 24 * 60 * 60)]
        seconds: u64,
    },
    /// Ask the server of these settings whether it is ready; the exit status tells
    Healthcheck,
    /// Check settings, database, issuers, proxy and machine, and say what to do; changes nothing
    Doctor(doctor::Options),
}

impl Command {
    pub(crate) async fn run(self, config: &Config, log: Log) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve => serve::serve(config, log).await,
            Self::Migrate { direction } => migrate::migrate(config, direction).await,
            Self::Import { file, check } => import::import(config, &file, check).await,
            Self::Backup { file } => backup::backup(config, &file).await,
            Self::AfterRestore => after_restore::after_restore(config).await,
            Self::User { action } => user::user(config, action).await,
            Self::Purge => purge::purge(config).await,
            Self::Openapi { yaml } => openapi(yaml),
            Self::Token {
                user,
                scope,
                seconds,
            } => token::token(config, &user, scope.as_deref(), seconds),
            Self::Healthcheck => healthcheck::healthcheck(config).await,
            Self::Doctor(options) => doctor(&options).await,
        }
    }
}

/// Where the server of these settings can be reached from this machine, without a slash at the end.
fn local_url(config: &Config) -> String {
    let host = match config.host {
        // One cannot connect to "any address".
        ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
        ip if ip.is_unspecified() => "[::1]".to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    format!("http://{host}:{}", config.port)
}

/// Prints the contract.
pub(crate) fn openapi(yaml: bool) -> anyhow::Result<ExitCode> {
    print(&if yaml {
        spec::yaml(None)
    } else {
        spec::json(None)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The issuer of development mode, with the key of this user.
fn development_issuer(config: &Config) -> anyhow::Result<DevIssuer> {
    let file = &config.development_key;
    DevIssuer::open(file)
        .context("no key for development mode; DEVELOPMENT_KEY_FILE can name its file")
}

/// Standard output is for the result of a command, and for the welcome; the log goes to standard error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}
