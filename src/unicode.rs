//! How texts are compared and searched.
//!
//! Texts are stored as they were sent. [`fold`] decides whether two tags are the same. [`search_key`] decides
//! whether a text contains another, and orders titles.

mod search_key;

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

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

/// Whether a character shows something by itself: no white space, control or formatting character, filler,
/// joiner, variation selector or blank.
pub fn is_visible(c: char) -> bool {
    // Blank braille is a symbol to Unicode; the marks of interlinear notes are seldom supported, and then nothing.
    let is_blank = matches!(c, '\u{2800}' | '\u{FFF9}'..='\u{FFFB}');
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    !(c.is_whitespace() || c.is_control() || is_blank || ignorable.contains(c))
}
