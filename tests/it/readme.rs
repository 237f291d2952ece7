//! The documents agree with the code: the table of settings, and every file that they name.

use std::{env, fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
];
const MARKS: (&str, &str) = ("<!-- settings -->\n", "<!-- /settings -->");
const UPDATE: &str = "UPDATE_EXPECT=1 cargo test --test it readme";

#[test]
fn the_table_of_settings_is_what_help_lists() {
    let readme = read("README.md");
    let (before, rest) = readme.split_once(MARKS.0).unwrap();
    let (table, after) = rest.split_once(MARKS.1).unwrap();
    let expected = settings();
    if table != expected && env::var_os("UPDATE_EXPECT").is_some() {
        let updated = [before, MARKS.0, &expected, MARKS.1, after].concat();
        fs::write(Path::new(ROOT).join("README.md"), updated).unwrap();
        return;
    }
    assert!(
        table == expected,
        "the settings in README.md are not those of src/config/. Update it with:\n\n    {UPDATE}\n"
    );
}

/// The lines of `--help`, `  NAME  meaning [default: value]`, as a table.
fn settings() -> String {
    let mut table = String::from("| name | default | what it is |\n|---|---|---|\n");
    let help = taskward::config::help();
    for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
        let (name, rest) = line.split_once(' ').unwrap();
        let (meaning, default) = match rest.trim().strip_suffix(']') {
            Some(rest) => rest.rsplit_once(" [default: ").unwrap(),
            None => (rest.trim(), ""),
        };
        // A value is set in the type of code; a description of one, in words, is not.
        let default = match default {
            words if words.contains(' ') || words.is_empty() => words.to_owned(),
            value => format!("`{value}`"),
        };
        table.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
    }
    table
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    let folders = [
        ".ci/",
        "examples/",
        "migration/",
        "openapi/",
        "src/",
        "tests/",
    ];
    let mut named = 0;
    for document in DOCUMENTS {
        let text = read(document);
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next());
        let code = text.split('`').skip(1).step_by(2).map(Some);
        for name in links.chain(code).flatten() {
            let is_document = name.ends_with(".md") && !name.contains("://");
            if !is_document && !folders.iter().any(|folder| name.starts_with(folder)) {
                continue;
            }
            // Of a command, the program; of a pattern, the folder.
            let path = name.split([' ', '*', '#', '…']).next().unwrap();
            assert!(
                Path::new(ROOT).join(path).exists(),
                "{document} names {name}, which is not there"
            );
            named += 1;
        }
    }
    assert!(named > 20, "only {named} files were found in the documents");
}

fn read(document: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(document)).expect(document)
}
