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
    props::{
        DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
        PrependedConcatenationMark,
    },
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
/// joiner, variation selector or blank, and none that Unicode has not assigned.
pub fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_graphic();
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    if c.is_whitespace() || ignorable.contains(c) || is_blank(c) {
        return false;
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control => false,
        // Some are signs around numbers, as in Arabic.
        GeneralCategory::Format => {
            CodePointSetData::new::<PrependedConcatenationMark>().contains(c)
        }
        // Reserved for emoji that a phone may have before this server knows them.
        GeneralCategory::Unassigned => CodePointSetData::new::<ExtendedPictographic>().contains(c),
        _ => true,
    }
}

/// Characters that are letters, symbols or marks to Unicode, and show nothing.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        // Braille without dots, the place of an object that is not there, a note without a head, blank hieroglyphs.
        '\u{2800}' | '\u{FFFC}' | '\u{1D159}' | '\u{13441}' | '\u{13442}'
        // The joiners of Tifinagh and Brahmi, the filler of Khitan, the thick letter selector of Duployan.
        | '\u{2D7F}' | '\u{1107F}' | '\u{16FE4}' | '\u{1BC9D}'
    )
}

#[cfg(test)]
mod tests {
    use super::{escaped, is_visible};

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

    #[test]
    fn what_shows_nothing_is_invisible() {
        let invisible = [
            // White space, controls, formats.
            '\0'..=' ',
            '\u{7F}'..='\u{A0}',
            '\u{AD}'..='\u{AD}',
            '\u{2028}'..='\u{202F}',
            '\u{FFF9}'..='\u{FFFC}',
            '\u{13430}'..='\u{1343F}',
            '\u{1BCA0}'..='\u{1BCA3}',
            '\u{E0001}'..='\u{E007F}',
            // Fillers and blanks.
            '\u{115F}'..='\u{1160}',
            '\u{3164}'..='\u{3164}',
            '\u{FFA0}'..='\u{FFA0}',
            '\u{2800}'..='\u{2800}',
            '\u{1D159}'..='\u{1D159}',
            '\u{13441}'..='\u{13442}',
            '\u{16FE4}'..='\u{16FE4}',
            // Unassigned, and never to be assigned.
            '\u{378}'..='\u{379}',
            '\u{FDD0}'..='\u{FDEF}',
            '\u{FFFE}'..='\u{FFFF}',
            '\u{1D455}'..='\u{1D455}',
            '\u{A0000}'..='\u{A0010}',
            '\u{10FFFE}'..='\u{10FFFF}',
        ];
        for c in invisible.into_iter().flatten() {
            assert!(!is_visible(c), "{c:?}");
        }
        // The last are an Arabic sign for numbers, an icon of a font, and a place for a future emoji.
        for c in "a-é\u{301}क्日한ع🙂☺\u{FFFD}\u{600}\u{F8FF}\u{1FAFF}\u{1F8FF}".chars()
        {
            assert!(is_visible(c), "{c:?}");
        }
    }
}
