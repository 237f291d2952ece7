//! `taskward user`: what the operator does for one user.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdin, stdout},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use chrono::SecondsFormat;
use clap::Subcommand;
use taskward::{
    auth::{MAX_USER_ID, check_user_id},
    clock::Clock,
    config::Config,
    store::{Database, Export, Usage},
};

use super::print;

/// The user is named by the id that `getMe` shows: the `sub` of the tokens, with the namespace of its issuer before it where
/// `AUTH_NAMESPACE` is set.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Print everything that a user stores, as lines of JSON that `taskward import` reads
    Export {
        /// The `user_id` that `getMe` shows
        user: String,
    },
    /// Remove everything that a user stores, for good
    Erase {
        /// The `user_id` that `getMe` shows
        user: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Refuse all tokens of a user that were issued until now, on all processes within 5 s; new ones are accepted
    Revoke {
        /// The `user_id` that `getMe` shows
        user: String,
        /// Accept them again
        #[arg(long)]
        undo: bool,
    },
}

impl Action {
    fn user(&self) -> &str {
        match self {
            Self::Export { user } | Self::Erase { user, .. } | Self::Revoke { user, .. } => user,
        }
    }
}

pub(super) async fn user(config: &Config, action: Action) -> anyhow::Result<ExitCode> {
    if check_user_id(action.user()).is_err() {
        bail!(
            "no token has such a user id: it has 1 to {MAX_USER_ID} characters, and no control characters"
        );
    }
    let database = Database::connect(&config.direct, &Clock::System).await?;
    database.check_kept()?;
    database.check_reachable().await?;
    let pending = database.readiness().await?;
    if pending > 0 {
        bail!("{pending} migrations are pending; run `taskward migrate up` first");
    }
    match action {
        Action::Export { user } => export(&database, &user).await?,
        Action::Erase { user, yes } => erase(&database, &user, yes).await?,
        Action::Revoke { user, undo: false } => revoke(&database, &user).await?,
        Action::Revoke { user, undo: true } => accept_again(&database, &user).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(database: &Database, user: &str) -> anyhow::Result<()> {
    check_known(database, user).await?;
    let mut next = Some(Export::default());
    while let Some(export) = next {
        let page = database.for_operator().export(user, export).await;
        let page = page.context("the export is not whole")?;
        let mut out = stdout().lock();
        out.write_all(&page.text)
            .and_then(|()| out.flush())
            .context("cannot write to standard output; the export is not whole")?;
        next = page.rest;
    }
    Ok(())
}

async fn erase(database: &Database, user: &str, is_sure: bool) -> anyhow::Result<()> {
    check_known(database, user).await?;
    if !is_sure && !confirmed(user)? {
        bail!("nothing was erased");
    }
    let Usage {
        tasks,
        tombstones,
        bytes,
    } = database
        .for_operator()
        .erase(user)
        .await?
        .unwrap_or_default();
    print(&format!(
        "erased {tasks} tasks and {tombstones} deleted ones of {user}, {bytes} bytes in all\n"
    ))
}

/// Asks a person to type the id of the user. Nobody can be asked in a script.
fn confirmed(user: &str) -> anyhow::Result<bool> {
    if !stdin().is_terminal() {
        bail!("this cannot be undone: add --yes to do it without being asked; nothing was erased");
    }
    write!(
        stderr(),
        "This removes everything of {user} for good. Type the id of the user to go on: "
    )?;
    stderr().flush()?;
    let mut typed = String::new();
    stdin().read_line(&mut typed)?;
    Ok(typed.trim_end_matches(['\r', '\n']) == user)
}

async fn revoke(database: &Database, user: &str) -> anyhow::Result<()> {
    let at = database.for_operator().revoke_tokens(user).await?;
    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    print(&format!(
        "tokens of {user} that were issued until {at} are refused, by every process within 5 s\n"
    ))?;
    // The account may be older than the first task.
    if !database.for_operator().knows(user).await? {
        writeln!(stderr(), "taskward: {}", unknown(user))?;
    }
    Ok(())
}

async fn accept_again(database: &Database, user: &str) -> anyhow::Result<()> {
    if !database.for_operator().accept_tokens_again(user).await? {
        bail!("no tokens of {user} are revoked");
    }
    print(&format!(
        "tokens of {user} that have not expired are accepted again, by every process within 5 s\n"
    ))
}

async fn check_known(database: &Database, user: &str) -> anyhow::Result<()> {
    match database.for_operator().knows(user).await? {
        true => Ok(()),
        false => bail!(unknown(user)),
    }
}

fn unknown(user: &str) -> String {
    format!(
        "the user {user} has never stored anything here: compare the id with `user_id` of GET /api/v1/me, which is \
         `namespace:sub` where AUTH_NAMESPACE is set"
    )
}
