//! Where settings come from: the environment and, in development, a file `.env`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    io::ErrorKind,
};

use super::{
    ConfigError, auth,
    env_file::{self, Statement},
    setting::{Setting, is_setting},
    spelling,
    unreadable::UnreadableLine,
};

/// Names and values, and what reading them found.
#[derive(Default)]
pub struct Source {
    values: BTreeMap<String, SettingValue>,
    /// Lines of `.env` that set nothing of ours by its name.
    unreadable: Vec<UnreadableLine>,
    faults: Vec<SettingFault>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

struct SettingValue {
    text: String,
    /// The line of `.env`; `None` if it is of the environment.
    line: Option<usize>,
}

struct SettingFault {
    name: String,
    text: String,
}

impl Source {
    /// The environment of the process; where it names no issuer, also the file `.env` of the working
    /// directory, over which the environment has precedence.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn environment() -> Self {
        let mut source = Self::default();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(text)) => source.add_variable(name, text),
                (Ok(name), Err(_)) if is_setting(&name) => source.fault(&name, "is not UTF-8"),
                _ => {}
            }
        }
        if !auth::ISSUERS
            .iter()
            .any(|name| source.values.contains_key(*name))
        {
            source.add_file(".env");
        }
        source
    }

    /// An empty one counts as not set, and hides nothing in the file: compose files pass those on.
    fn add_variable(&mut self, name: String, text: String) {
        if !text.trim().is_empty() {
            self.values.insert(name, SettingValue { text, line: None });
        }
    }

    fn add_file(&mut self, path: &str) {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            // A folder of this name is a virtual environment of Python.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return;
            }
            Err(error) => {
                return self.fault(path, format!("cannot be read: {}", error.kind()));
            }
        };
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return self.fault(path, "is UTF-16: save it as UTF-8");
        }
        self.add_text(path, &String::from_utf8_lossy(&bytes));
    }

    fn add_text(&mut self, path: &str, text: &str) {
        let mut of_file = BTreeMap::new();
        for statement in env_file::parse(&env_file::normalized(text)) {
            match statement {
                Statement::Assignment {
                    line,
                    name,
                    value,
                    is_doubtful,
                } => {
                    if is_setting(name) {
                        self.check_value(path, line, name, &value, is_doubtful);
                    }
                    let line = Some(line);
                    let last = SettingValue { text: value, line };
                    let earlier = of_file.insert(name.to_owned(), last);
                    if let Some(SettingValue {
                        line: Some(earlier),
                        ..
                    }) = earlier
                        && is_setting(name)
                    {
                        self.warnings.push(format!(
                            "{path} sets {name} in line {earlier} and again later; the last one counts"
                        ));
                    }
                }
                Statement::Unreadable { line, text } => {
                    let unreadable = UnreadableLine::new(line, text);
                    match unreadable.setting() {
                        Some(name) => self.fault(
                            name,
                            format!(
                                "in line {line} of {path} cannot be read: write {name}=value in a line of its own, with no \
                                 word and no invisible character before it, and close each quote that opens"
                            ),
                        ),
                        None => self.unreadable.push(unreadable),
                    }
                }
            }
        }
        for (name, value) in of_file {
            if let Entry::Vacant(entry) = self.values.entry(name) {
                entry.insert(value);
            }
        }
    }

    /// Looks for what other readers of `.env` read in another way.
    fn check_value(&mut self, path: &str, line: usize, name: &str, value: &str, is_doubtful: bool) {
        if value.contains(char::REPLACEMENT_CHARACTER) {
            self.fault(name, format!("in line {line} of {path} is not UTF-8"));
        }
        if is_doubtful {
            self.warnings.push(format!(
                "programs read the value of {name} in line {line} of {path} in different ways, because of a \
                 `#`, a backslash or a backtick: put it into single quotes, and avoid backslashes"
            ));
        }
        if value.contains("${") {
            self.warnings.push(format!(
                "{name} in line {line} of {path} has a `${{`, which Taskward takes as it is: write the value itself"
            ));
        }
    }

    /// The value of a setting; its default if it is not set. One that cannot be read is noted as a fault.
    pub(super) fn get<T>(&mut self, setting: &Setting<T>) -> T {
        self.read(setting, str::trim)
    }

    /// The same for a secret, of which white space at the ends is a part.
    pub(super) fn get_exact<T>(&mut self, setting: &Setting<T>) -> T {
        self.read(setting, |text| text)
    }

    fn read<T>(&mut self, setting: &Setting<T>, part: fn(&str) -> &str) -> T {
        let text = self.values.get(setting.name);
        let text = text.map_or("", |value| part(&value.text));
        if !text.trim().is_empty() {
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

    /// A variable of the environment that is not a setting of Taskward.
    pub(super) fn environment_variable(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).filter(|value| value.line.is_none());
        value.map(|value| value.text.as_str())
    }

    /// Whether a setting has a value, of whatever form.
    pub(super) fn is_set<T>(&self, setting: &Setting<T>) -> bool {
        self.values.contains_key(setting.name)
    }

    /// Whether a value is of `.env`.
    pub(super) fn is_of_file(&self, name: &str) -> bool {
        self.values
            .get(name)
            .is_some_and(|value| value.line.is_some())
    }

    /// Notes a fault, which completes the sentence "NAME …". It must not contain a secret.
    pub(super) fn fault(&mut self, name: &str, fault: impl Into<String>) {
        let line = self.values.get(name).and_then(|value| value.line);
        let text = match line {
            Some(line) => format!("(line {line} of .env) {}", fault.into()),
            None => fault.into(),
        };
        let name = name.to_owned();
        self.faults.push(SettingFault { name, text });
    }

    /// Notes something that is allowed but probably not meant.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Notes how a setting was read; each completes the sentence "NAME …".
    pub(super) fn note_all(&mut self, name: &str, notes: &[String]) {
        self.notes
            .extend(notes.iter().map(|note| format!("{name} {note}")));
    }

    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether a fault of this setting was noted.
    pub(super) fn has_fault(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.name == name)
    }

    /// Looks for misspelt settings, and for lines that set nothing. Development mode is refused beside a misspelt issuer.
    pub(super) fn check_spelling(&mut self, is_development: bool) {
        for unreadable in std::mem::take(&mut self.unreadable) {
            let line = format!("line {} of .env", unreadable.line);
            match is_development && unreadable.may_set_issuer() {
                true => self.fault(
                    &line,
                    "is not of the form NAME=value, but looks as if it were about tokens. Without an issuer Taskward would \
                     start in development mode: write NAME=value with no word and no invisible character before it, or \
                     begin the line with `#` to leave it out",
                ),
                false => {
                    self.warn(format!("{line} is not of the form NAME=value, and is ignored"));
                }
            }
        }
        let names: Vec<String> = self.values.keys().cloned().collect();
        for name in names.iter().filter(|name| !is_setting(name)) {
            match spelling::close_setting(name) {
                Some(meant) if is_development && auth::is_of_issuer(meant) => self.fault(
                    name,
                    format!(
                        "is not a setting; did you mean {meant}? Without an issuer Taskward would start in \
                         development mode: correct the name, or unset it"
                    ),
                ),
                Some(meant) => self.warn(format!("{name} is not a setting; did you mean {meant}?")),
                None if is_development && spelling::looks_like_issuer(name) => self.fault(
                    name,
                    "is not a setting, but looks as if it were about tokens. Without an issuer Taskward would start in \
                     development mode: set BETTER_AUTH_URL, AUTH_JWKS_URL or AUTH_HS256_SECRET (`taskward --help` has all), or \
                     unset it",
                ),
                None if is_development => {
                    let of_other = |setting: &&&str| name.ends_with(&format!("_{setting}"));
                    if let Some(setting) = auth::ISSUERS.iter().find(of_other) {
                        self.warn(format!(
                            "{name} is set, but Taskward reads {setting}: in development mode it accepts only \
                             tokens of its own"
                        ));
                    }
                }
                None => {}
            }
        }
    }

    /// Ends the reading, and returns the notes and the warnings.
    ///
    /// # Errors
    /// All faults.
    pub(super) fn finish(self) -> Result<(Vec<String>, Vec<String>), ConfigError> {
        if self.faults.is_empty() {
            return Ok((self.notes, self.warnings));
        }
        let faults = self.faults.into_iter();
        Err(ConfigError(
            faults
                .map(|SettingFault { name, text }| format!("{name} {text}"))
                .collect(),
        ))
    }

    /// Settings for a test.
    #[cfg(test)]
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let mut source = Self::default();
        for (name, text) in pairs {
            source.add_variable((*name).to_owned(), (*text).to_owned());
        }
        source
    }

    /// Settings of a file, for a test.
    #[cfg(test)]
    pub(super) fn of_file(text: &str) -> Self {
        let mut source = Self::default();
        source.add_text(".env", text);
        source
    }
}
