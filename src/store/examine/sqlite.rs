//! The file of a SQLite database, and its place.

use std::{
    fs::{self, Metadata},
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, access, statfs, statvfs},
    io::Errno,
};

use super::{DatabaseSettings, content};
use crate::{
    check::{Check, off_thread},
    store::{engine::sqlite_file, fault::not_a_file},
};

const FILE: &str = "database.file";
const FOLDER: &str = "database.folder";
const PERMISSIONS: &str = "database.permissions";
const SPACE: &str = "database.disk_space";
const SYSTEM: &str = "database.file_system";

/// Below this, a write may fail at any moment.
const TOO_LITTLE: u64 = 32 << 20;
/// Below this, somebody should make room.
const LITTLE: u64 = 512 << 20;
/// File systems of other machines: NFS, SMB (two numbers), 9P, Ceph, AFS.
const REMOTE: [u32; 6] = [
    0x6969,
    0xff53_4d42,
    0xfe53_4d42,
    0x0102_1997,
    0x00c3_6400,
    0x5346_414f,
];

pub(super) async fn examine(
    pooled: &DatabaseSettings,
    direct: &DatabaseSettings,
    auto_migrate: bool,
) -> Vec<Check> {
    let file = match (sqlite_file(pooled), sqlite_file(direct)) {
        (Ok(Some(file)), Ok(other)) if other.as_ref() == Some(&file) => file,
        (Ok(Some(_)), Ok(_)) => {
            return vec![Check::problem(
                FILE,
                "DATABASE_DIRECT_URL and DATABASE_URL name two files: migrations would be applied to another one than \
                 requests use; unset DATABASE_DIRECT_URL",
            )];
        }
        (Ok(None), _) => {
            return vec![Check::skipped(
                FILE,
                "the database is in memory, and is made at the start",
            )];
        }
        (Err(fault), _) | (_, Err(fault)) => return vec![Check::problem(FILE, fault.to_string())],
    };
    let creates = pooled.url.contains("mode=rwc");
    let setting = pooled.url_setting;
    let looked = file.clone();
    let place = off_thread(FILE, move || place(&looked, creates, setting)).await;
    let Place {
        mut checks,
        can_open,
    } = match place {
        Ok(place) => place,
        Err(hung) => return vec![hung],
    };
    if can_open {
        checks.extend(content::examine(&file, auto_migrate).await);
    }
    checks
}

/// What was found without SQLite.
struct Place {
    checks: Vec<Check>,
    /// Whether there is a file to look into.
    can_open: bool,
}

fn place(file: &Path, creates: bool, setting: &str) -> Place {
    let folder = folder_of(file);
    let found = fs::metadata(file);
    let mut checks = Vec::new();
    let can_open = match &found {
        Ok(metadata) => {
            let usable = usable(file, setting);
            let can_open = usable.status == crate::check::CheckStatus::Ok;
            checks.push(usable);
            if can_open {
                checks.push(permissions(file, metadata));
            }
            can_open && metadata.len() > 0
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            checks.push(absent(file, &folder, creates, setting));
            false
        }
        Err(error) => {
            let detail = format!(
                "{} cannot be looked at ({error}): give this user the right",
                file.display()
            );
            checks.push(Check::problem(FILE, detail));
            false
        }
    };
    if folder.is_dir() {
        checks.extend([writable_folder(&folder), space(&folder), system(&folder)]);
    }
    Place { checks, can_open }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn absent(file: &Path, folder: &Path, creates: bool, setting: &str) -> Check {
    let file = file.display();
    match (folder.is_dir(), creates) {
        (true, true) => Check::ok(
            FILE,
            format!("{file} is not there yet; the start creates it"),
        ),
        (true, false) => Check::problem(
            FILE,
            format!("{file} is not there: add `?mode=rwc` to {setting} to create it"),
        ),
        (false, _) => Check::problem(
            FILE,
            format!(
                "the folder {} is not there: create it, or correct {setting}",
                folder.display()
            ),
        ),
    }
}

/// The file and its companions, as far as they are there, must be writable.
fn usable(file: &Path, setting: &str) -> Check {
    if let Some(fault) = not_a_file(file, setting) {
        return Check::problem(FILE, fault);
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let may = access(Path::new(&name), Access::READ_OK | Access::WRITE_OK);
        match may {
            Err(Errno::NOENT) if !suffix.is_empty() => {}
            Ok(()) => {}
            Err(error) => {
                let name = Path::new(&name).display();
                let detail =
                    format!("this user cannot read and write {name} ({error}): give it the right");
                return Check::problem(FILE, detail);
            }
        }
    }
    Check::ok(FILE, format!("{} can be read and written", file.display()))
}

fn permissions(file: &Path, metadata: &Metadata) -> Check {
    match metadata.mode() & 0o007 {
        0 => Check::ok(PERMISSIONS, "other users of this machine cannot read it"),
        _ => Check::warning(
            PERMISSIONS,
            format!(
                "every user of this machine can read the tasks: `chmod 600 {}*`",
                file.display()
            ),
        ),
    }
}

fn writable_folder(folder: &Path) -> Check {
    let shown = folder.display();
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Check::ok(FOLDER, format!("{shown} can be written")),
        Err(error) => Check::problem(
            FOLDER,
            format!(
                "SQLite makes files beside the database, but this user cannot write to {shown} ({error}): give it the right"
            ),
        ),
    }
}

fn space(folder: &Path) -> Check {
    let found = match statvfs(folder) {
        Ok(found) => found,
        Err(error) => return Check::skipped(SPACE, format!("the system does not say ({error})")),
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if found.f_files > 0 && found.f_favail == 0 {
        return Check::problem(
            SPACE,
            "no more files can be made there (inodes): remove some",
        );
    }
    space_of(free)
}

fn space_of(free: u64) -> Check {
    let text = format!("{} MiB are free", free >> 20);
    match free {
        ..TOO_LITTLE => Check::problem(
            SPACE,
            format!("{text}, and writes are about to fail: make room"),
        ),
        TOO_LITTLE..LITTLE => {
            Check::warning(SPACE, format!("{text}: make room before writes fail"))
        }
        _ => Check::ok(SPACE, text),
    }
}

fn system(folder: &Path) -> Check {
    let kind = statfs(folder).map(|found| found.f_type);
    let remote =
        kind.is_ok_and(|kind| u32::try_from(kind).is_ok_and(|kind| REMOTE.contains(&kind)));
    match remote {
        true => Check::problem(
            SYSTEM,
            "the file is on a network file system, where SQLite's locks and WAL are not safe: put it on a disk of this machine",
        ),
        false => Check::ok(SYSTEM, "of this machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckStatus::{Ok, Problem, Warning};

    #[test]
    fn a_disk_that_fills_up_is_told_in_time() {
        let found = [0, TOO_LITTLE - 1, TOO_LITTLE, LITTLE - 1, LITTLE, u64::MAX];
        assert_eq!(
            found.map(|free| space_of(free).status),
            [Problem, Problem, Warning, Warning, Ok, Ok]
        );
        assert!(space_of(3 << 20).detail.starts_with("3 MiB are free"));
    }
}
