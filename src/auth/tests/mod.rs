//! Stories about tokens: an issuer that really answers over HTTP, people with tokens, and what
//! [`Verifier`](super::Verifier) makes of them.

mod algorithms;
mod claims;
mod dev;
mod faults;
mod fuzz;
mod keys;
mod namespaces;
mod never_panics;
mod rotation;
mod support;
mod token_cache;
