use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::search_key;
use crate::unicode::fold;

/// Texts in each line have one key, which is the first.
#[test]
fn variants_have_one_key() {
    let lines: &[&[&str]] = &[
        &[
            "istanbul",
            "İstanbul",
            "ISTANBUL",
            "i\u{307}stanbul",
            "ıstanbul",
            "IŞTANBUL",
        ],
        &[
            "mum's",
            "mum’s",
            "MUM‘S",
            "mumʼs",
            "mum′s",
            "mum`s",
            "mum´s",
            "ｍｕｍ＇ｓ",
        ],
        &[
            "\"a\"", "“a”", "„a“", "«a»", "»a«", "‟a”", "″a″", "〝a〟", "＂a＂",
        ],
        &["a-b", "a–b", "a—b", "a‐b", "a‑b", "a−b", "a－b", "a﹣b"],
        &["a...", "a…"],
        &[
            "a b",
            " a b ",
            "a\u{A0}b",
            "a\u{2003}\u{202F}b",
            "a\n\tb",
            "\u{3000}a b\u{2028}",
            "a\u{200B} b",
            "\u{FEFF}a b",
        ],
        &[
            "ab",
            "a\u{200B}b",
            "a\u{AD}b",
            "a\u{200D}b",
            "a\u{2060}b",
            "a\u{202E}b",
            "a\u{FE0F}b",
            "a\u{34F}b",
        ],
        &[
            "cafe",
            "café",
            "cafe\u{301}",
            "CAFÉ",
            "ｃａｆｅ",
            "c\u{335}afe",
            "c\u{20DD}afe",
        ],
        &["strasse", "Straße", "STRASSE", "STRAẞE"],
        &["lodz", "Łódź"],
        &["oere", "Œre"],
        &["krolewna so", "Królewna Sø"],
        &["nguyen", "Nguyễn"],
        &["ελλας", "ΕΛΛΆΣ", "ελλάς"],
        &["елка", "Ёлка", "ЕЛКА"],
        &["שלום", "שָׁלוֹם"],
        &["צה\"ל", "צה״ל"],
        &["كتاب", "كِتَابٌ", "كـــتاب", "کتاب", "ﻛﺘﺎﺏ"],
        &["احمد", "أحمد", "إحمد", "آحمد", "ٱحمد"],
        &["علي", "على", "علی", "علے"],
        &["مدرسه", "مدرسة", "مدرسہ", "مدرسە"],
        &["ميخواهم", "می\u{200C}خواهم", "میخواهم"],
        &["خانه", "خانۀ", "خانهٔ"],
        &["2026", "٢٠٢٦", "۲۰۲۶", "２０２６"],
        &["a, b; c?", "a، b؛ c؟"],
        &["カフェ", "ｶﾌｪ"],
        &["ガード", "カ\u{3099}ード", "ｶﾞｰﾄﾞ", "カ゛ート゛"],
        &["パン", "ハ\u{309A}ン", "ﾊﾟﾝ"],
        &["👍", "👍🏽", "👍\u{FE0F}", "👍🏿"],
        &["☺ ok", "☺\u{FE0F} ok", "☺\u{FE0E} ok"],
        &["👩💻", "👩🏽‍💻", "👩‍💻"],
        &["τω", "τῷ", "ΤΩ\u{345}", "Τῼ", "τωͺ"],
        &["αλλ' εγω", "ἀλλ᾽ ἐγώ", "ἀλλ’ ἐγὼ", "ἀλλ᾿ ἐγώ"],
        &["1/2", "½"],
        &["", " ", "\u{200B}", "\u{301}", "\u{FEFF}\u{A0}", "🏽"],
    ];
    for line in lines {
        for text in *line {
            assert_eq!(search_key(text), search_key(line[0]), "{text:?}");
        }
    }
    assert_eq!(search_key("Łódź … “Straße”"), "lodz ... \"strasse\"");
}

#[test]
fn what_differs_to_its_readers_stays_apart() {
    for (one, other) in [
        ("a b", "ab"),
        ("its", "it's"),
        ("müller", "mueller"),
        // Vowel signs and tones.
        ("कि", "की"),
        ("कु", "के"),
        ("ที่", "ท"),
        ("มา", "ม้า"),
        // The voicing of kana.
        ("はん", "ばん"),
        ("ب", "ت"),
        ("ه", "ھ"),
    ] {
        assert_ne!(search_key(one), search_key(other), "{one} {other}");
    }
}

/// A query is looked for anywhere in a text, so a letter must not be the beginning of the key of another one.
#[test]
fn a_voiced_kana_is_nowhere_found_by_its_plain_one() {
    let keys = |one: &str, other: &str| (search_key(one), search_key(other));
    for (plain, voiced) in [
        ("か", "が"),
        ("カ", "ガ"),
        ("ハ", "パ"),
        ("う", "ゔ"),
        ("ワ", "ヷ"),
        ("ゝ", "ゞ"),
        ("ｶ", "ｶﾞ"),
    ] {
        for word in ["{}", "{}き", "え{}", "え{}き"] {
            let (plain, word) = keys(plain, &word.replace("{}", voiced));
            assert!(!word.contains(&plain), "{plain} {word}");
        }
    }
    // A mark that makes no letter stays as it is.
    let (plain, voiced) = keys("あ", "あ\u{3099}");
    assert!(voiced.contains(&plain));
}

/// All tasks are stored with their keys and with those of their tags, so a change of any must not go unnoticed.
#[test]
fn the_key_of_every_character_is_fixed() {
    let mut hash = Sha256::new();
    // The planes between have no characters, those above are private.
    for c in ('\0'..='\u{3FFFF}').chain('\u{E0000}'..='\u{E0FFF}') {
        let key = search_key(&c.to_string());
        assert_eq!(search_key(&key), key, "the key of {c:?} is not its own");
        hash.update(key);
        hash.update([0xFE]);
        hash.update(fold(&c.to_string()));
        hash.update([0xFF]);
    }
    let hash = format!("{:x}", hash.finalize());
    assert_eq!(
        hash, "c4be936055ce3129a64b92656fecfb8cc74e486f2fdbb1b907b18dd2febcaa84",
        "search keys have changed, by a change of src/unicode/ or by a new version of Unicode in icu_*. \
         The stored ones must follow: add a `RewriteSearchKeys` with a name of today to migration/src/lib.rs, then put \
         the new hash here."
    );
}

proptest! {
    #[test]
    fn a_part_of_a_text_is_found(
        before in "[a-zA-ZäÖéßığŁñçøœ0-9 '’“”–—.,あがアकुทليأة\u{A0}]{0,12}",
        part in "[a-zA-ZäÖéßığŁñçøœ0-9 '’“”–—.,あアलيأة\u{A0}]{0,12}",
        after in "[a-zA-ZäÖéßığŁñçøœ0-9 '’“”–—.,あアलيأة\u{A0}]{0,12}",
    ) {
        let whole = search_key(&format!("{before}{part}{after}"));
        prop_assert!(whole.contains(&search_key(&part)), "{whole:?} {part:?}");
    }

    #[test]
    fn the_key_of_a_key_is_itself(text in any::<String>()) {
        let key = search_key(&text);
        prop_assert_eq!(search_key(&key), key);
    }
}
