//! The documents agree with the code: the table of settings, and every file and test that they name.

use std::{env, fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The folders whose documents are checked: those right in them, not below.
const FOLDERS: [&str; 6] = [
    "",
    "docs",
    "examples/agents",
    "examples/from-fastapi",
    "examples/nextjs",
    "openapi/client",
];
const MARKS: (&str, &str) = ("<!-- settings -->\n", "<!-- /settings -->");
const UPDATE: &str = "UPDATE_EXPECT=1 cargo test --test it readme";
/// The heading of the column in which SECURITY.md names the tests that prove a claim.
const PROOF: &str = "proved by";

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
fn every_link_of_the_documents_leads_to_a_file() {
    let mut named = 0;
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().unwrap();
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next());
        let links = links.flatten().filter(|link| !link.contains("://"));
        for (place, fragment) in links.map(|link| link.split_once('#').unwrap_or((link, ""))) {
            let target = match place {
                "" => Path::new(&document).to_owned(),
                place => folder.join(place),
            };
            let path = Path::new(ROOT).join(target);
            assert!(
                path.exists(),
                "{document} links to {place}, which is not there"
            );
            assert!(
                fragment.is_empty() || headings(&path).contains(&fragment.to_owned()),
                "{document} links to #{fragment}, which is no heading of {}",
                path.display()
            );
            named += 1;
        }
        for name in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| is_path(name))
        {
            // Of a command, the program; of a pattern, the folder.
            let word = name.split(' ').next().unwrap();
            let path = match word.split_once(['*', '#', '…', '{']) {
                Some((start, _)) => start.rsplit_once('/').unwrap().0,
                None => word,
            };
            assert!(
                [Path::new(ROOT), &Path::new(ROOT).join(folder)]
                    .iter()
                    .any(|base| base.join(path).exists()),
                "{document} names {name}, which is not there"
            );
            named += 1;
        }
    }
    assert!(
        named > 100,
        "only {named} files were found in the documents"
    );
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let policy = read("SECURITY.md");
    let (mut is_of_claims, mut named) = (false, 0);
    for line in policy.lines() {
        let row = line.trim_matches('|');
        let proof = row.rsplit('|').next().unwrap_or_default().trim();
        if proof == PROOF || !line.starts_with('|') {
            is_of_claims = proof == PROOF;
        } else if is_of_claims && !proof.starts_with('-') {
            assert!(
                proof.contains("](") || proof.starts_with("nothing"),
                "SECURITY.md must name a test, or say that nothing proves the claim: {line}"
            );
            for (file, test) in tests_of(proof) {
                assert!(
                    has_test(file, test),
                    "SECURITY.md names the test `{test}` of {file}, which is not there: name the one that proves the \
                     claim now, or say that nothing does"
                );
                named += 1;
            }
        }
    }
    assert!(named > 100, "only {named} tests were found in SECURITY.md");
}

/// The tests that a text names, each with its file: they are in the type of code, after a link to the file.
fn tests_of(text: &str) -> Vec<(&str, &str)> {
    let mut file = "";
    let mut tests = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            tests.push((file, part));
        } else if let Some((_, link)) = part.rsplit_once("](") {
            file = link.split(')').next().unwrap_or_default();
        }
    }
    tests
}

/// Whether a file has a function of this name, or a test of Node's runner.
fn has_test(file: &str, name: &str) -> bool {
    let source = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_default();
    source.contains(&format!("fn {name}(")) || source.contains(&format!("('{name}'"))
}

fn documents() -> Vec<String> {
    let files = FOLDERS.iter().flat_map(|folder| {
        let files = fs::read_dir(Path::new(ROOT).join(folder)).expect(folder);
        files.map(move |file| {
            let name = file.unwrap().file_name().into_string().unwrap();
            match *folder {
                "" => name,
                folder => format!("{folder}/{name}"),
            }
        })
    });
    files.filter(|file| file.ends_with(".md")).collect()
}

/// Whether a text in the type of code names a file of the repository.
fn is_path(text: &str) -> bool {
    let folders = [
        ".ci/",
        "docs/",
        "examples/",
        "migration/",
        "openapi/",
        "src/",
        "tests/",
    ];
    folders.iter().any(|folder| text.starts_with(folder))
}

/// The addresses of the headings of a document, as its viewers make them.
fn headings(document: &Path) -> Vec<String> {
    let text = fs::read_to_string(document).unwrap();
    let titles = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let address = |title: String| -> String {
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(address).collect()
}

fn read(document: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(document)).expect(document)
}
