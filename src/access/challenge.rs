//! Answers to requests that lack a good token or the scope for what they ask (RFC 6750).

use poem::http::{HeaderValue, StatusCode, header};

use crate::{auth::TokenFault, contract::Problem};

pub(super) fn refused(fault: TokenFault) -> Problem {
    if fault.code == "keys_unavailable" {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, fault.code, fault.detail)
            .retry_after(1);
    }
    unauthorized(fault.code, &fault.detail)
}

/// 401 with the challenge of RFC 6750 §3.
pub(super) fn unauthorized(code: &'static str, detail: &str) -> Problem {
    let challenge = match code {
        "token_missing" => r#"Bearer realm="taskward""#.to_owned(),
        _ => format!(
            r#"Bearer realm="taskward", error="invalid_token", error_description="{}""#,
            quotable(detail)
        ),
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")),
    )
}

/// Only what RFC 6750 §3 allows in an `error_description`.
fn quotable(text: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    text.chars()
        .map(|c| if allowed(c) { c } else { '\'' })
        .collect()
}

/// 403 with the challenge of RFC 6750 §3.1.
pub(super) fn insufficient_scope(scope: &'static str) -> Problem {
    let challenge =
        format!(r#"Bearer realm="taskward", error="insufficient_scope", scope="{scope}""#);
    let detail = format!("The token's `scope` does not have `{scope}`, which this needs.");
    Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer")),
    )
}
