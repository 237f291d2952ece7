//! Development mode: without an issuer the server signs tokens itself.

use std::path::{Path, PathBuf};

use super::{Source, setting::settings, value::optional};

settings! { "Development mode";
    /// file with the key that signs tokens; `taskward token` must have the same one as the server
    DEVELOPMENT_KEY_FILE: Option<PathBuf> = "" ("taskward/development-key.pem in $XDG_DATA_HOME or ~/.local/share"),
        |text| optional(text, |text| Ok(PathBuf::from(text)));
}

/// Where the key is: one place per user, so that the server and `taskward token` need not run in the same folder.
pub(super) fn key_file(source: &mut Source, is_development: bool) -> PathBuf {
    if let Some(file) = source.get(&DEVELOPMENT_KEY_FILE) {
        return file;
    }
    let folder = |name| source.environment_variable(name).map(PathBuf::from);
    // The specification of XDG says to ignore a relative one.
    let data = folder("XDG_DATA_HOME").filter(|data| data.is_absolute());
    let home = || folder("HOME").filter(|home| home.is_dir());
    match data.or_else(|| Some(home()?.join(".local/share"))) {
        Some(data) => data.join("taskward/development-key.pem"),
        None => {
            let file = Path::new("taskward-development-key.pem");
            if is_development {
                source.warn(format!(
                    "there is no home directory: the key of development mode is {} in the working directory, so run \
                     `taskward token` there, or set {} for both",
                    file.display(),
                    DEVELOPMENT_KEY_FILE.name
                ));
            }
            file.to_owned()
        }
    }
}
