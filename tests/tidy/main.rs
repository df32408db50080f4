//! Tidy: sizes, documents and edges. What the style asks for and a machine can count.

#![allow(clippy::expect_used, reason = "a file that cannot be read fails the test")]

mod edges;
mod sizes;
mod words;

use std::path::{Path, PathBuf};

/// A source file of ours.
struct Source {
    /// Its path from the root.
    path: String,
    /// Its text.
    text: String,
}

/// Every Rust file of ours that is kept in git.
fn sources() -> Vec<Source> {
    let root = dunlin_tests::root();
    let mut found = Vec::new();
    for folder in ["functions", "shared", "infra", "tests"] {
        collect(&root, &root.join(folder), &mut found);
    }
    assert!(found.len() > 50, "the walk finds the sources");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "fuzz"].contains(&name.as_str()) {
                collect(root, &path, found);
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).expect("a text");
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

impl Source {
    /// Whether it only holds tests or benches.
    fn is_test(&self) -> bool {
        let test_folder = ["tests/", "benches/", "examples/"].iter().any(|folder| self.path.contains(folder));
        test_folder || self.path.ends_with("tests.rs")
    }

    /// Its lines up to the tests at its end.
    fn code(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap_or_default()
    }
}
