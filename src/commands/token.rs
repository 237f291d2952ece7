//! `taskward token`: a token of development mode's own issuer.

use std::{process::ExitCode, time::Duration};

use taskward::config::Config;

pub(super) fn token(
    config: &Config,
    user: &str,
    scope: Option<&str>,
    seconds: u64,
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        config.is_development(),
        "an issuer is set, and only that issuer makes tokens; Taskward makes them in development mode"
    );
    let issuer = super::development_issuer(config)?;
    let token = issuer.mint(user, scope, Duration::from_secs(seconds))?;
    super::print(&format!("{token}\n"))?;
    Ok(ExitCode::SUCCESS)
}
