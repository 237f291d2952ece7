//! Files of SQLite.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{DatabaseUrl, repeated};

/// The parameters of the driver.
const PARAMETERS: [&str; 4] = ["mode", "cache", "immutable", "vfs"];
/// Those of Python's `sqlite3`, about threads and types of Python's.
const OF_PYTHON: [&str; 6] = [
    "check_same_thread",
    "timeout",
    "uri",
    "isolation_level",
    "detect_types",
    "cached_statements",
];

/// What may be in the name of a file, but not in the host of a URL, for which the driver takes its beginning. It decodes
/// the name; a `%` of the user is left as it is.
const NOT_IN_HOSTS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const NO_FILE: &str = "names no file: write sqlite://taskward.db, or sqlite::memory: for tasks that are gone when the \
    server stops";

/// Reads what follows `sqlite:`. After two slashes comes the name of the file.
///
/// SQLAlchemy wants a third slash before it, which makes `sqlite:///todo.db` a file of the working directory
/// there, and a file of the root directory in the driver's reading. A third slash is taken as SQLAlchemy's where
/// the URL names one of Python's drivers, or where the name would make no sense otherwise.
pub(super) fn read(rest: &str, is_of_python: bool) -> Result<DatabaseUrl, String> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut notes = Vec::new();
    let file = match path.strip_prefix('/') {
        // SQLAlchemy's fourth slash begins an absolute path.
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(":memory:") => ":memory:",
        Some("") => return Err(NO_FILE.to_owned()),
        Some(relative)
            if is_of_python
                || !relative.contains('/')
                || relative.starts_with("./")
                || relative.starts_with("../") =>
        {
            if !is_of_python && !relative.contains('/') {
                // Parameters without a `?` before them are no name to be repeated: one may be a password.
                let shown = match relative.contains(['@', '=', '&']) {
                    true => "FILE",
                    false => relative,
                };
                notes.push(format!(
                    "has three slashes, and is read as SQLAlchemy does: the file {shown} of the working directory. \
                     Write sqlite://{shown} for that, or sqlite:////{shown} for /{shown}"
                ));
            }
            relative
        }
        Some(_) => path,
        None if path.is_empty() => return Err(NO_FILE.to_owned()),
        None => path,
    };
    if ["", ".", ".."].contains(&file.rsplit('/').next().unwrap_or_default()) {
        return Err(
            "names a directory: add the name of a file in it, like sqlite://data/taskward.db"
                .to_owned(),
        );
    }
    if file == ":memory:" {
        let url = "sqlite::memory:".to_owned();
        return Ok(DatabaseUrl { url, notes });
    }
    let mut parameters: Vec<&str> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // Of two modes, one would be ignored.
        if names.contains(&name) {
            return Err(repeated(name));
        }
        match name {
            "mode" if value == "ro" => {
                return Err("has `mode=ro`, but Taskward writes: use `rw` or `rwc`".to_owned());
            }
            "mode" if !["ro", "rw", "rwc", "memory"].contains(&value) => {
                return Err(
                    "has a `mode` that is none of `ro`, `rw`, `rwc` and `memory`".to_owned(),
                );
            }
            name if PARAMETERS.contains(&name) => {
                names.push(name);
                parameters.push(parameter);
            }
            name if OF_PYTHON.contains(&name) => {
                notes.push(format!(
                    "has the parameter `{name}` for Python, which is not used"
                ));
            }
            _ => {
                return Err(format!(
                    "has a parameter after `?` that is none of {}",
                    PARAMETERS.join(", ")
                ));
            }
        }
    }
    // Like every other program with SQLite: a file that is not there yet is made.
    if !names.contains(&"mode") && !names.contains(&"immutable") {
        parameters.push("mode=rwc");
    }
    let file = utf8_percent_encode(file, NOT_IN_HOSTS);
    let url = format!("sqlite://{file}?{}", parameters.join("&"));
    Ok(DatabaseUrl { url, notes })
}
