//! What the checks of `taskward doctor` found, for the operator.

use std::{future::Future, thread, time::Duration};

use serde::Serialize;
use tokio::{sync::oneshot, time::timeout};

/// How long one check may take.
pub const CHECK_LIMIT: Duration = Duration::from_secs(5);

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Nothing is to be done.
    Ok,
    /// It works, but is probably not meant.
    Warning,
    /// Something does not work, or is not safe.
    Problem,
    /// It could not be found out, or does not apply.
    Skipped,
}

impl CheckStatus {
    /// The word that people and programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
        }
    }
}

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked: group and name, like `database.reachable`.
    pub check: &'static str,
    /// Which of several, like `DATABASE_DIRECT_URL`.
    pub of: Option<String>,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found; of a warning and a problem also what to do. Never contains a secret.
    pub detail: String,
}

impl Check {
    /// All is well.
    pub fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Ok, detail)
    }

    /// It works, but is probably not meant. The text says what to do.
    pub fn warning(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Warning, detail)
    }

    /// It does not work, or is not safe. The text says what to do.
    pub fn problem(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Problem, detail)
    }

    /// It was not checked. The text says why.
    pub fn skipped(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, CheckStatus::Skipped, detail)
    }

    /// Says which of several was checked.
    pub fn of(mut self, which: impl Into<String>) -> Self {
        self.of = Some(which.into());
        self
    }

    fn new(check: &'static str, status: CheckStatus, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            check,
            of: None,
            status,
            detail,
        }
    }
}

/// Waits for a check, not longer than [`CHECK_LIMIT`].
///
/// # Errors
/// A problem that says that it took longer.
pub async fn in_time<T>(check: &'static str, found: impl Future<Output = T>) -> Result<T, Check> {
    let limit = CHECK_LIMIT.as_secs();
    timeout(CHECK_LIMIT, found)
        .await
        .map_err(|_| Check::problem(check, format!("no answer within {limit} s")))
}

/// Runs what may block, such as a look at a network file system that hangs, in a thread that the end of the process
/// does not wait for.
///
/// # Errors
/// A problem that says that it took longer than [`CHECK_LIMIT`].
pub async fn off_thread<T: Send + 'static>(
    check: &'static str,
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Check> {
    let (sender, found) = oneshot::channel();
    thread::spawn(move || sender.send(look()).ok());
    match in_time(check, found).await? {
        Ok(found) => Ok(found),
        Err(_) => Err(Check::problem(
            check,
            "the check failed; please report this",
        )),
    }
}

/// Says how two clocks differ, if that is more than the measurement's own uncertainty. Both in seconds; positive: the other
/// clock is ahead of this machine's.
pub fn clock_difference(ahead: f64, uncertainty: f64) -> Option<f64> {
    (ahead.abs() > uncertainty).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_ends() {
        let hung = in_time("a.b", std::future::pending::<()>()).await;
        assert_eq!(hung, Err(Check::problem("a.b", "no answer within 5 s")));
    }

    #[tokio::test]
    async fn what_blocks_runs_beside() {
        assert_eq!(off_thread("a.b", || 7).await, Ok(7));
        let failed = off_thread("a.b", || panic!("as a test")).await;
        assert_eq!(failed.unwrap_err().status, CheckStatus::Problem);
    }
}
