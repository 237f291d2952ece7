//! A PostgreSQL server of our own, in a temporary folder, that never outlives the test process.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::host::{free_port, programs, roomy_memory, unprivileged_user};

/// Waits until the test process has gone, whichever way it went: the kernel then closes the other end of
/// the pipe. In a process group of its own, so that Ctrl-C at the tests does not end it too. It goes
/// round until the folder stays away, in case a program that was just starting still writes there.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
turn=0
while [ -e "$1" ] && [ $turn -lt 100 ]; do
    pidfile="$1/data/postmaster.pid"
    server=$(head -n 1 "$pidfile" 2>/dev/null)
    if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
        wait=0
        while [ -e "$pidfile" ] && [ $wait -lt 200 ]; do sleep 0.05; wait=$((wait + 1)); done
    fi
    rm -rf "$1"
    sleep 0.1
    turn=$((turn + 1))
done
"#;

/// The server's own settings, on top of the defaults of `initdb`.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 400
";

/// Settings of a server that nobody will miss after a crash. Without autovacuum, since its workers
/// connect to databases that are about to be copied or dropped.
const FAST: &str = "
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_wal_size = 256MB
";

/// A server that was started here.
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    /// Whom the server runs as, if that is not us: it refuses to run as root.
    user: Option<(u32, u32)>,
    port: u16,
    fsync: bool,
    watchdog: Child,
}

impl Server {
    /// Makes and starts a server, or says why it cannot.
    pub fn make(fsync: bool) -> Result<Server, String> {
        let programs = programs()?;
        let parent = if fsync {
            env::temp_dir()
        } else {
            roomy_memory()
        };
        let folder = tempfile::Builder::new()
            .prefix("taskward-postgres-")
            .tempdir_in(parent)
            .map_err(|error| error.to_string())?;
        // The watchdog comes first and deletes the folder, so there is no moment that leaves one behind.
        let folder = folder.keep();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start sh: {error}"))?;
        let mut server = Server {
            programs,
            folder,
            user: None,
            port: 0,
            fsync,
            watchdog,
        };
        server.init()?;
        let mut started = Err(String::new());
        // The port was free when it was looked at; somebody else may still be faster.
        for _ in 0..5 {
            server.port = free_port()?;
            started = server.start();
            if started.is_ok() {
                break;
            }
        }
        started.map(|()| server)
    }

    /// Where it listens on the loopback address, also after a stop and a start.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files and its log are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a database is best copied file by file: it is where the checkpoints that this takes cost
    /// nothing, and PostgreSQL before 15 does it anyway and does not know the word.
    pub fn copies_files(&self) -> bool {
        let version = fs::read_to_string(self.folder.join("data/PG_VERSION"));
        let version = version.ok().and_then(|text| text.trim().parse().ok());
        !self.fsync && version.is_some_and(|version: u32| version >= 15)
    }

    /// Starts it and returns when it takes connections.
    pub fn start(&self) -> Result<(), String> {
        let log = self.folder.join("log");
        let port = format!("-p {}", self.port);
        let start = ["start", "--wait", "--silent", "--options", &port, "--log"];
        let started = self.run(self.program("pg_ctl").args(start).arg(&log));
        started.map_err(|error| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("{error}{log}")
        })
    }

    /// Stops it in one of the modes of `pg_ctl`.
    pub fn stop(&self, mode: &str) {
        let stop = ["stop", "--wait", "--silent", "--mode", mode];
        self.run(self.program("pg_ctl").args(stop)).unwrap();
    }

    fn init(&mut self) -> Result<(), String> {
        if fs::metadata(&self.folder).is_ok_and(|folder| folder.uid() == 0) {
            let (uid, gid) = unprivileged_user()?;
            let changed = chown(&self.folder, Some(uid), Some(gid));
            changed.map_err(|error| error.to_string())?;
            self.user = Some((uid, gid));
        }
        // `trust`: a password would only cost time, at each of the many connections.
        let options = "--username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync";
        self.run(self.program("initdb").args(options.split(' ')))?;
        let file = self.folder.join("data/postgresql.conf");
        let sockets = format!("unix_socket_directories = '{}'\n", self.folder.display());
        let defaults = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let fast = if self.fsync { "" } else { FAST };
        fs::write(&file, [&defaults, SETTINGS, fast, &sockets].concat())
            .map_err(|error| error.to_string())
    }

    /// One of PostgreSQL's programs, run as the server's user and untouched by our environment.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir(&self.folder);
        command.arg("--pgdata").arg(self.folder.join("data"));
        command.process_group(0);
        command
    }

    fn run(&self, command: &mut Command) -> Result<(), String> {
        let program = command.get_program().display().to_string();
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("{program}: {}", String::from_utf8_lossy(&said)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().ok();
    }
}
