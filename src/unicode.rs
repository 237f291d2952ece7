//! How texts are compared and searched.
//!
//! Texts are stored as they were sent. [`fold`] decides whether two tags are the same. [`search_key`] decides
//! whether a text contains another, and orders titles.

mod search_key;

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

pub use search_key::search_key;

/// Folds case: Unicode full case folding of the composed form (NFC). `STRASSE` equals `Straße`, and it does
/// not matter how an accent was typed; but `é` is not `e`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let nfc = ComposingNormalizer::new_nfc();
    let folded = CaseMapper::new()
        .fold_string(&nfc.normalize(text))
        .into_owned();
    match nfc.normalize(&folded) {
        Cow::Borrowed(_) => folded,
        Cow::Owned(composed) => composed,
    }
}
