//! A folder in which the program runs, and the program running.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use taskward::auth::DevIssuer;
use tempfile::TempDir;

use crate::support::{
    Actor, Backend,
    app::client,
    postgres::{TestDatabase, postgres},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_taskward");
/// The file of the development key, in the home directory.
pub(super) const DEVELOPMENT_KEY: &str = ".local/share/taskward/development-key.pem";
/// How long the program may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for the program's key and database, and its settings.
pub(super) struct Home {
    folder: Arc<TempDir>,
    settings: BTreeMap<String, String>,
    through: Option<Vec<String>>,
    _database: Option<TestDatabase>,
}

impl Home {
    /// With a SQLite file that does not exist yet.
    pub(super) fn sqlite() -> Self {
        Self::empty()
            .set("DATABASE_URL", "sqlite://taskward.db?mode=rwc")
            .set("RATE_LIMIT", "off")
            .set("PORT", "0")
            .set("LOG_FORMAT", "json")
    }

    /// With a PostgreSQL database.
    pub(super) fn postgres(url: &str) -> Self {
        Self::sqlite().set("DATABASE_URL", url)
    }

    /// With a database of either kind that is migrated, or will be.
    pub(super) async fn on(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::sqlite(),
            Backend::Postgres => {
                let database = postgres().unwrap().fresh_database().await;
                let home = Self::postgres(&database.url());
                Self {
                    _database: Some(database),
                    ..home
                }
            }
        }
    }

    /// Without any settings.
    pub(super) fn empty() -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().unwrap()),
            settings: BTreeMap::new(),
            through: None,
            _database: None,
        }
    }

    pub(super) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// The same folder and database with another setting.
    pub(super) fn clone_with(&self, name: &str, value: impl Into<String>) -> Self {
        let same = Self {
            folder: self.folder.clone(),
            settings: self.settings.clone(),
            through: self.through.clone(),
            _database: None,
        };
        same.set(name, value)
    }

    /// The program is started by this shell script, as `"$@"`.
    pub(super) fn through(mut self, script: &str) -> Self {
        self.through = Some(["sh", "-c", script, "sh"].map(str::to_owned).to_vec());
        self
    }

    pub(super) fn setting(&self, name: &str) -> &str {
        &self.settings[name]
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, ready to start here, with no other environment than its settings.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.through {
            Some(through) => {
                let mut command = Command::new(&through[0]);
                command.args(&through[1..]).arg(PROGRAM);
                command
            }
            None => Command::new(PROGRAM),
        };
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", "/usr/bin:/bin")
            .envs(&self.settings)
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Starts the server and returns when it listens.
    pub(super) async fn start(&self) -> Process {
        let process = self.launch();
        process.listening().await
    }

    /// Starts the server without waiting for it.
    pub(super) fn launch(&self) -> Starting {
        let mut child = self
            .command(&[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let log = Lines::of(child.stderr.take().unwrap());
        Starting {
            folder: self.folder.clone(),
            child: Guard(child),
            out,
            log,
        }
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What it wrote, if it went well.
    #[track_caller]
    pub(super) fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// What it complained about, if it failed.
    #[track_caller]
    pub(super) fn bad(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        self.err
    }
}

/// What a process has written so far. Read all the time, so that the process never waits for us.
#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self(Arc::default());
        let written = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                written.0.lock().unwrap().push(line);
            }
        });
        lines
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A child that does not outlive the test, however that ends.
struct Guard(Child);

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            // What the server has to say about it.
            let log = self.log();
            let told = log
                .iter()
                .filter(|line| !line.contains(r#""level":"INFO""#));
            told.rev().take(20).for_each(|line| println!("{line}"));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A server that may not listen yet.
pub(super) struct Starting {
    folder: Arc<TempDir>,
    child: Guard,
    out: Lines,
    log: Lines,
}

impl Starting {
    /// Whether it has opened a file, as Linux tells.
    pub(super) fn has_open(&self, file: &Path) -> bool {
        let folder = format!("/proc/{}/fd", self.child.0.id());
        let mut links = fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        links.any(|link| link == file)
    }

    /// Waits until it listens.
    pub(super) async fn listening(mut self) -> Process {
        let deadline = Instant::now() + PATIENCE;
        let port = loop {
            let log = self.log.all();
            let events = log
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut listening = events.filter(|event| event["message"] == "listening");
            if let Some(event) = listening.next() {
                let address = event["address"].as_str().unwrap().to_owned();
                break address.rsplit_once(':').unwrap().1.parse().unwrap();
            }
            let ended = self.child.0.try_wait().unwrap();
            assert!(ended.is_none(), "it did not start: {log:#?}");
            assert!(Instant::now() < deadline, "it does not listen: {log:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        Process {
            port,
            base: format!("http://127.0.0.1:{port}"),
            issuer: DevIssuer::open(&self.folder.path().join(DEVELOPMENT_KEY)).unwrap(),
            client: client(),
            child: self.child,
            _folder: self.folder,
            out: self.out,
            log: self.log,
        }
    }
}

/// A server that listens. Dropping it kills it.
pub(super) struct Process {
    pub(super) port: u16,
    pub(super) base: String,
    issuer: DevIssuer,
    client: reqwest::Client,
    child: Guard,
    _folder: Arc<TempDir>,
    out: Lines,
    log: Lines,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }

    pub(super) fn token(&self, user: &str) -> String {
        let valid = Duration::from_secs(600);
        self.issuer.mint(user, None, valid).unwrap()
    }

    /// Somebody with a good token.
    pub(super) fn user(&self, name: &str) -> Actor {
        self.holder(&self.token(name))
    }

    /// Somebody with this token.
    pub(super) fn holder(&self, token: &str) -> Actor {
        Actor::new(&self.base, self.client.clone(), Some(token))
    }

    /// Somebody without a token.
    pub(super) fn anon(&self) -> Actor {
        Actor::new(&self.base, self.client.clone(), None)
    }

    /// What it has written to standard output.
    pub(super) fn printed(&self) -> Vec<String> {
        self.out.all()
    }

    /// The log, a line each.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.all()
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for it to end by itself, and says how.
    pub(super) async fn ended(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still there: {:#?}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
