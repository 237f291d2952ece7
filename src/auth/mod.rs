//! Who is calling: verifies tokens, never issues them (but for development mode's own key).

mod settings;

pub use settings::{AuthSettings, KeySource, Secret, TrustedIssuer};
