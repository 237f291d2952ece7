//! Secrets that are none, because they stand in documentation and examples.

/// Parts of such secrets, in small letters without anything between words. A secret that was made at random has none of
/// them by chance.
const PARTS: [&str; 18] = [
    // Better Auth's own default
    "betterauthsecret",
    // jwt.io
    "astringsecretatleast256bitslong",
    "your256bitsecret",
    "your384bitsecret",
    "your512bitsecret",
    // what examples have in their place
    "changeme",
    "changethis",
    "changein",
    "replaceme",
    "replacethis",
    "replacewith",
    "yoursecret",
    "yoursuper",
    "yourjwt",
    "yourbetterauth",
    "supersecret",
    "secretkeyhere",
    "placeholder",
];

/// Whether it is the default of a library, or what an example has in the place of a secret.
pub(super) fn is_published(secret: &str) -> bool {
    let letters: String = secret
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    PARTS.iter().any(|part| letters.contains(part))
}
