//! The challenge of a 401, or of a 403 for want of a scope: how to get a token that works (RFC 6750 §3).

use std::fmt;

use poem::http::HeaderValue;

/// A challenge of the scheme Bearer. It stays typed until the answer is written, so that each layer can
/// add what it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// What is wrong with the token; `None` if there was none (RFC 6750 §3.1).
    pub error: Option<ChallengeError>,
    /// The same for people.
    pub description: Option<String>,
    /// The scopes to ask for, separated by spaces.
    pub scope: Option<String>,
    /// Where the metadata of the protected resource is, which names its authorization server (RFC 9728 §5.1).
    pub resource_metadata: Option<String>,
}

/// The errors of RFC 6750 §3.1 that are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeError {
    /// The token is not accepted.
    InvalidToken,
    /// The token is accepted, but does not allow the operation.
    InsufficientScope,
}

impl ChallengeError {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

impl Challenge {
    /// For a token that is not accepted.
    pub fn invalid_token(description: &str) -> Self {
        Self {
            error: Some(ChallengeError::InvalidToken),
            description: Some(description.to_owned()),
            ..Self::default()
        }
    }

    /// For a token without a scope that is needed.
    pub fn insufficient_scope(scope: &str) -> Self {
        Self {
            error: Some(ChallengeError::InsufficientScope),
            scope: Some(scope.to_owned()),
            ..Self::default()
        }
    }

    /// The value of the header `WWW-Authenticate`.
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.to_string()).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            description,
            scope,
            resource_metadata,
        } = self;
        let parameters = [
            ("error", error.map(ChallengeError::name)),
            ("error_description", description.as_deref()),
            ("scope", scope.as_deref()),
            ("resource_metadata", resource_metadata.as_deref()),
        ];
        f.write_str(r#"Bearer realm="taskward""#)?;
        for (name, value) in parameters {
            if let Some(value) = value {
                write!(f, r#", {name}="{}""#, quotable(value))?;
            }
        }
        Ok(())
    }
}

/// The text with only the characters that RFC 6750 §3 allows in these parameters.
fn quotable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\'' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_written_once_and_safely() {
        assert_eq!(
            Challenge::default().to_string(),
            r#"Bearer realm="taskward""#
        );
        let mut challenge = Challenge::invalid_token("`iss` is \"x\\y\" – é\n");
        challenge.resource_metadata = Some("https://tasks.example/x".to_owned());
        assert_eq!(
            challenge.to_header(),
            r#"Bearer realm="taskward", error="invalid_token", error_description="`iss` is 'x'y' ' ''", resource_metadata="https://tasks.example/x""#
        );
        assert_eq!(
            Challenge::insufficient_scope("tasks:read").to_string(),
            r#"Bearer realm="taskward", error="insufficient_scope", scope="tasks:read""#
        );
    }
}
