//! Answers to requests that lack a good token, or the scope for what they ask (RFC 6750).

use crate::{
    auth::TokenFault,
    contract::{Challenge, Problem, ProblemCode},
};

/// 401 for a token that is not accepted; 503 while the issuer's keys cannot be fetched.
pub(super) fn refused(fault: &TokenFault) -> Problem {
    let detail = fault.to_string();
    let challenge = match fault {
        TokenFault::KeysUnavailable => {
            return Problem::new(code(fault), detail).retry_after(1);
        }
        TokenFault::Missing => Challenge::default(),
        _ => Challenge::invalid_token(&detail),
    };
    Problem::new(code(fault), detail).challenge(challenge)
}

fn code(fault: &TokenFault) -> ProblemCode {
    match fault {
        TokenFault::Missing => ProblemCode::TokenMissing,
        TokenFault::AuthorizationMalformed(_) => ProblemCode::AuthorizationMalformed,
        TokenFault::TooLarge(_) => ProblemCode::TokenTooLarge,
        TokenFault::Malformed(_) => ProblemCode::TokenMalformed,
        TokenFault::SessionToken => ProblemCode::SessionTokenNotJwt,
        TokenFault::SessionCache => ProblemCode::SessionCacheNotJwt,
        TokenFault::HeaderNotAllowed(_) => ProblemCode::HeaderNotAllowed,
        TokenFault::AlgorithmNotAllowed(_) => ProblemCode::AlgorithmNotAllowed,
        TokenFault::UnknownIssuer => ProblemCode::UnknownIssuer,
        TokenFault::WrongIssuer(_) => ProblemCode::WrongIssuer,
        TokenFault::WrongAudience(_) => ProblemCode::WrongAudience,
        TokenFault::UnknownKey | TokenFault::OtherDevelopmentKey | TokenFault::AmbiguousKey => {
            ProblemCode::UnknownKey
        }
        TokenFault::KeysUnavailable => ProblemCode::KeysUnavailable,
        TokenFault::BadSignature => ProblemCode::BadSignature,
        TokenFault::ClaimsInvalid(_) => ProblemCode::ClaimsInvalid,
        TokenFault::Expired(_) | TokenFault::TooOld(_) => ProblemCode::TokenExpired,
        TokenFault::Revoked(_) | TokenFault::RevokedWithoutTime => ProblemCode::TokenRevoked,
        TokenFault::NotYetValid(_) => ProblemCode::TokenNotYetValid,
    }
}

/// 403 for a token without the scope for an operation (RFC 6750 §3.1).
pub(super) fn insufficient_scope(scope: &'static str) -> Problem {
    let detail = format!("The token's `scope` lacks `{scope}`, which this operation needs.");
    Problem::new(ProblemCode::InsufficientScope, detail)
        .challenge(Challenge::insufficient_scope(scope))
}
