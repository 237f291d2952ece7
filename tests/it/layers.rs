//! Each module of `src/` uses only those that the map in `src/lib.rs` allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The modules, each with those that it may use.
type Map = BTreeMap<String, BTreeSet<String>>;

/// Reads the map: a line a module, `name → module, module   what it is`.
fn map() -> Map {
    let text = include_str!("../../src/lib.rs");
    let block = text
        .split("```")
        .nth(1)
        .expect("a block with the map")
        .lines()
        .filter_map(|line| line.strip_prefix("//! "));
    let mut map = Map::new();
    for line in block {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let uses = rest.trim_start().strip_prefix('→').unwrap_or_default();
        let uses = uses.trim_start().split("  ").next().unwrap_or_default();
        let uses = uses
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        map.insert(name.to_owned(), uses.map(str::to_owned).collect());
    }
    map
}

/// The Rust files of the program, without unit tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if is_test {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The modules that a text names by `crate::` or, from the program's own crate, by `taskward::`; each with
/// its line.
fn used(text: &str) -> Vec<(usize, String)> {
    let code: Vec<&str> = text
        .lines()
        .map(|line| match line.trim_start().starts_with("//") {
            true => "",
            false => line,
        })
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for root in ["crate::", "taskward::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            let line = code[..at].lines().count();
            let names = match rest.strip_prefix('{') {
                Some(group) => names_of_group(group),
                None => vec![name_at(rest)],
            };
            found.extend(names.into_iter().map(|name| (line, name)));
        }
    }
    found
}

fn name_at(text: &str) -> String {
    let is_name = |c: &char| c.is_ascii_lowercase() || *c == '_';
    text.chars().take_while(is_name).collect()
}

/// The first name of each part of `{a::b, c::{d, e}}`, of which the opening brace is cut off.
fn names_of_group(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.push(name_at(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn modules_use_what_the_map_allows() {
    let map = map();
    assert!(map.len() >= 12, "{map:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    let mut unused = map.clone();
    for file in files(&root) {
        let place = file.strip_prefix(&root).unwrap();
        let first = place.components().next().unwrap().as_os_str();
        let module = Path::new(first).file_stem().unwrap().to_str().unwrap();
        let module = match module {
            "lib" => continue,
            // The program, its subcommands, and the form of its log.
            "commands" | "log" => "main",
            module => module,
        };
        let allowed = map
            .get(module)
            .unwrap_or_else(|| panic!("{module} is not in the map of src/lib.rs"));
        for (line, name) in used(&fs::read_to_string(&file).unwrap()) {
            if name == module || ["commands", "log"].contains(&&*name) || !map.contains_key(&name) {
                continue;
            }
            unused.get_mut(module).unwrap().remove(&name);
            if !allowed.contains(&name) {
                let place = place.display();
                faults.push(format!("src/{place}:{line}: {module} must not use {name}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    unused.retain(|_, names| !names.is_empty());
    assert!(
        unused.is_empty(),
        "the map allows what nobody uses: {unused:?}"
    );
}

#[test]
fn the_test_finds_uses_in_all_their_forms() {
    let text = "use crate::{\n    api::{self, spec},\n    contract::Task,\n};\n// crate::mcp\nlet x = crate::store::of();\n";
    let found: Vec<String> = used(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(found, ["api", "contract", "store"]);
    assert_eq!(used(text)[2].0, 6);
}
