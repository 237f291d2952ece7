//! URLs of databases, as they are pasted from a console or were written for SQLAlchemy or Prisma.
//!
//! No fault and no remark repeats a URL: it may hold a password.

mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

/// A URL that the driver takes.
#[derive(Debug, Clone)]
pub(super) struct DatabaseUrl {
    pub(super) url: String,
    /// What was read in another way than it is written. Each completes the sentence "DATABASE_URL …".
    pub(super) notes: Vec<String>,
}

impl DatabaseUrl {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(EXPECTED.to_owned());
        };
        // SQLAlchemy names the driver after a plus.
        let (kind, driver) = match scheme.split_once('+') {
            Some((kind, driver)) => (kind, Some(driver)),
            None => (scheme, None),
        };
        match kind.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite::read(rest, driver.is_some()),
            "postgres" | "postgresql" => postgres::read(rest),
            other if is_scheme(other) => Err(format!(
                "begins with `{other}:`, but must begin with `sqlite:` or `postgres:`"
            )),
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

const EXPECTED: &str = "must be sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE";

/// The fault of a parameter that is there twice. `name` must be one that the driver knows.
fn repeated(name: &str) -> String {
    format!("has the parameter `{name}` more than once: leave one")
}

/// Whether it is the beginning of a URL, and no password that was pasted here.
fn is_scheme(text: &str) -> bool {
    text.len() <= 12 && text.chars().all(|c| c.is_ascii_lowercase())
}
