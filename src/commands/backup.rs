//! `taskward backup`: a copy of the SQLite database.

use std::{path::Path, process::ExitCode};

use taskward::{config::Config, store};

pub(super) async fn backup(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let bytes = store::backup(&config.database, file).await?;
    super::print(&format!(
        "copied {bytes} bytes to {}, and checked them\n",
        file.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
