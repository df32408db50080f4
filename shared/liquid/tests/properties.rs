//! Whatever the source and the data, the engine neither panics nor runs away.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use dunlin_liquid::{Escape, Limits, Partials, RenderOptions, Template};
use proptest::prelude::*;
use serde_json::{Value, json};

const CASES: &str =
    concat!(include_str!("cases/filters.txt"), include_str!("cases/tags.txt"), include_str!("cases/language.txt"),);

/// Partials made of the template under test, so that includes recurse.
struct Itself<'a>(&'a Template);

impl Partials for Itself<'_> {
    fn get(&self, _name: &str) -> Option<Template> {
        Some(self.0.clone())
    }
}

fn small() -> Limits {
    Limits {
        output_bytes: 20_000,
        steps: 20_000,
        text_bytes: 100_000,
        range_items: 1_000,
        partials: 5,
        ..Limits::default()
    }
}

fn options(escape: Escape, limits: Limits) -> RenderOptions<'static> {
    let now = "2026-11-21T12:00:00Z".parse().expect("a valid instant");
    RenderOptions { escape, limits, ..RenderOptions::new(now) }
}

/// Any JSON, with the keys the templates look for.
fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        prop_oneof![Just(0), Just(-1), Just(i64::MIN), Just(i64::MAX)].prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("2026-03-29T01:30:00+01:00")),
    ];
    scalar.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[abc]|first|size", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn data() -> impl Strategy<Value = Value> {
    (json(), json(), json()).prop_map(|(a, b, c)| json!({ "a": a, "b": b, "c": c }))
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "a",
            "b",
            "c",
            "a.b",
            "a[0]",
            "b[-1]",
            "c.first",
            "a.size",
            "nil",
            "true",
            "blank",
            "empty",
            "forloop.index",
            "forloop",
            "x",
            "y.z",
            "'now'",
            "''",
            "'%s %d %.3f %010x'",
            "'%Y-%m-%d %99999999A %-'",
            "'Europe/Berlin'",
            "1.5",
            "0",
            "-3",
            "9223372036854775807",
            "-9223372036854775808",
            "(1..3)",
            "(a..b)",
            "(0..99999999999)",
        ])
        .prop_map(str::to_owned),
        any::<i32>().prop_map(|int| int.to_string()),
        "[a-z<>&% ]{0,8}".prop_map(|text| format!("'{text}'")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|index| format!("a[{index}]")),
            (inner.clone(), inner).prop_map(|(first, last)| format!("({first}..{last})")),
        ]
    })
}

fn filtered() -> impl Strategy<Value = String> {
    let names: Vec<&str> = dunlin_liquid::filter_names().collect();
    let arguments = prop::collection::vec(expression(), 0..3);
    let call = (prop::sample::select(names), arguments).prop_map(|(name, arguments)| {
        // As many arguments as the filter takes, else few templates would parse.
        let call = |count: usize| match count {
            0 => format!(" | {name}"),
            _ => format!(" | {name}: {}", arguments.get(..count).unwrap_or_default().join(", ")),
        };
        let parses = |call: &String| Template::parse(&format!("{{{{ 1{call} }}}}")).is_ok();
        (0..=arguments.len()).rev().map(call).find(parses).unwrap_or_default()
    });
    (expression(), prop::collection::vec(call, 0..5))
        .prop_map(|(expression, calls)| format!("{expression}{}", calls.concat()))
}

fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ a-z<&\n]{0,10}",
        filtered().prop_map(|filtered| format!("{{{{ {filtered} }}}}")),
        filtered().prop_map(|filtered| format!("{{%- assign x = {filtered} -%}}")),
        expression().prop_map(|it| format!("{{% cycle {it}, 'b' %}}{{% random {it} %}}")),
        expression().prop_map(|it| format!("{{% include {it} %}}")),
        prop::sample::select(vec![
            "{% break %}",
            "{% continue %}",
            "{% increment x %}",
            "{% decrement y %}",
            "{% render 'p' for a as y, x: b %}",
            "{% include 'p' with c %}",
            "{% # c %}",
            "{% raw %}{{ x }}{% endraw %}",
            "{% comment %}{% if %}{% endcomment %}",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let inside = prop::collection::vec(inner, 0..5).prop_map(|parts| parts.concat());
        (inside, expression(), expression(), 0..8).prop_map(|(inside, left, right, kind)| match kind {
            0 => format!("{{% if {left} == {right} %}}{inside}{{% else %}}-{{% endif %}}"),
            1 => format!("{{% unless {left} contains {right} %}}{inside}{{% endunless %}}"),
            2 => format!("{{% for y in {left} %}}{inside}{{% endfor %}}"),
            3 => format!("{{% for y in a reversed limit: {left} %}}{inside}{{% endfor %}}"),
            4 => {
                format!("{{% tablerow y in {left} cols: {right} %}}{inside}{{% endtablerow %}}")
            }
            5 => format!("{{% capture x %}}{inside}{{% endcapture %}}"),
            6 => format!("{{% case {left} %}}{{% when {right} %}}{inside}{{% endcase %}}"),
            _ => format!("{{% ifchanged %}}{inside}{{% endifchanged %}}"),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_parses_or_says_where_it_does_not(source in "\\PC{0,200}") {
        if let Err(error) = Template::parse(&source) {
            prop_assert!(error.line >= 1 && error.line <= source.lines().count().max(1));
            prop_assert!(error.column >= 1);
        }
    }

    #[test]
    fn any_heap_of_fragments_parses_or_says_where_it_does_not(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "-", " ", "\n", "if", "endif", "for", "in", "liquid", "raw",
            "endraw", "comment", "endcomment", "doc", "enddoc", "case", "when", "else", "elsif",
            "a", ".", "..", "[", "]", "(", ")", "|", ":", ",", "=", "==", "'", "\"", "upcase",
            "1", "1.5", "-2", "#", "é", "\u{0}", "contains", "and", "or", "assign", "{", "}",
            "tablerow", "endfor", "cycle", "render", "include", "with", "as", "\r",
        ]), 0..40)
    ) {
        let source = parts.concat();
        if let Ok(template) = Template::parse(&source) {
            let _ = template.render(&json!({ "a": [1, "x"] }), &options(Escape::Html, small()));
        }
    }

    #[test]
    fn any_template_renders_any_data_within_its_limits(
        source in template(), data in data(), html in any::<bool>()
    ) {
        let template = match Template::parse(&source) {
            Ok(template) => template,
            Err(error) => return Err(TestCaseError::fail(format!("{error} in {source}"))),
        };
        let escape = if html { Escape::Html } else { Escape::None };
        let partials = Itself(&template);
        let options = RenderOptions { partials: &partials, ..options(escape, small()) };
        let first = template.render(&data, &options);
        if let Ok(text) = &first {
            prop_assert!(text.len() <= small().output_bytes);
        }
        prop_assert_eq!(first, template.render(&data, &options), "the same each time");
    }

    #[test]
    fn no_change_of_our_own_cases_makes_a_crash(
        case in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 4), piece in "\\PC{0,3}",
        html in any::<bool>()
    ) {
        let cases: Vec<&str> = CASES.split("\n=== ").skip(1).collect();
        let (case, other) = (*case.get(&cases), *other.get(&cases));
        let cut = |text: &str, at: &prop::sample::Index| {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            *at.get(&ends)
        };
        let (from, to) = (cut(case, &cuts[0]), cut(case, &cuts[1]));
        let (start, end) = (cut(other, &cuts[2]), cut(other, &cuts[3]));
        let source = [&case[..from.min(to)], &piece, &other[start.min(end)..start.max(end)], &case[from.max(to)..]];
        if let Ok(template) = Template::parse(&source.concat()) {
            let data: Value = serde_json::from_str(include_str!("cases/data.json")).expect("JSON");
            let escape = if html { Escape::Html } else { Escape::None };
            let partials = Itself(&template);
            let options = RenderOptions { partials: &partials, ..options(escape, small()) };
            let _ = template.render(&data, &options);
        }
    }

    #[test]
    fn no_data_gets_unescaped_into_html(
        filters in prop::collection::vec(prop::sample::select(vec![
            "upcase", "downcase", "capitalize", "strip", "truncate: 9", "append: b", "prepend: b",
            "escape", "escape_once", "newline_to_br", "strip_html", "default: b", "split: 'b'",
            "join: b", "replace: 'a', b", "remove: 'amp;'", "remove: '&lt;'", "url_decode", "first",
            "slice: 2, 30", "fallback: b", "humanize", "format: '%s<'", "sort", "reverse", "last",
        ]), 0..5),
        a in "[<>&\"'ab;lt%3C]{0,12}", b in "[<>\"'&a]{0,5}"
    ) {
        let calls: String = filters.iter().map(|filter| format!(" | {filter}")).collect();
        let source = format!(
            "{{% capture k %}}{{{{ a{calls} }}}}{{% endcapture %}}{{{{ k{calls} }}}}{{{{ a{calls} }}}}"
        );
        let template = Template::parse(&source).expect("the filters exist");
        let text = template.render(&json!({ "a": a, "b": b }), &options(Escape::Html, small()));
        let text = text.unwrap_or_default().to_lowercase().replace("<br />\n", "");
        // `newline_to_br` has its own tag; once it was made, nothing else may be.
        prop_assert!(!text.contains(['<', '>', '"', '\'']), "{} gave {}", source, text);
    }
}
