//! What a setting is: declared once, with its name, type, default, text and parser.

use std::fmt::Write as _;

/// One setting. Made by [`settings!`].
pub(super) struct Setting<T> {
    pub(super) name: &'static str,
    /// What it is, for `--help` and the README.
    pub(super) about: &'static [&'static str],
    /// The value where none is set, as one would write it. Empty: none, which `read` must understand.
    pub(super) default: &'static str,
    /// The default in words, where it depends on something else.
    pub(super) default_in_words: &'static str,
    /// Reads the value, without white space around it. The error completes the sentence "NAME …".
    pub(super) read: fn(&str) -> Result<T, String>,
}

/// A setting of whatever type, as `--help` shows it.
pub(super) trait Declared: Sync {
    fn name(&self) -> &'static str;
    fn about(&self) -> String;
    /// The default, or what it depends on.
    fn default(&self) -> &'static str;
    /// Reads the default.
    #[cfg(test)]
    fn check_default(&self) -> Result<(), String>;
}

impl<T> Declared for Setting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> String {
        let lines: Vec<&str> = self.about.iter().map(|line| line.trim()).collect();
        lines.join(" ")
    }

    fn default(&self) -> &'static str {
        match self.default_in_words {
            "" => self.default,
            words => words,
        }
    }

    #[cfg(test)]
    fn check_default(&self) -> Result<(), String> {
        (self.read)(self.default).map(|_| ())
    }
}

/// The settings of one concern.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) settings: &'static [&'static dyn Declared],
}

/// Declares the settings of one concern: a constant of type [`Setting`] for each, and `GROUP`, the list of
/// all of them. A value that is not set is its default, read by the same parser. In parentheses stands what
/// the documentation says of a default that depends on something else.
///
/// ```text
/// settings! { "Connections";
///     /// port to listen on; 0 takes a free one
///     PORT: u16 = "8000", |text| number(text, 0..=65535);
/// }
/// ```
macro_rules! settings {
    (
        $title:literal;
        $(
            $(#[doc = $about:literal])+
            $name:ident: $type:ty = $default:literal $(($words:literal))?, $read:expr;
        )+
    ) => {
        $(
            $(#[doc = $about])+
            pub(super) const $name: $crate::config::setting::Setting<$type> =
                $crate::config::setting::Setting {
                    name: stringify!($name),
                    about: &[$($about),+],
                    default: $default,
                    default_in_words: concat!($($words)?),
                    read: $read,
                };
        )+
        /// These settings, in the order of their declaration.
        pub(super) const GROUP: $crate::config::setting::Group = $crate::config::setting::Group {
            title: $title,
            settings: &[$(&$name),+],
        };
    };
}
pub(super) use settings;

/// All settings as text for `--help`. The table in the README is made from it.
pub fn help() -> String {
    let mut text = String::from(
        "Settings are environment variables. In development mode, the file .env of the working directory is \
         read as well.\n",
    );
    for Group { title, settings } in super::GROUPS {
        let _ = write!(text, "\n{title}:\n");
        for setting in *settings {
            let _ = write!(text, "  {:<27} {}", setting.name(), setting.about());
            match setting.default() {
                "" => text.push('\n'),
                default => {
                    let _ = writeln!(text, " [default: {default}]");
                }
            }
        }
    }
    text
}

/// All settings.
pub(super) fn all() -> impl Iterator<Item = &'static dyn Declared> {
    super::GROUPS
        .iter()
        .flat_map(|group| group.settings.iter().copied())
}

/// Whether it is the name of a setting.
pub(super) fn is_setting(name: &str) -> bool {
    all().any(|setting| setting.name() == name)
}
