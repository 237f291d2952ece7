//! Where settings come from: the environment and, in development, a file `.env`.

use std::collections::BTreeMap;

use super::{
    ConfigError, auth,
    setting::{Setting, is_setting},
};

/// Names and values, and the faults that reading them found.
#[derive(Debug)]
pub struct Source {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
}

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
                (Ok(name), Err(_)) if is_setting(&name) => {
                    faults.push(format!("{name} is not UTF-8"));
                }
                _ => {}
            }
        }
        if !auth::ISSUERS.iter().any(|name| values.contains_key(*name)) {
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
        Self { values, faults }
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
            faults: Vec::new(),
        }
    }

    /// The value of a setting; its default if it is not set. An empty one counts as not set: compose files
    /// pass those on. One that cannot be read is noted as a fault.
    pub(super) fn get<T>(&mut self, setting: &Setting<T>) -> T {
        let text = self
            .values
            .get(setting.name)
            .map_or("", |value| value.trim());
        if !text.is_empty() {
            match (setting.read)(text) {
                Ok(value) => return value,
                Err(fault) => self.fault(setting.name, fault),
            }
        }
        #[expect(
            clippy::expect_used,
            reason = "a test reads the default of every setting"
        )]
        (setting.read)(setting.default).expect("a default that can be read")
    }

    /// Notes a fault. It must not contain a secret.
    pub(super) fn fault(&mut self, name: &str, fault: impl AsRef<str>) {
        self.faults.push(format!("{name} {}", fault.as_ref()));
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether a fault of this setting was noted.
    pub(super) fn has_fault(&self, name: &str) -> bool {
        self.faults
            .iter()
            .any(|fault| fault.split(' ').next() == Some(name))
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
            .filter(|name| !is_setting(name));
        Ok(unknown
            .map(|name| format!("{name} is not a setting of Taskward; see --help"))
            .collect())
    }
}
