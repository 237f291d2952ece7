//! What the log says about the rules at start-up.

use std::{fmt, sync::Arc};

/// A rule as the log shows it at start-up; `Display` is one line without secrets.
#[derive(Clone, Debug)]
pub struct RuleSummary {
    /// The setting that made the rule.
    pub rule: Arc<str>,
    /// The `iss` that is wanted; `None`: any or none.
    pub issuer: Option<String>,
    /// Of these `aud` must contain one; empty: any or none.
    pub audiences: Vec<String>,
    /// Where the keys come from: a URL (without password) or words.
    pub keys: String,
    /// The namespace of its users.
    pub namespace: Option<String>,
}

impl fmt::Display for RuleSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RuleSummary {
            rule,
            issuer,
            audiences,
            keys,
            namespace,
        } = self;
        let issuer = issuer.as_deref().unwrap_or("any");
        let audiences = if audiences.is_empty() {
            "any".to_owned()
        } else {
            audiences.join(", ")
        };
        write!(
            f,
            "{rule}: issuer {issuer}, audience {audiences}, keys from {keys}"
        )?;
        match namespace {
            Some(namespace) => write!(f, ", users {namespace}:…"),
            None => Ok(()),
        }
    }
}
