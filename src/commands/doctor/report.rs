//! What `taskward doctor` prints.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::json;
use taskward::check::{Check, CheckStatus};

/// All checks, in the order in which they are read.
pub(super) struct Report(Vec<Check>);

impl Report {
    pub(super) fn new(checks: Vec<Check>) -> Self {
        Self(checks)
    }

    /// Whether there is no problem, and where it is strict no warning.
    pub(super) fn is_good(&self, strict: bool) -> bool {
        self.count(CheckStatus::Problem) == 0 && !(strict && self.count(CheckStatus::Warning) > 0)
    }

    fn count(&self, status: CheckStatus) -> usize {
        self.0.iter().filter(|check| check.status == status).count()
    }

    /// One object, for programs.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        let object = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ok": self.count(CheckStatus::Ok),
            "warnings": self.count(CheckStatus::Warning),
            "problems": self.count(CheckStatus::Problem),
            "skipped": self.count(CheckStatus::Skipped),
            "checks": self.0,
        });
        let text = serde_json::to_string_pretty(&object).context("cannot write the report")?;
        Ok(text + "\n")
    }

    /// Groups of lines, and a summary that repeats nothing.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for check in &self.0 {
            let (group, name) = check.check.split_once('.').unwrap_or((check.check, ""));
            if group != last {
                let _ = writeln!(text, "{}{group}", if last.is_empty() { "" } else { "\n" });
                last = group;
            }
            let _ = write!(text, "  {:<8}", check.status.name());
            let name = name.replace('_', " ");
            match (&*name, &check.of) {
                ("", None) => {}
                ("", Some(of)) => {
                    let _ = write!(text, " ({of})");
                }
                (name, None) => {
                    let _ = write!(text, " {name}:");
                }
                (name, Some(of)) => {
                    let _ = write!(text, " {name} ({of}):");
                }
            }
            let _ = writeln!(text, " {}", check.detail);
        }
        let _ = writeln!(
            text,
            "\nok: {}, warnings: {}, problems: {}, skipped: {}",
            self.count(CheckStatus::Ok),
            self.count(CheckStatus::Warning),
            self.count(CheckStatus::Problem),
            self.count(CheckStatus::Skipped)
        );
        text
    }
}
