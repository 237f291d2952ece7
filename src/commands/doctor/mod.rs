//! `taskward doctor`: checks a deployment, and says what to do. It changes nothing.
//!
//! The checks of the database are in the store, those of the issuers in `auth`; here are those of the machine and of the way
//! that a request takes.

mod listener;
mod machine;
mod public_url;
mod report;
mod seen;
mod streams;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use taskward::{
    auth::{self, DevIssuer},
    check::Check,
    config::{Config, ConfigError, Source},
    store,
};
use tokio::join;

use report::Report;
pub(super) use seen::{printable, text_of};

#[derive(Args)]
pub(crate) struct Options {
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    strict: bool,
    /// A file with a token of your issuer, or `-` for standard input: checks whether it is accepted, and whether event
    /// streams pass the proxy
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Runs all checks. Needs no valid settings: their faults are problems.
pub(crate) async fn doctor(options: &Options) -> anyhow::Result<ExitCode> {
    let token = options.token_file.as_deref().map(read_token).transpose()?;
    let checks = match Config::read(Source::environment()) {
        Ok(config) => all(&config, token).await,
        Err(ConfigError(faults)) => {
            let mut checks: Vec<Check> = faults
                .into_iter()
                .map(|fault| Check::problem("settings", fault))
                .collect();
            checks.extend(machine::without_settings());
            for rest in ["database", "issuers", "server"] {
                checks.push(Check::skipped(
                    rest,
                    "the settings have faults; correct them first",
                ));
            }
            checks
        }
    };
    let report = Report::new(checks);
    super::print(&match options.json {
        true => report.json()?,
        false => report.text(),
    })?;
    Ok(match report.is_good(options.strict) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn all(config: &Config, token: Option<String>) -> Vec<Check> {
    let development = development(config);
    let token = token.or_else(|| {
        let issuer = development.as_ref()?;
        issuer
            .mint("taskward-doctor", None, Duration::from_secs(60))
            .ok()
    });
    // Boxed, because the futures are large.
    let (database, issuers, of_token, server) = join!(
        Box::pin(store::examine(
            &config.database,
            &config.direct,
            config.auto_migrate
        )),
        Box::pin(auth::examine(&config.auth)),
        Box::pin(of_token(config, development.clone(), token.as_deref())),
        Box::pin(server(config, token.as_deref())),
    );
    let mut checks = settings(config);
    checks.extend(database);
    checks.extend(issuers);
    checks.push(of_token);
    checks.extend(server);
    checks.extend(machine::with_settings(config));
    checks
}

/// What the start would log.
fn settings(config: &Config) -> Vec<Check> {
    let warnings = config
        .warnings
        .iter()
        .map(|text| Check::warning("settings", text));
    let mut checks: Vec<Check> = warnings.collect();
    if checks.is_empty() {
        let notes = config.notes.join("; ");
        let detail = match notes.is_empty() {
            true => "can be read".to_owned(),
            false => notes,
        };
        checks.push(Check::ok("settings", detail));
    }
    checks
}

async fn of_token(config: &Config, development: Option<DevIssuer>, token: Option<&str>) -> Check {
    match token {
        _ if config.is_development() && development.is_none() => Check::skipped(
            "issuers.token",
            "the key of development mode is not there yet; the start makes it",
        ),
        Some(token) => auth::examine_token(&config.auth, development, token).await,
        None => Check::skipped("issuers.token", "no token was given (--token-file)"),
    }
}

async fn server(config: &Config, token: Option<&str>) -> Vec<Check> {
    let (listening, mut checks) = listener::examine(config).await;
    checks.extend(public_url::examine(config, &listening).await);
    checks.extend(streams::examine(config, &listening, token).await);
    checks
}

/// The issuer of development mode, if its key is there: opening it would make one.
fn development(config: &Config) -> Option<DevIssuer> {
    let file = &config.development_key;
    (config.is_development() && file.exists()).then(|| DevIssuer::open(file).ok())?
}

/// Not from the command line, which other users of the machine can see.
fn read_token(file: &Path) -> anyhow::Result<String> {
    const MOST: u64 = 64 * 1024;
    let mut text = String::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin().lock().take(MOST).read_to_string(&mut text),
        false => {
            std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut text))
        }
    };
    read.with_context(|| format!("cannot read the token from {}", file.display()))?;
    let token = text.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        bail!("{} must hold one token", file.display());
    }
    Ok(token.to_owned())
}
