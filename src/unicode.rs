//! How texts are compared and searched.
//!
//! Texts are stored as they were sent. [`fold`] decides whether two tags are the same. [`search_key`] decides
//! whether a text contains another, and orders titles. [`escaped`] shows a text in a message.

mod search_key;

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

pub use search_key::search_key;

/// Folds case: Unicode full case folding of the composed form (NFC). `STRASSE` equals `Straße`, and it does
/// not matter how an accent was typed; but `é` is not `e`. The dot that `İ` leaves over its `i` is dropped, since a
/// phone begins a Turkish word with `İ` whose author types `i`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let nfc = ComposingNormalizer::new_nfc();
    let folded = CaseMapper::new()
        .fold_string(&nfc.normalize(text))
        .replace("i\u{307}", "i");
    match nfc.normalize(&folded) {
        Cow::Borrowed(_) => folded,
        Cow::Owned(composed) => composed,
    }
}

/// The text with escapes, such as `\u{2028}`, for the characters that break lines, change the direction or cannot be
/// seen: a message that quotes the text of a client must not look like another one.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_unsafe = |c: char| match c {
        c if c.is_ascii() => c.is_ascii_control(),
        // Joiners are parts of emoji, and of words in Persian and Indic scripts.
        '\u{200C}' | '\u{200D}' => false,
        c => matches!(
            category.get(c),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        ),
    };
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unsafe(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character shows something by itself: no white space, control or formatting character, filler,
/// joiner, variation selector or blank.
pub fn is_visible(c: char) -> bool {
    // Blank braille is a symbol to Unicode; the marks of interlinear notes are seldom supported, and then nothing.
    let is_blank = matches!(c, '\u{2800}' | '\u{FFF9}'..='\u{FFFB}');
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    !(c.is_whitespace() || c.is_control() || is_blank || ignorable.contains(c))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn only_what_misleads_is_escaped() {
        for text in [
            "Buy milk",
            "naïve \u{1F468}\u{200D}\u{1F469} ❤\u{FE0F}",
            "می\u{200C}خواهم",
        ] {
            assert_eq!(escaped(text), text);
        }
        assert_eq!(
            escaped("a\nb\u{7F}\u{AD}\u{61C}\u{FEFF}\u{E0041}\\"),
            r"a\u{a}b\u{7f}\u{ad}\u{61c}\u{feff}\u{e0041}\"
        );
    }
}
