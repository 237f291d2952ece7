//! `taskward purge`: removes old tombstones now, and counts again what users store.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use taskward::{clock::Clock, config::Config, store::Database};

use super::print;

pub(super) async fn purge(config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::connect(&config.direct, &Clock::System).await?;
    database.check_kept()?;
    database.check_reachable().await?;
    let pending = database.readiness().await?;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `taskward migrate up` first");
    }
    let purged = database.purge(Duration::ZERO).await?;
    let days = config.direct.tombstone_retention.as_secs() / (24 * 60 * 60);
    print(&format!("{purged}, all older than {days} days\n"))?;
    let mended = database.recount().await?;
    print(&format!(
        "{mended} users had other counts of what they store\n"
    ))?;
    Ok(match purged.left.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
