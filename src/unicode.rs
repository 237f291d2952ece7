//! What Unicode says about text: how it is compared and searched.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;

/// Folds case for comparing and searching: Unicode full case folding of the composed form, so that
/// `STRASSE` finds `Straße` and it does not matter how an accent was typed.
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
