//! Random input for what reads the input of others, made by changing good input a little. The unit tests and the integration
//! tests share this file.
//!
//! A target is a test whose name begins with `fuzz_`. It first tries its good inputs and the kept ones of
//! `tests/fuzz/corpus/TARGET/`, then 256 changed ones that are the same at each run, then others for half a second.
//! `FUZZ_SECONDS` sets how long. An input that breaks the property is made as small as possible and kept in the corpus.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

/// Cases that are the same at each run.
const FIXED: u32 = 256;
/// Cases between two looks at the clock.
const PART: u32 = 64;
/// How long further cases are tried, unless `FUZZ_SECONDS` says it.
const USUAL: Duration = Duration::from_millis(500);
/// The longest input, in bytes.
const LONGEST: usize = 64 * 1024;

/// What readers treat in a way of its own.
const WORDS: [&str; 44] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "1e400",
    "-0",
    "1.0",
    "0",
    "-1",
    "9223372036854775808",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{feff}",
    "\u{202e}",
    "é",
    "😀",
    "\0",
    "\r\n",
    "\n",
    "\r",
    "\t",
    " ",
    "%00",
    "%ff",
    "%2B",
    "+",
    "&",
    "=",
    "/",
    "'",
    ";",
    "#",
    "2026-02-30",
    "0000-01-01T00:00:00Z",
];

/// One change of an input.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, &'static str),
    /// A part of another input.
    Splice(Index, Index, Index, usize),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (place(), 1..20_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        1 => (place(), 1..20_usize, prop_oneof![8 => 1..4_usize, 1 => 100..2000_usize])
            .prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        6 => (place(), select(&WORDS[..])).prop_map(|(at, word)| Mutation::Insert(at, word)),
        2 => (place(), place(), place(), 1..60_usize)
            .prop_map(|(at, seed, from, length)| Mutation::Splice(at, seed, from, length)),
        1 => place().prop_map(Mutation::Cut),
    ]
}

fn change(input: &mut Vec<u8>, mutation: &Mutation, seeds: &[Vec<u8>]) {
    // One beyond the end is a place to insert, and nothing to remove.
    let place = |at: &Index| at.index(input.len() + 1);
    let end = |at: usize, length: usize| (at + length).min(input.len());
    match mutation {
        Mutation::Set(at, byte) => {
            let at = place(at);
            if let Some(place) = input.get_mut(at) {
                *place = *byte;
            }
        }
        Mutation::Remove(at, length) => {
            let at = place(at);
            input.drain(at..end(at, *length));
        }
        Mutation::Repeat(at, length, times) => {
            let at = place(at);
            let end = end(at, *length);
            let part = input[at..end].repeat(*times);
            input.splice(end..end, part);
        }
        Mutation::Insert(at, word) => {
            let at = place(at);
            input.splice(at..at, word.bytes());
        }
        Mutation::Splice(at, seed, from, length) => {
            let (at, other) = (place(at), &seeds[seed.index(seeds.len())]);
            let from = from.index(other.len() + 1);
            let part = other[from..(from + length).min(other.len())].to_vec();
            input.splice(at..at, part);
        }
        Mutation::Cut(at) => input.truncate(place(at)),
    }
    input.truncate(LONGEST);
}

/// Tries a property, which panics where it does not hold, on good inputs and on changed ones.
pub fn fuzz(target: &str, good: &[&str], property: impl Fn(&[u8])) {
    let mut seeds: Vec<Vec<u8>> = good.iter().map(|text| text.as_bytes().to_vec()).collect();
    seeds.extend(kept(target));
    seeds.iter().for_each(|seed| property(seed));
    let inputs = inputs(seeds);
    let fixed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    try_all(
        target,
        TestRunner::new_with_rng(config(FIXED), fixed),
        &inputs,
        &property,
    );
    let end = Instant::now() + time();
    let mut cases = FIXED;
    while Instant::now() < end {
        try_all(target, TestRunner::new(config(PART)), &inputs, &property);
        cases += PART;
    }
    println!("{target}: {cases} cases");
}

/// Whether a text for a client is of Taskward's own making: short, and without the words of its parsers.
pub fn assert_own_words(text: &str) {
    const OF_PARSERS: [&str; 12] = [
        " at line ",
        "EOF while",
        "invalid type:",
        "trailing characters",
        "missing field",
        "unknown field",
        "expected value",
        "expected `",
        "key must be a string",
        "out of range integral",
        "invalid digit found",
        "panicked",
    ];
    assert!(!text.trim().is_empty(), "nothing is said");
    assert!(text.chars().count() < 2_000, "too long: {text}");
    let found = OF_PARSERS.iter().find(|words| text.contains(*words));
    assert_eq!(found, None, "{text}");
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{text:?}"
    );
}

fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<Index>(), vec(mutation(), 0..10)).prop_map(move |(seed, mutations)| {
        let mut input = seeds[seed.index(seeds.len())].clone();
        for mutation in &mutations {
            change(&mut input, mutation, &seeds);
        }
        input
    })
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    }
}

fn try_all(
    target: &str,
    mut runner: TestRunner,
    inputs: &impl Strategy<Value = Vec<u8>>,
    property: &impl Fn(&[u8]),
) {
    let result = runner.run(inputs, |input| {
        property(&input);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, input)) => {
            let file = keep(target, &input);
            let shown = String::from_utf8_lossy(&input);
            panic!("{target}: {why}\nby {shown:?}\nkept as {}", file.display());
        }
        Err(error) => panic!("{target}: {error}"),
    }
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target)
}

/// The inputs that once broke something, and others that are worth keeping.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder(target)) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn keep(target: &str, input: &[u8]) -> PathBuf {
    let folder = folder(target);
    fs::create_dir_all(&folder).unwrap();
    // FNV-1a: the same input has the same name.
    let name = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let file = folder.join(format!("{name:016x}"));
    fs::write(&file, input).unwrap();
    file
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long is said by whoever runs the tests"
)]
fn time() -> Duration {
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    seconds.map_or(USUAL, |seconds| {
        Duration::from_secs(seconds.parse().expect("FUZZ_SECONDS is a number"))
    })
}
