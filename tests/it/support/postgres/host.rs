//! What this machine has for a PostgreSQL server: programs, a user, a port and a place.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, id},
    sync::atomic::{AtomicU16, Ordering},
};

/// The folder of the server programs; the newest, where a Debian system has several.
pub fn programs() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = versions.flatten().map(|entry| entry.path()).collect();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    folders.extend(versions.iter().map(|version| version.join("bin")));
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let all = ["initdb", "pg_ctl", "postgres"];
    folders
        .into_iter()
        .find(|folder| all.iter().all(|name| folder.join(name).is_file()))
        .ok_or_else(|| "no server programs; on Debian: apt-get install postgresql".to_owned())
}

/// Where files cost least: a database is 300 of them, and making one takes a quarter of a second on some
/// disks and a hundredth in memory. Containers often have only a little of it, which is not enough.
pub fn roomy_memory() -> PathBuf {
    let memory = "/dev/shm";
    let free = Command::new("df").args(["-Pk", memory]).output().ok();
    let free = free.and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
    });
    let enough = free.is_some_and(|kib: u64| kib >= 2 * 1024 * 1024);
    if enough {
        memory.into()
    } else {
        env::temp_dir()
    }
}

/// Somebody for the server to run as where we are root.
pub fn unprivileged_user() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let find = |name: &str| {
        let mut fields = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields[0] == name && fields.len() > 3)?
            .into_iter()
            .skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres")
        .or_else(|| find("nobody"))
        .ok_or_else(|| "it does not run as root, and there is no user `postgres`".to_owned())
}

/// A free port below those that the kernel gives to outgoing connections, so that nobody gets it while
/// a test has the server stopped.
pub fn free_port() -> Result<u16, String> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let start = (id() % 1000) as u16 * 10;
    (0..10_000)
        .map(|_| 20_000 + (start + TRIED.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| "no free port".to_owned())
}
