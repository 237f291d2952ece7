//! Where settings come from: the environment and, in development, a file `.env`.

use std::collections::{BTreeMap, HashSet};

use super::{ConfigError, table};

/// Names and values, and the faults that reading them found.
#[derive(Debug)]
pub struct Source {
    values: BTreeMap<String, String>,
    taken: HashSet<String>,
    faults: Vec<String>,
}

/// Setting one of these ends development mode.
const ISSUERS: [&str; 4] = [
    "BETTER_AUTH_URL",
    "BETTER_AUTH_SECRET",
    "AUTH_JWKS_URL",
    "AUTH_HS256_SECRET",
];

impl Source {
    /// The environment of the process; where it names no issuer, also the file `.env` of the working
    /// directory, over which the environment has precedence.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn environment() -> Self {
        let mut faults = Vec::new();
        let mut values = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                // An empty one counts as absent, and hides nothing in the file.
                (Ok(_), Ok(value)) if value.trim().is_empty() => {}
                (Ok(name), Ok(value)) => {
                    values.insert(name, value);
                }
                (Ok(name), Err(_)) if table::is_setting(&name) => {
                    faults.push(format!("{name} is not UTF-8"));
                }
                _ => {}
            }
        }
        if !ISSUERS.iter().any(|name| values.contains_key(*name)) {
            match dotenvy::from_path_iter(".env") {
                Ok(file) => {
                    for entry in file {
                        match entry {
                            Ok((name, value)) => {
                                values.entry(name).or_insert(value);
                            }
                            Err(error) => faults.push(format!("the file .env: {error}")),
                        }
                    }
                }
                Err(error) if error.not_found() => {}
                Err(error) => faults.push(format!("the file .env cannot be read: {error}")),
            }
        }
        Self {
            values,
            taken: HashSet::new(),
            faults,
        }
    }

    /// Settings for a test.
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let values = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Self {
            values,
            taken: HashSet::new(),
            faults: Vec::new(),
        }
    }

    /// The value of a setting. An empty one counts as absent: compose files pass those on.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        debug_assert!(
            table::is_setting(name),
            "{name} must be in the table of settings"
        );
        self.taken.insert(name.to_owned());
        self.values
            .get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// The value of a setting, read; `None` too if it cannot be, which is noted.
    pub(super) fn parse<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.take(name)?;
        let value = read(&text);
        if value.is_none() {
            self.fault(name, format!("is `{text}`, but must be {expected}"));
        }
        value
    }

    /// A setting that is on or off.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.parse(name, "`on` or `off`", |text| {
            match text.to_ascii_lowercase().as_str() {
                "on" | "true" | "1" | "yes" => Some(true),
                "off" | "false" | "0" | "no" => Some(false),
                _ => None,
            }
        })
    }

    /// Notes a fault. It must not contain a secret.
    pub(super) fn fault(&mut self, name: &str, fault: impl AsRef<str>) {
        self.faults.push(format!("{name} {}", fault.as_ref()));
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All faults.
    pub(super) fn finish(self) -> Result<Vec<String>, ConfigError> {
        if self.has_faults() {
            return Err(ConfigError(self.faults));
        }
        let ours = |name: &&String| name.starts_with("TASKWARD_") || name.starts_with("AUTH_");
        let unknown = self
            .values
            .keys()
            .filter(ours)
            .filter(|name| !table::is_setting(name));
        Ok(unknown
            .map(|name| format!("{name} is not a setting of Taskward; see --help"))
            .collect())
    }
}
