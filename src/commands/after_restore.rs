//! `taskward after-restore`: tells copies and versions from before apart from what comes after.

use std::process::ExitCode;

use taskward::{clock::Clock, config::Config, store::Database};

use super::print;

pub(super) async fn after_restore(config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::connect(&config.direct, &Clock::System).await?;
    database.check_kept()?;
    database.check_reachable().await?;
    let pending = database.readiness().await?;
    if pending > 0 {
        anyhow::bail!("{pending} migrations are pending; run `taskward migrate up` first");
    }
    let users = database.for_operator().go_on_after_restore().await?;
    print(&format!(
        "moved the revisions of {users} users ahead: copies of their tasks are read again, and no version from before fits\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
