//! Words: names that say nothing, and lines that say that something is missing.

use crate::sources;

/// Parts of names that hide what a thing is.
const BANNED: [&str; 6] = ["Impl", "Manager", "Helper", "Mock", "Real", "Util"];
/// What reads like something left undone, put together so that this file does not.
const UNDONE: [(&str, &str); 6] =
    [("todo", "!("), ("unimplemented", "!("), ("FIX", "ME"), ("XX", "X"), ("for", " now,"), ("#[ign", "ore")];

/// What introduces a name.
const KINDS: [&str; 6] = ["struct ", "enum ", "trait ", "type ", "mod ", "fn "];

/// Names of types and functions that a source defines.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(move |line| {
        KINDS.iter().filter_map(move |kind| {
            let (before, after) = line.split_once(kind)?;
            let defines = before.trim().is_empty() || before.trim_end().ends_with(['b', ')', 'c']);
            let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
            (defines && !name.is_empty()).then_some(name)
        })
    })
}

#[test]
fn a_name_says_what_a_thing_is() {
    let mut vague = Vec::new();
    for source in sources() {
        for name in names(&source.text) {
            let hides = BANNED.iter().any(|word| name.contains(word)) || ["utils", "common", "helpers"].contains(&name);
            if hides || name.starts_with("new_") || name.starts_with("test_") {
                vague.push(format!("{}: {name}", source.path));
            }
        }
    }
    assert!(vague.is_empty(), "{vague:#?}");
}

#[test]
fn nothing_is_left_undone() {
    let mut undone = Vec::new();
    for source in sources() {
        for (start, end) in UNDONE {
            if source.text.contains(&format!("{start}{end}")) {
                undone.push(format!("{}: {start}{end}", source.path));
            }
        }
    }
    assert!(undone.is_empty(), "{undone:#?}");
}
