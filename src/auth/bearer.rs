//! The value of an `Authorization` header (RFC 9110 §11.6.2, RFC 6750 §2.1).

use super::fault::TokenFault;

/// Takes the token out of the value of an `Authorization` header.
///
/// The scheme is case-insensitive, and the token is any run of visible ASCII. Whether it is a JWT is judged
/// by the verifier, which can then name the mistake.
///
/// # Errors
/// [`TokenFault::Missing`] without a header or with an empty one; [`TokenFault::AuthorizationMalformed`] for
/// another scheme, and for a token that is missing, quoted, not ASCII, or one of several.
pub(super) fn bearer(header: Option<&[u8]>) -> Result<&str, TokenFault> {
    let malformed = |detail| Err(TokenFault::AuthorizationMalformed(detail));
    let value = header.unwrap_or_default().trim_ascii();
    if value.is_empty() {
        return Err(TokenFault::Missing);
    }
    let Some(value) = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.is_ascii())
    else {
        return malformed("it has characters outside ASCII");
    };
    let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return malformed(if scheme.starts_with("eyJ") {
            "the word `Bearer` before the token is missing"
        } else {
            "its scheme is not `Bearer`"
        });
    }
    let token = token.trim_ascii();
    if token.is_empty() {
        return malformed("there is no token after `Bearer`");
    }
    // A comma joins repeated headers (RFC 9110 §5.3).
    if token.contains(|c: char| c.is_ascii_whitespace() || c == ',') {
        return malformed("there is more than one word after `Bearer`");
    }
    if token.contains(|c: char| !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '<' | '>')) {
        return malformed(
            "the token is in quotes or brackets, or has characters that no token has",
        );
    }
    Ok(token)
}
