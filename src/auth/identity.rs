//! The user whose token was verified.

use std::{borrow::Borrow, sync::Arc};

use chrono::{DateTime, Utc};

/// The longest id of a user, and `sub`, in code points. Better Auth's ids have 32; RFC 9068 sets no limit.
pub const MAX_USER_ID: usize = 255;

/// Says what is wrong with a text that is to be the id of a user, or the `sub` of a token.
///
/// # Errors
/// A sentence without its subject, if it cannot be one.
pub fn check_user_id(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        return Err("is empty");
    }
    if text.chars().any(char::is_control) {
        return Err("has control characters");
    }
    if text.chars().count() > MAX_USER_ID {
        return Err("is longer than 255 characters");
    }
    Ok(())
}

/// The id of a user whose token was verified: the token's `sub`, never parsed; where several issuers are trusted, with the
/// namespace of its issuer before it (`namespace:sub`).
///
/// There is no public constructor. Holding one is the proof that a token was verified, which is why
/// the store may take it as the right to a user's tasks.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id as text: 1 to 255 code points, no control characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes the id of a subject, or says what is wrong with it.
    pub(super) fn from_subject(subject: &str) -> Result<UserId, &'static str> {
        check_user_id(subject)?;
        Ok(UserId(subject.into()))
    }

    /// The id of this subject in the namespace of its issuer, or what is wrong with it.
    pub(super) fn in_namespace(&self, namespace: &str) -> Result<UserId, &'static str> {
        let id = format!("{namespace}:{}", self.0);
        match id.chars().count() <= MAX_USER_ID {
            true => Ok(UserId(id.into())),
            false => Err("is longer than 255 characters with the namespace of its issuer"),
        }
    }

    /// Whether it reads like the id of a user in this namespace.
    pub(super) fn is_in(&self, namespace: &str) -> bool {
        let rest = self.0.strip_prefix(namespace);
        rest.is_some_and(|rest| rest.starts_with(':'))
    }

    /// The id of a user that no token was verified for.
    #[cfg(test)]
    pub(crate) fn for_tests(subject: &str) -> UserId {
        UserId(subject.into())
    }
}

impl Borrow<str> for UserId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What a token allows, from its claims `scope` and `scp`.
///
/// A token without either allows everything, unless `AUTH_REQUIRE_SCOPE` is on: Better Auth's own tokens have none.
/// Unknown words are ignored, so a token may allow nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scopes {
    /// `tasks:read`
    pub read: bool,
    /// `tasks:write`; it does not imply reading.
    pub write: bool,
}

impl Scopes {
    /// All scopes: those of a token that says nothing of scopes.
    pub(crate) const ALL: Scopes = Scopes {
        read: true,
        write: true,
    };

    /// The known ones of some words.
    pub(super) fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> Scopes {
        let mut scopes = Scopes {
            read: false,
            write: false,
        };
        for word in words {
            scopes.read |= word == "tasks:read";
            scopes.write |= word == "tasks:write";
        }
        scopes
    }

    /// What both allow.
    pub(super) fn and(self, other: Scopes) -> Scopes {
        Scopes {
            read: self.read && other.read,
            write: self.write && other.write,
        }
    }

    /// The scopes as they are written in a token.
    pub fn names(&self) -> Vec<&'static str> {
        let Scopes { read, write } = *self;
        [(read, "tasks:read"), (write, "tasks:write")]
            .into_iter()
            .filter_map(|(granted, name)| granted.then_some(name))
            .collect()
    }
}

/// What a verified token says, and which rule accepted it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The user, from `sub`.
    pub user_id: UserId,
    /// The token's `sub`, without the namespace of its issuer.
    pub subject: UserId,
    /// The token's `iss`, if it has one. Checked against the rule unless the rule leaves it open.
    pub issuer: Option<String>,
    /// When the token was issued, from `iat`; `None` if it does not say so.
    pub issued_at: Option<DateTime<Utc>>,
    /// When the token stops to count, without the leeway: its `exp`, or earlier if the age of tokens is limited.
    pub expires_at: DateTime<Utc>,
    /// What the token allows.
    pub scopes: Scopes,
    /// The name of the rule that accepted the token: the setting that made it.
    pub rule: Arc<str>,
}

impl Identity {
    /// Whether a client means this user: by the id, or by the `sub` of the token, which is all that a front end knows.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.user_id.as_str() || name == self.subject.as_str()
    }
}
