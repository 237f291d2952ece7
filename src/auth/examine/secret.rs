//! A shared secret: whether somebody could guess it.

use crate::check::Check;

const SECRET: &str = "issuers.secret";

/// Fewer different bytes than these are no random text of 32 bytes or more.
const FEW_BYTES: usize = 10;
/// Words that nobody draws by lot.
const WORDS: [&str; 10] = [
    "secret", "password", "change", "example", "default", "better", "taskward", "please",
    "12345678", "abcdefgh",
];

/// Whether a secret looks as if a person had made it up. The start only checks its length, and whether it is published.
pub(super) fn judge_secret(secret: &str) -> Check {
    let mut bytes: Vec<u8> = secret.bytes().collect();
    bytes.sort_unstable();
    bytes.dedup();
    let lower = secret.to_ascii_lowercase();
    match bytes.len() < FEW_BYTES || WORDS.iter().any(|word| lower.contains(word)) {
        true => Check::warning(
            SECRET,
            "looks made up, and whoever guesses it can sign tokens for every user: make one with `openssl rand -base64 32`",
        ),
        false => Check::ok(SECRET, format!("{} bytes that look random", secret.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckStatus::{Ok, Warning};

    #[test]
    fn a_made_up_secret_is_told_from_a_random_one() {
        for (secret, expected) in [
            ("q2mZ0v8pQG1dYx7sT4kW9bN6rJ3hL5cF8uA1eO0iXy=", Ok),
            ("5f1b9c0e7d3a48266f0b1c9e8d7a3524", Ok),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Warning),
            ("My-Super-Secret-Key-For-Signing-JWTs-2026", Warning),
        ] {
            let check = judge_secret(secret);
            assert_eq!(check.status, expected, "{secret}");
            assert!(!check.detail.contains(secret));
        }
    }
}
