//! Imports the tasks of another backend: `taskward import`.
//!
//! All lines are read and checked before the first task is written. Then each user's tasks are written in
//! one transaction. A user who has tasks here already is skipped, so a second run after an interrupted one
//! writes what is missing, and nothing twice.
//!
//! An export of Taskward says where it begins and ends, so that one that was cut is refused.

mod encoding;
mod faults;
mod line;
mod reader;
mod section;
mod values;

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufRead, Read as _},
};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};

use self::{encoding::other_than_utf8, faults::printable, reader::Reader};
use crate::{
    contract::Timestamp,
    store::{Committed, Database, ImportedUser, UserLimits},
};

/// The longest line, in bytes; the same as for the body of a request.
const MAX_LINE: u64 = 1024 * 1024;

/// What can be imported, by user.
#[derive(Debug, Default)]
pub struct Import(BTreeMap<String, ImportedUser>);

/// What became of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// How many tasks were written.
    pub tasks: usize,
    /// For how many users.
    pub users: usize,
    /// The users that have tasks here already, of whom nothing was written.
    pub left: Vec<String>,
}

impl Import {
    /// Reads a JSON object from each line that is not empty. `limits`: the most of one user; `now`: what time it is.
    ///
    /// # Errors
    /// The faults of all lines, of which the first 50 are told; and if there is no task at all.
    pub fn read(
        mut lines: impl BufRead,
        limits: UserLimits,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let mut reader = Reader::new(Timestamp::new(now));
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let length = (&mut lines)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .with_context(|| format!("line {number} cannot be read"))?;
            if length == 0 {
                break;
            }
            if number == 1
                && let Some(encoding) = other_than_utf8(&line)
            {
                bail!(
                    "nothing was imported: the file is {encoding}, but must be UTF-8; convert it: \
                     `iconv -f {encoding} -t UTF-8 FILE > NEW_FILE`"
                );
            }
            if length as u64 == MAX_LINE {
                reader.note(number, "is longer than a task can be");
                break;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            reader.read(number, line.trim_ascii_end());
        }
        reader.finish(limits)
    }

    /// Writes them.
    ///
    /// # Errors
    /// If the database is away, or has not the tables of this build. What was written before stays.
    pub async fn write(self, database: &Database) -> anyhow::Result<Imported> {
        database.check_reachable().await?;
        let pending = database.readiness().await?;
        if pending > 0 {
            bail!("{pending} migrations are pending; run `taskward migrate up` first");
        }
        let mut imported = Imported::default();
        for (user, of_user) in self.0 {
            let count = of_user.tasks.len();
            let written = database.for_operator().import(user.clone(), of_user).await;
            let done = format!("the tasks of {user} were not imported; before that, {imported}");
            match written.context(done)? {
                Some(Committed { revision, .. }) => {
                    tracing::debug!(revision, "imported the tasks of a user");
                    imported.tasks += count;
                    imported.users += 1;
                }
                None => imported.left.push(user),
            }
        }
        if imported.tasks > 0 && database.for_operator().analyze().await? {
            tracing::info!(
                "the tables were analysed (ANALYZE), so that lists are planned for what they hold now"
            );
        }
        Ok(imported)
    }
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.0.values().map(|user| user.tasks.len()).sum();
        write!(
            f,
            "{} of {}",
            counted(tasks, "task"),
            counted(self.0.len(), "user")
        )
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "imported {} of {}",
            counted(self.tasks, "task"),
            counted(self.users, "user")
        )
    }
}

impl Imported {
    /// What a person should know of the users that were left alone, if there are any.
    pub fn left_alone(&self) -> Option<String> {
        let names = printable(&self.left.join(", "));
        match self.left.len() {
            0 => None,
            1 => Some(format!(
                "1 user has tasks here already and was left as is: {names}"
            )),
            n => Some(format!(
                "{n} users have tasks here already and were left as they are: {names}"
            )),
        }
    }
}
