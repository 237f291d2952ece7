//! `taskward migrate`: the schema of the database.

use std::process::ExitCode;

use clap::Subcommand;
use taskward::{clock::Clock, config::Config, store::Database};

use super::print;

#[derive(Subcommand)]
pub(crate) enum Direction {
    /// Apply all pending migrations
    Up,
    /// Revert the last migrations, and drop what they hold
    Down {
        /// How many
        #[arg(default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations and whether they are applied
    Status,
    /// Compute the search keys of all tasks again; after a rolling update, once the older version has stopped
    Reindex,
}

pub(super) async fn migrate(config: &Config, direction: Direction) -> anyhow::Result<ExitCode> {
    let database = Database::connect(&config.direct, &Clock::System).await?;
    database.check_kept()?;
    match direction {
        Direction::Up => report("applied", &database.migrate_up().await?)?,
        Direction::Down { steps } => report("reverted", &database.migrate_down(steps).await?)?,
        Direction::Reindex => {
            let count = database.reindex().await?;
            print(&format!("{count} tasks had other search keys\n"))?;
        }
        Direction::Status => {
            for (name, is_applied) in database.migrations().await? {
                let state = if is_applied { "applied" } else { "pending" };
                print(&format!("{state} {name}\n"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(verb: &str, names: &[String]) -> anyhow::Result<()> {
    if names.is_empty() {
        return print("nothing to do\n");
    }
    names
        .iter()
        .try_for_each(|name| print(&format!("{verb} {name}\n")))
}
