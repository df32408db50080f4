//! Our own cases, in `cases/*.txt`, and that no tag or filter is without one.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use dunlin_liquid::{Escape, RenderOptions, Template, filter_names, tag_names};
use serde_json::Value;

const FILES: &[(&str, &str)] = &[
    ("filters.txt", include_str!("cases/filters.txt")),
    ("tags.txt", include_str!("cases/tags.txt")),
    ("language.txt", include_str!("cases/language.txt")),
];
const DATA: &str = include_str!("cases/data.json");

/// One case: `=== kind name: sentence`, the template, and its sections.
struct Case {
    title: String,
    kind: String,
    name: String,
    template: String,
    partials: BTreeMap<String, String>,
    expected: Result<String, String>,
}

fn cases() -> Vec<Case> {
    FILES.iter().flat_map(|(file, text)| text.split("\n=== ").skip(1).map(|it| case(file, it))).collect()
}

fn case(file: &str, text: &str) -> Case {
    let (header, body) = text.split_once('\n').expect("a case has a body");
    let (subject, _) = header.split_once(": ").expect("`kind name: sentence`");
    let (kind, name) = subject.split_once(' ').expect("`kind name`");
    let mut sections = body.split("\n--- ");
    let template = sections.next().expect("a template").to_owned();
    let mut partials = BTreeMap::new();
    let mut expected = None;
    for section in sections {
        let (title, text) = section.split_once('\n').expect("a section has a text");
        match title {
            // An empty line ends the case.
            "output" => expected = Some(Ok(text.trim_end_matches('\n').to_owned())),
            "error" => expected = Some(Err(text.trim_end_matches('\n').to_owned())),
            partial => {
                let name = partial.strip_prefix("partial ").expect("`partial name`");
                partials.insert(name.to_owned(), text.to_owned());
            }
        }
    }
    Case {
        title: format!("{file}: {header}"),
        kind: kind.to_owned(),
        name: name.to_owned(),
        template,
        partials,
        expected: expected.expect("a case has an output or an error"),
    }
}

fn render(case: &Case, data: &Value) -> Result<String, String> {
    let template = Template::parse(&case.template).map_err(|error| error.to_string())?;
    let mut partials = BTreeMap::new();
    for (name, source) in &case.partials {
        partials.insert(name.clone(), Template::parse(source).map_err(|error| error.to_string())?);
    }
    let now = "2026-11-21T12:30:00Z".parse().expect("a valid instant");
    let escape = if case.kind == "html" { Escape::Html } else { Escape::None };
    let options = RenderOptions { escape, seed: 7, partials: &partials, ..RenderOptions::new(now) };
    let text = template.render(data, &options).map_err(|error| error.to_string())?;
    Ok(text.trim_end_matches('\n').to_owned())
}

#[test]
fn every_case_renders_as_expected() {
    let data: Value = serde_json::from_str(DATA).expect("data.json is JSON");
    let mut failed = 0;
    for case in cases() {
        let rendered = render(&case, &data);
        if rendered != case.expected {
            failed += 1;
            println!("{}\n  expected {:?}\n  rendered {rendered:?}", case.title, case.expected);
        }
    }
    assert_eq!(failed, 0, "{failed} cases failed");
}

#[test]
fn every_tag_and_every_filter_has_a_case() {
    let covered: BTreeSet<(String, String)> = cases().into_iter().map(|case| (case.kind, case.name)).collect();
    let has = |kind: &str, name: &str| covered.contains(&(kind.to_owned(), name.to_owned()));
    let without: Vec<&str> = filter_names()
        .filter(|name| !has("filter", name))
        .chain(tag_names().filter(|name| !has("tag", name)))
        .collect();
    assert!(without.is_empty(), "without a case: {without:?}");
}
