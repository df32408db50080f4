//! Sizes: a file is one idea, a main is thin, a README is short.

use dunlin_tests::root;

use crate::sources;

/// Lines of a file without its tests.
const FILE: usize = 400;
/// Lines of a function's `main.rs`.
const MAIN: usize = 40;
/// Lines of a function's README.
const README: usize = 25;

#[test]
fn a_file_has_at_most_400_lines_without_its_tests() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && source.code().lines().count() > FILE)
        .map(|source| format!("{}: {}", source.path, source.code().lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn a_main_has_at_most_40_lines_and_no_branch() {
    for source in sources().iter().filter(|source| source.path.ends_with("src/main.rs")) {
        assert!(source.text.lines().count() <= MAIN, "{}", source.path);
        let branches = ["if ", "match ", "while ", "for "].iter().any(|word| {
            source.text.lines().any(|line| !line.trim_start().starts_with("//") && line.trim_start().starts_with(word))
        });
        assert!(!branches, "{} branches", source.path);
    }
}

#[test]
fn a_functions_readme_has_at_most_25_lines_and_is_its_crates_documentation() {
    for entry in std::fs::read_dir(root().join("functions")).expect("functions") {
        let folder = entry.expect("an entry").path();
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("a README");
        assert!(readme.lines().count() <= README, "{}", folder.display());
        let library = std::fs::read_to_string(folder.join("src/lib.rs")).expect("a library");
        assert!(library.starts_with("#![doc = include_str!(\"../README.md\")]"), "{}", folder.display());
    }
}

#[test]
fn a_decision_record_has_at_most_60_lines() {
    for entry in std::fs::read_dir(root().join("docs/adr")).expect("docs/adr") {
        let path = entry.expect("an entry").path();
        let lines = std::fs::read_to_string(&path).expect("a text").lines().count();
        assert!(lines <= 60, "{}: {lines}", path.display());
    }
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| !source.text.starts_with("//!") && !source.text.starts_with("#![doc = include_str!("))
        .filter(|source| !source.path.ends_with("tests.rs") && !source.path.contains("/tests/"))
        .map(|source| source.path.clone())
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
