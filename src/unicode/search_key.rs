//! The search key of a text: two texts that a person would take for the same have the same key.
//!
//! A text is found by a query if its key contains the query's key. In this order, the key is made thus:
//!
//! 1. NFKD: `é` becomes `e` and an accent, and compatibility forms become the usual ones (full width, ligatures,
//!    `…` as three dots, no-break spaces, Arabic presentation forms).
//! 2. Marks are removed: accents, the Greek iota subscript, Hebrew niqqud, Arabic tashkeel and hamza, enclosing marks, and
//!    the skin tones of emoji. Marks that are letters or tones to their readers stay: vowel signs of Indic and Thai scripts,
//!    the voicing of kana.
//! 3. Invisible characters are removed: zero width, joiners (also those of Persian), soft hyphens, marks of
//!    direction, variation selectors, tatweel.
//! 4. Case is folded (full folding, `ß` becomes `ss`), in no particular language. Since Turkish writes `I` for
//!    both `ı` and (by mistake) `i`, `ı` becomes `i`.
//! 5. Letters with a stroke become plain ones, which NFKD does not do (`ł`, `ø`, `đ`, `ħ`, `ŧ`), and `æ` and `œ`
//!    become two letters.
//! 6. Arabic and Persian: all alefs are one letter, and so are `ي ى ی ے`, `ك ک`, `ه ة ہ ە`; digits become ASCII.
//! 7. Apostrophes and single quotes become `'`, double quotes (also `«»`) `"`, dashes and minus signs `-`, fraction
//!    slashes `/`, and Arabic commas, semicolons and question marks the ASCII ones.
//! 8. A kana and its voicing become one letter again, so that `カ` is nowhere found in `ガ`. Readers tell them apart, and
//!    so do the searches of browsers.
//! 9. A run of white space becomes one space; at both ends it is removed.
//!
//! What stays apart: transliterations (`ä` and `ae`), `þ`, `ð`, other scripts for the same word (kana and kanji,
//! simplified and traditional Chinese), `ھ` and other letters of their own in Urdu or Kurdish.
//!
//! The keys of all tasks are stored. If this function changes, which a new version of Unicode can do as well,
//! a migration must compute them again: a test fails until somebody has decided, and says what to do.

use icu_casemap::CaseMapper;
use icu_normalizer::{
    DecomposingNormalizer,
    properties::{CanonicalCombiningClassMap, CanonicalComposition},
};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

/// The search key of a text. The key of a key is itself.
pub fn search_key(text: &str) -> String {
    if text.is_ascii() {
        return unified(&text.to_ascii_lowercase());
    }
    let decomposed = DecomposingNormalizer::new_nfkd()
        .normalize_iter(text.chars().map(before_decomposition))
        .filter(|c| !is_removed(*c))
        .collect::<String>();
    unified(&CaseMapper::new().fold_string(&decomposed))
}

/// Steps 5 to 9, on a text whose case is folded.
fn unified(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => {
                if !key.is_empty() && !key.ends_with(' ') {
                    key.push(' ');
                }
            }
            VOICED | SEMI_VOICED => {
                let before = key.chars().next_back();
                let voiced = before.and_then(|kana| CanonicalComposition::new().compose(kana, c));
                if voiced.is_some() {
                    key.pop();
                }
                key.push(voiced.unwrap_or(c));
            }
            'æ' => key.push_str("ae"),
            'œ' => key.push_str("oe"),
            c => key.push(variant(c)),
        }
    }
    if key.ends_with(' ') {
        key.pop();
    }
    key
}

/// The marks that make a kana voiced (`か` and `が`) or semi-voiced (`は` and `ぱ`).
const VOICED: char = '\u{3099}';
const SEMI_VOICED: char = '\u{309A}';

/// Characters that NFKD would take apart into something else than they are used for: a space with an accent or a
/// voicing, and two apostrophes.
fn before_decomposition(c: char) -> char {
    match c {
        // Acute accent; Greek tonos, koronis, psili, oxia, dasia.
        '\u{B4}' | '\u{384}' | '\u{1FBD}' | '\u{1FBF}' | '\u{1FFD}' | '\u{1FFE}' => '\'',
        // The iota subscript.
        '\u{37A}' => '\u{345}',
        '\u{309B}' => VOICED,
        '\u{309C}' => SEMI_VOICED,
        '\u{2033}' => '"',
        c => c,
    }
}

/// Whether a character of a decomposed text is left out of its key.
fn is_removed(c: char) -> bool {
    // Tatweel only stretches a word.
    if c.is_ascii() || c == '\u{640}' {
        return !c.is_ascii();
    }
    let is_skin_tone = matches!(c, '\u{1F3FB}'..='\u{1F3FF}');
    if is_skin_tone || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) {
        return true;
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::EnclosingMark => true,
        GeneralCategory::NonspacingMark => is_diacritic(c),
        _ => false,
    }
}

/// Whether a nonspacing mark is a diacritic and no letter. By its canonical combining class: 1 overlays, 10 to 36
/// Hebrew, Arabic and Syriac points, 200 and above accents. The others are 0 (vowel signs), 7 to 9 (nukta, kana
/// voicing, virama) and 84 to 132 (vowels and tones of Telugu, Thai, Lao and Tibetan).
fn is_diacritic(c: char) -> bool {
    let class = CanonicalCombiningClassMap::new().get_u8(c);
    matches!(class, 1 | 10..=36 | 200..)
}

/// The one character that stands for all of its variants.
fn variant(c: char) -> char {
    match c {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        // Alef wasla; hamza and madda were removed as marks.
        '\u{671}'..='\u{673}' | '\u{675}' => '\u{627}',
        // Alef maksura, Farsi yeh and yeh barree become yeh.
        '\u{649}' | '\u{6CC}' | '\u{6D2}' => '\u{64A}',
        // Keheh becomes kaf.
        '\u{6A9}' => '\u{643}',
        // Teh marbuta, heh goal and ae become heh.
        '\u{629}' | '\u{6C1}' | '\u{6D5}' => '\u{647}',
        '\u{660}'..='\u{669}' => digit(c, 0x660),
        '\u{6F0}'..='\u{6F9}' => digit(c, 0x6F0),
        '\u{60C}' => ',',
        '\u{61B}' => ';',
        '\u{61F}' => '?',
        // Fraction and division slash.
        '\u{2044}' | '\u{2215}' => '/',
        // Single quotes, modifier apostrophes, prime, angle quotes, Hebrew geresh.
        '`'
        | '\u{2018}'..='\u{201B}'
        | '\u{2B9}'..='\u{2BC}'
        | '\u{2BE}'
        | '\u{2BF}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{2039}'
        | '\u{203A}'
        | '\u{275B}'
        | '\u{275C}'
        | '\u{5F3}' => '\'',
        // Double quotes, guillemets, Hebrew gershayim.
        '\u{201C}'..='\u{201F}'
        | '\u{AB}'
        | '\u{BB}'
        | '\u{275D}'
        | '\u{275E}'
        | '\u{301D}'..='\u{301F}'
        | '\u{5F4}' => '"',
        // Hyphens, dashes, minus, Hebrew maqaf.
        '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{58A}'
        | '\u{2E3A}'
        | '\u{2E3B}'
        | '\u{5BE}' => '-',
        c => c,
    }
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit(u32::from(c) - zero, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests;
