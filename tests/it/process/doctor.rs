//! `taskward doctor`: a good deployment has no problem, and what is broken is named, with what to do.

mod files;
mod issuers;
mod poolers;
mod postgres;
mod way;

use std::{
    env,
    io::{Write as _, stderr},
    path::Path,
};

use serde_json::Value;
use tokio::{net::TcpListener, task::block_in_place};

use super::{Home, number};
use crate::support::{Backend, on_both};

/// A password that must not be printed, whatever is wrong.
const PASSWORD: &str = "hunter2-hunter2";

/// What the command found.
#[derive(Debug)]
pub(super) struct Found {
    code: Option<i32>,
    report: Value,
}

impl Found {
    /// Runs the command, which must print one object and no password.
    #[track_caller]
    fn by(home: &Home, options: &[&str]) -> Self {
        let arguments = [&["doctor", "--json"], options].concat();
        let ran = block_in_place(|| home.run(&arguments));
        assert!(
            !ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD),
            "{ran:?}"
        );
        assert_eq!(ran.err, "", "{ran:?}");
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        let checks = report["checks"].as_array().unwrap();
        for (status, counted) in [
            ("ok", "ok"),
            ("warning", "warnings"),
            ("problem", "problems"),
            ("skipped", "skipped"),
        ] {
            let of_status = checks
                .iter()
                .filter(|check| check["status"] == status)
                .count();
            assert_eq!(report[counted], of_status, "{counted}: {report:#}");
        }
        Self {
            code: ran.code,
            report,
        }
    }

    /// The status of a check and its text; of several of that name the worst.
    #[track_caller]
    fn check(&self, name: &str) -> (&str, &str) {
        let checks = self.report["checks"].as_array().unwrap();
        let rank = |status: &str| {
            ["skipped", "ok", "warning", "problem"]
                .iter()
                .position(|other| *other == status)
        };
        let found = checks
            .iter()
            .filter(|check| check["check"] == name)
            .map(|check| {
                (
                    check["status"].as_str().unwrap(),
                    check["detail"].as_str().unwrap(),
                )
            })
            .max_by_key(|(status, _)| rank(status).unwrap());
        found.unwrap_or_else(|| panic!("no {name}: {self:#?}"))
    }

    /// The check found this, and says it with these words.
    #[track_caller]
    fn says(&self, name: &str, status: &str, words: &str) {
        let (found, detail) = self.check(name);
        assert_eq!(found, status, "{name}: {detail}\n{self:#?}");
        assert!(
            detail.contains(words),
            "{name}: {words:?} is not in {detail:?}"
        );
        let expected = i32::from(self.report["problems"] != 0);
        assert_eq!(self.code, Some(expected), "{self:#?}");
    }

    /// There is no problem.
    #[track_caller]
    fn is_good(&self) {
        assert_eq!(
            (self.code, &self.report["problems"]),
            (Some(0), &0.into()),
            "{self:#?}"
        );
    }
}

/// Whether a program of Debian is there. Where PostgreSQL is required, as in CI, so is this.
fn is_installed(program: &str) -> bool {
    let is_there = Path::new(program).exists();
    let required = env::var("TASKWARD_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(is_there || !required, "{program} is required");
    if !is_there {
        // Not `eprintln!`, which the test harness swallows when the test passes.
        let line = format!("{program} is not installed, and its test did not run\n");
        stderr().write_all(line.as_bytes()).ok();
    }
    is_there
}

/// A port at which nothing listens.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// The files of a folder and what is in them.
fn files(home: &Home) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(home.path()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        // The index of the log is a memory that processes share, and nothing of the database.
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

on_both! {
    async fn a_good_deployment_has_no_problem(on: Backend) {
        let port = free_port().await;
        let home = Home::on(on).await.set("PORT", port.to_string());
        if on == Backend::Sqlite {
            let first = Found::by(&home, &[]);
            first.is_good();
            first.says("database.file", "ok", "the start creates it");
            assert_eq!(files(&home), [], "it makes no files");
            block_in_place(|| home.run(&["migrate", "up"])).good();
        }
        let stopped = files(&home);
        let before = Found::by(&home, &[]);
        before.is_good();
        before.says("server.port", "ok", "is free");
        before.says("database.migrations", "ok", "are applied");
        before.says("issuers.token", "skipped", "the start makes it");
        assert_eq!(files(&home), stopped, "it changes nothing");

        let server = home.start().await;
        server.user("alice").create("Buy milk").await;
        let during = Found::by(&home, &[]);
        during.is_good();
        during.says("server.port", "ok", "Taskward runs at");
        during.says("server.ready", "ok", "is ready");
        during.says("issuers.token", "ok", "is accepted by development");
        if on == Backend::Postgres {
            during.says("database.tls", "ok", "on this machine");
            let users = "SELECT count(*) FROM user_clock";
            assert_eq!(number(home.setting("DATABASE_URL"), users).await, 1, "no user of its own");
        }

        // The text for people has the same, and a warning counts only where it is strict: development mode is one.
        let text = block_in_place(|| home.run(&["doctor"])).good();
        for part in ["\ndatabase\n", "\n  ok       migrations", "problems: 0,"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        let strict = block_in_place(|| home.run(&["doctor", "--strict"]));
        assert_eq!((strict.code, strict.out.contains("warning  mode: no issuer is set")), (Some(1), true), "{strict:?}");

        // A crash leaves files that the next start reads; the look at them changes nothing.
        server.kill();
        let crashed = files(&home);
        Found::by(&home, &[]).is_good();
        assert_eq!(files(&home), crashed);
        home.start().await.user("alice").get("/api/v1/tasks/1").await.has(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_settings_are_problems_and_hide_nothing() {
    let url = format!("mysql://a:{PASSWORD}@db/tasks");
    let home = Home::sqlite().set("PORT", "many").set("DATABASE_URL", url);
    let found = Found::by(&home, &[]);
    found.check("machine.open_files");
    found.says("database", "skipped", "correct them first");
    let told = found.report.to_string();
    assert_eq!(found.report["problems"], 2, "{told}");
    assert!(
        told.contains("PORT is `many`") && told.contains("DATABASE_URL begins with `mysql:`"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_open_files_are_told() {
    let home = Home::sqlite().through(r#"ulimit -S -n 300; ulimit -H -n 300; exec "$@""#);
    Found::by(&home, &[]).says("machine.open_files", "problem", "LimitNOFILE");
}
