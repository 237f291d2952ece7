//! Verifies tokens. It never issues them, except with the key of development mode.
//!
//! A token is checked in four steps, and the first one that fails names the fault: its shape (`token`), its
//! key (`rule`, `key_set`, `jwk`), its signature (`key`), its claims (`claims`). A verified token is cached
//! (`token_cache`) until it expires or its key is withdrawn.
//!
//! This layer has no web framework and no database: [`Verifier::verify_header`] takes the bytes of a header, and
//! returns an [`Identity`] or a [`TokenFault`].

mod bearer;
mod claims;
mod dev;
mod examine;
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

pub use dev::DevIssuer;
pub use examine::{examine, examine_token};
pub use fault::TokenFault;
pub use identity::{Identity, MAX_USER_ID, Scopes, UserId, check_user_id};
pub use resource::Resource;
pub use settings::{AuthSettings, KeySource, Secret, TrustedIssuer};
pub use summary::RuleSummary;
pub use verifier::Verifier;
