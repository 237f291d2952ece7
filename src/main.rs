//! The process: reads the command line and the settings, starts the log, and runs one of the [`commands`].

mod commands;
mod log;

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;
use commands::Command;
use taskward::config::{self, Config, LogFormat, Source};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A multi-user todo API: it verifies your issuer's tokens and keeps users apart.
#[derive(Parser)]
#[command(name = "taskward", version, after_help = config::help())]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Two providers in one build would make rustls panic at the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = CommandLine::parse().command.unwrap_or(Command::Serve);
    match run(command).await {
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
        return commands::openapi(yaml);
    }
    let config = Config::read(Source::environment())?;
    start_log(&config)?;
    for note in &config.notes {
        tracing::info!("{note}");
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    command.run(&config).await
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log_filter)
        .context("RUST_LOG cannot be understood")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Pretty => lines.init(),
        LogFormat::Json => lines
            .fmt_fields(log::JsonMembers)
            .event_format(log::JsonLine)
            .init(),
    }
    Ok(())
}
