use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// What the readers of Node and Python were recorded to read. `all`: the same. `taskward`: what to read
/// where `dotenv` and `python` differ.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    text: String,
    all: Option<Values>,
    dotenv: Option<Values>,
    /// Node's own reader, `node --env-file`. It has the most faults of the three.
    #[serde(rename = "node")]
    _node: Option<Values>,
    python: Option<Values>,
    taskward: Option<Values>,
}

type Values = BTreeMap<String, String>;

fn cases() -> Vec<Case> {
    let cases = include_str!("../../../tests/dotenv/cases.json");
    serde_json::from_str(cases).unwrap()
}

#[test]
fn it_reads_as_node_and_python_do() {
    for Case {
        what,
        text,
        all,
        dotenv,
        python,
        taskward,
        ..
    } in cases()
    {
        let text = normalized(&text);
        let mut values = Values::new();
        let mut doubtful = BTreeMap::new();
        for statement in parse(&text) {
            if let Statement::Assignment {
                name,
                value,
                is_doubtful,
                ..
            } = statement
            {
                values.insert(name.to_owned(), value);
                doubtful.insert(name.to_owned(), is_doubtful);
            }
        }
        let dotenv = dotenv.or_else(|| all.clone()).unwrap();
        let python = python.or(all).unwrap();
        assert_eq!(taskward.is_none(), dotenv == python, "{what}: {text:?}");
        assert_eq!(
            values,
            taskward.unwrap_or(dotenv.clone()),
            "{what}: {text:?}"
        );
        for (name, is_doubtful) in doubtful {
            if let (Some(one), Some(other)) = (dotenv.get(&name), python.get(&name)) {
                assert_eq!(is_doubtful, one != other, "{what}: {text:?}");
            }
        }
    }
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let text = "\u{feff}# a\r\n\r\nwords\rA='b\n\nc' # d\nnot this\n  \"PORT\"=1\nexport HOST\nE=f";
    let text = normalized(text);
    let lines: Vec<(usize, &str, bool)> = parse(&text)
        .iter()
        .map(|statement| match statement {
            Statement::Assignment { line, name, .. } => (*line, *name, true),
            Statement::Unreadable { line, text } => (*line, *text, false),
        })
        .collect();
    assert_eq!(
        lines,
        [
            (3, "words", false),
            (4, "A", true),
            (7, "not this", false),
            (8, "\"PORT\"=1", false),
            (9, "export HOST", false),
            (10, "E", true),
        ]
    );
}

#[test]
fn a_stray_quote_does_not_hide_a_setting() {
    let text = "NOTE='tis\n  export BETTER_AUTH_URL = http://localhost:3000\nMORE=that is all'\n";
    let statements = parse(text);
    let text = "BETTER_AUTH_URL";
    assert_eq!(statements[0], Statement::Unreadable { line: 1, text });
    // A quote that nothing closes ends with its line.
    let statements = parse("NOTE='tis\nPORT=8001\n");
    assert!(matches!(
        statements[0],
        Statement::Unreadable {
            line: 1,
            text: "NOTE='tis"
        }
    ));
    assert!(matches!(
        statements[1],
        Statement::Assignment {
            line: 2,
            name: "PORT",
            ..
        }
    ));
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[ab=#'\"`\\\\\n\r\t ź$]{0,40}") {
        let text = normalized(&text);
        let lines = text.matches('\n').count() + 1;
        for statement in parse(&text) {
            let (Statement::Assignment { line, .. } | Statement::Unreadable { line, .. }) = statement;
            assert!((1..=lines).contains(&line));
        }
    }
}

#[test]
fn fuzz_env_files() {
    let good = [
        "PORT=8001\nexport HOST='127.0.0.1' # here\nAPP_NAME=\"My \\n app\"\n",
        "A=`b` c\n# a comment's apostrophe\nMOTTO=don't panic\nEMPTY=\n",
        "KEY=\"-----BEGIN KEY-----\nabc\n-----END KEY-----\"\nPORT = 80\n",
    ];
    crate::fuzz::fuzz("env-file", &good, |bytes| {
        let text = normalized(&String::from_utf8_lossy(bytes));
        let lines = text.matches('\n').count() + 1;
        let mut last = 0;
        for statement in parse(&text) {
            let (Statement::Assignment { line, .. } | Statement::Unreadable { line, .. }) =
                statement;
            assert!(
                (last + 1..=lines).contains(&line),
                "line {line} after {last} of {lines}"
            );
            last = line;
            let Statement::Assignment { name, value, .. } = statement else {
                continue;
            };
            // In single quotes every reader takes a text as it is.
            if value.contains(['\'', '\n', '\\']) {
                continue;
            }
            let written = format!("{name}='{value}'\n");
            let read = parse(&written);
            let [
                Statement::Assignment {
                    name: again,
                    value: same,
                    ..
                },
            ] = &read[..]
            else {
                panic!("{written:?} is read as {read:?}");
            };
            assert_eq!((*again, same), (name, &value));
        }
    });
}
