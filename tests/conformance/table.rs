//! The table rule × implementation in `docs/testing.md`, between two marks.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::rule::{Rule, Section};
use crate::verdict::Verdicts;

/// The columns: the file of verdicts, and the heading.
const COLUMNS: [(&str, &str); 4] =
    [("local", "local"), ("port", "local, port"), ("moto", "moto"), ("ministack", "ministack")];
const BEGIN: &str = "<!-- begin of what tests/conformance/run --write writes -->\n";
const END: &str = "<!-- end of what tests/conformance/run --write writes -->";

fn document() -> PathBuf {
    dunlin_tests::root().join("docs/testing.md")
}

fn text() -> String {
    std::fs::read_to_string(document()).expect("docs/testing.md")
}

/// What the document has between the marks.
pub(crate) fn committed() -> String {
    let text = text();
    let (_, rest) = text.split_once(BEGIN).expect("the first mark");
    rest.split_once(END).expect("the second mark").0.to_owned()
}

/// Puts a page between the marks.
pub(crate) fn write(page: &str) {
    let text = text();
    let (before, rest) = text.split_once(BEGIN).expect("the first mark");
    let (_, after) = rest.split_once(END).expect("the second mark");
    std::fs::write(document(), format!("{before}{BEGIN}{page}{END}{after}")).expect("written");
}

/// The first cell of a rule's row.
pub(crate) fn head(rule: &Rule) -> String {
    format!("| [{}]({}) |", rule.says, rule.source)
}

/// The tables, one a section, and the counts.
pub(crate) fn page(sections: &[Section], read: &dyn Fn(&str) -> Option<Verdicts>) -> String {
    let columns = COLUMNS.map(|(name, title)| {
        (title, read(name).unwrap_or_else(|| panic!("no verdicts of {name}: tests/conformance/run asks everybody")))
    });
    let rules: usize = sections.iter().map(|section| section.rules.len()).sum();
    let mut page = format!("\n{rules} rules.\n\n| | |\n|---|---|\n");
    for (title, verdicts) in &columns {
        let _ = writeln!(page, "| {title} | {} |", verdicts.counts());
    }
    for section in sections {
        let titles = columns.each_ref().map(|(title, _)| *title).join(" | ");
        let _ = writeln!(page, "\n| {} | {titles} |\n|---|{}", section.title, "---|".repeat(columns.len()));
        for rule in section.rules {
            let cells = columns.each_ref().map(|(title, verdicts)| {
                verdicts.get(rule).unwrap_or_else(|| panic!("{title} was not asked about {}", rule.id)).to_string()
            });
            let _ = writeln!(page, "{} {} |", head(rule), cells.join(" | "));
        }
    }
    page.push('\n');
    page
}

/// The lines that only one of two pages has.
pub(crate) fn differing(committed: &str, found: &str) -> String {
    let only = |sign: char, one: &str, other: &str| -> String {
        let lines = one.lines().filter(|line| !other.lines().any(|of_other| of_other == *line));
        lines.map(|line| format!("{sign} {line}\n")).collect()
    };
    only('-', committed, found) + &only('+', found, committed)
}
