//! Who is calling: verifies tokens, never issues them (but for development mode's own key).
//!
//! A token passes four doors, and tells no more than the one it stopped at: its shape (`token`), its
//! key (`rule`, `key_set`, `jwk`), its signature (`key`), its claims (`claims`). What passed is
//! `token_cache` until it expires or its key is withdrawn.
//!
//! No web framework and no database here: [`bearer`] takes the bytes of a header, [`Verifier::verify`]
//! answers with an [`Identity`] or a [`TokenFault`].

mod bearer;
mod claims;
mod clock;
mod dev;
mod fault;
mod fetch;
mod identity;
mod jwk;
mod key;
mod key_set;
mod resource;
mod rule;
mod settings;
mod summary;
#[cfg(test)]
mod tests;
mod token;
mod token_cache;
mod verifier;

pub use bearer::bearer;
pub use dev::DevIssuer;
pub use fault::TokenFault;
pub use identity::{Identity, Scopes, UserId};
pub use resource::Resource;
pub use settings::{AuthSettings, KeySource, Secret, TrustedIssuer};
pub use summary::RuleSummary;
pub use verifier::Verifier;
