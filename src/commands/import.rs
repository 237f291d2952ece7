//! `taskward import`: the tasks of another backend.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write as _, stderr, stdin},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use taskward::{clock::Clock, config::Config, import::Import, store::Database};

use super::print;

pub(super) async fn import(config: &Config, file: &Path, check: bool) -> anyhow::Result<ExitCode> {
    let import = Import::read(open(file)?, config.database.limits, Clock::System.now())?;
    if check {
        print(&format!("{import} can be imported\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let database = Database::connect(&config.direct, &Clock::System).await?;
    database.check_kept()?;
    if config.auto_migrate {
        let migrated = database.migrate_up().await;
        migrated.context("cannot migrate the database")?;
    }
    let imported = import.write(&database).await?;
    print(&format!("{imported}\n"))?;
    match imported.left_alone() {
        None => Ok(ExitCode::SUCCESS),
        Some(left) => {
            writeln!(stderr(), "taskward: {left}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(stdin().lock()));
    }
    let file = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(Box::new(BufReader::new(file)))
}
