//! The machine: open files, memory, time zones.

use std::fs;

use chrono::{Datelike as _, Utc};
use rustix::process::{Resource, getrlimit};
use taskward::{check::Check, config::Config, server::Limits};

const FILES: &str = "machine.open_files";
const MEMORY: &str = "machine.memory";
const ZONES: &str = "machine.time_zones";

/// Files beside connections of clients: the database, the log, the programs' own.
const OTHER_FILES: u64 = 200;
/// With fewer, the server is soon at its end.
const FEW_FILES: u64 = 512;
/// What the process takes beside its caches, in bytes: some 70 MB were measured under load.
const PROCESS: u64 = 80 << 20;
/// What all users together may have in flight, in bytes.
const IN_FLIGHT: u64 = 64 << 20;
/// After so many years the rules of a country may well have changed.
const OLD_RULES: i32 = 3;

/// The checks that need no settings.
pub(super) fn without_settings() -> Vec<Check> {
    vec![open_files(&Limits::default()), time_zones()]
}

pub(super) fn with_settings(config: &Config) -> Vec<Check> {
    let mut checks = without_settings();
    checks.push(memory(memory_limit(), config.database.page_cache_bytes));
    checks
}

/// The server raises the limit to what the system allows.
fn open_files(limits: &Limits) -> Check {
    open_files_of(getrlimit(Resource::Nofile).maximum, limits.max_connections)
}

fn open_files_of(allowed: Option<u64>, connections: usize) -> Check {
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHER_FILES);
    let advice = "raise the hard limit of open files (`ulimit -Hn`, LimitNOFILE in systemd)";
    match allowed {
        None => Check::ok(FILES, "any number"),
        Some(allowed) if allowed < FEW_FILES => Check::problem(
            FILES,
            format!("{allowed} are too few for connections and database: {advice} to {wanted}"),
        ),
        Some(allowed) if allowed < wanted => Check::warning(
            FILES,
            format!(
                "{allowed} allow fewer than the {connections} connections that the server takes: {advice} to {wanted}"
            ),
        ),
        Some(allowed) => Check::ok(FILES, format!("up to {allowed}")),
    }
}

/// The rules are in the program, so no package of the system is needed.
fn time_zones() -> Check {
    time_zones_of(chrono_tz::IANA_TZDB_VERSION, Utc::now().year())
}

fn time_zones_of(version: &str, year: i32) -> Check {
    let made = version.get(..4).and_then(|year| year.parse::<i32>().ok());
    match made {
        Some(made) if year - made >= OLD_RULES => Check::warning(
            ZONES,
            format!(
                "the rules of {version} are old, and days of some users may begin at a wrong time: update Taskward"
            ),
        ),
        _ => Check::ok(ZONES, format!("the rules of {version} are in the program")),
    }
}

/// What the process may use, in bytes: the least of its control groups' limits; `None` if there is none.
fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut files = vec![
        "/sys/fs/cgroup/memory.max".to_owned(),
        "/sys/fs/cgroup/memory/memory.limit_in_bytes".to_owned(),
    ];
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        if controllers.is_empty() {
            files.push(format!("/sys/fs/cgroup{path}/memory.max"));
        } else if controllers.split(',').any(|name| name == "memory") {
            files.push(format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"));
        }
    }
    let read = |file: &String| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    files
        .iter()
        .filter_map(read)
        // Version 1 writes a number near the greatest for "none".
        .filter(|limit| *limit < 1 << 60)
        .min()
}

fn memory(limit: Option<u64>, cache: u64) -> Check {
    let needed = PROCESS + IN_FLIGHT + cache;
    let (shown, cache) = (needed >> 20, cache >> 20);
    match limit {
        None => Check::ok(
            MEMORY,
            format!("no limit; the server takes up to some {shown} MiB"),
        ),
        Some(limit) if limit < needed => Check::warning(
            MEMORY,
            format!(
                "limited to {} MiB, and the server takes up to some {shown} MiB, {cache} of them for pages: raise the limit, \
                 or lower PAGE_CACHE_MIB",
                limit >> 20
            ),
        ),
        Some(limit) => Check::ok(
            MEMORY,
            format!(
                "limited to {} MiB; the server takes up to some {shown} MiB",
                limit >> 20
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taskward::check::CheckStatus::{Ok, Problem, Warning};

    #[test]
    fn few_open_files_are_told() {
        let found = [Some(100), Some(1024), Some(10_199), Some(10_200), None];
        assert_eq!(
            found.map(|allowed| open_files_of(allowed, 10_000).status),
            [Problem, Warning, Warning, Ok, Ok]
        );
    }

    #[test]
    fn old_rules_of_time_zones_are_told() {
        assert_eq!(time_zones_of("2025b", 2027).status, Ok);
        assert_eq!(time_zones_of("2025b", 2028).status, Warning);
    }

    #[test]
    fn a_small_limit_of_memory_is_compared_with_the_caches() {
        let needed = PROCESS + IN_FLIGHT + (32 << 20);
        let found = [Some(needed - 1), Some(needed), None];
        assert_eq!(
            found.map(|limit| memory(limit, 32 << 20).status),
            [Warning, Ok, Ok]
        );
    }
}
