//! The process: reads the command line and the settings, starts the log, and runs one of the [`commands`].

mod commands;
mod log;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use commands::Command;
use taskward::{
    config::{self, Config, LogFormat, Source},
    telemetry::{spans_layer, trace},
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

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
    if let Command::Doctor(options) = &command {
        // Faults of the settings are what it looks for, and it says all itself: no log.
        return commands::doctor(options).await;
    }
    let config = Config::read(Source::environment())?;
    // Writes what waits when it is dropped.
    let (_writer, log) = start_log(&config, matches!(command, Command::Serve))?;
    for note in &config.notes {
        tracing::info!("{note}");
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    command.run(&config, log).await
}

/// Lines that wait to be written. When a reader is that far behind, further ones are dropped.
const LOG_LINES: usize = 8_192;
/// How often the log says how many lines it has dropped.
const DROPPED_EVERY: Duration = Duration::from_secs(10);

/// A thread writes the log: whoever stops reading it must not stop a request. `serves`: whether spans may be sent.
fn start_log(config: &Config, serves: bool) -> anyhow::Result<(WorkerGuard, log::Log)> {
    // The spans that are only sent are not for the log.
    let filter = format!("{},{}=off", config.log_filter, trace::TARGET);
    let filter = EnvFilter::try_new(filter).context("RUST_LOG cannot be understood")?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LOG_LINES)
        .thread_name("log")
        .finish(std::io::stderr());
    let dropped = writer.error_counter();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(writer);
    let lines = match config.log_format {
        LogFormat::Pretty => lines.boxed(),
        LogFormat::Json => lines
            .fmt_fields(log::JsonMembers)
            .event_format(log::JsonLine)
            .boxed(),
    };
    tokio::spawn(tell_dropped(dropped.clone()));
    let spans = match config.telemetry.collector.endpoints.traces {
        Some(_) if serves => {
            let (layer, queue) = spans_layer(config.telemetry.sampling);
            registry()
                .with(lines.with_filter(filter))
                .with(layer)
                .init();
            Some(queue)
        }
        // A filter for all layers costs less than one for each.
        _ => {
            registry().with(lines).with(filter).init();
            None
        }
    };
    Ok((guard, log::Log { dropped, spans }))
}

/// Says how many lines were dropped, once somebody reads again.
async fn tell_dropped(counter: ErrorCounter) {
    let mut told = 0;
    loop {
        tokio::time::sleep(DROPPED_EVERY).await;
        let dropped = counter.dropped_lines();
        if dropped > told {
            let lines = dropped - told;
            tracing::warn!(lines, "lines of the log were dropped, as nobody read them");
            told = dropped;
        }
    }
}
