//! Every limit is reached by what it is there to stop; and what a template says of itself.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use dunlin_liquid::{Escape, Limits, Partials, RenderErrorKind, RenderOptions, Template};
use serde_json::{Value, json};

/// Partials made of the template under test, so that includes recurse.
struct Itself<'a>(&'a Template);

impl Partials for Itself<'_> {
    fn get(&self, _name: &str) -> Option<Template> {
        Some(self.0.clone())
    }
}

fn options(escape: Escape, limits: Limits) -> RenderOptions<'static> {
    let now = "2026-11-21T12:00:00Z".parse().expect("a valid instant");
    RenderOptions { escape, limits, ..RenderOptions::new(now) }
}

fn error_of(source: &str, data: &Value, limits: Limits) -> RenderErrorKind {
    let template = Template::parse(source).expect("the template parses");
    let partials = Itself(&template);
    let options = RenderOptions { partials: &partials, ..options(Escape::None, limits) };
    let error = template.render(data, &options).expect_err("a limit is reached");
    assert!(error.is_limit(), "{error}");
    error.kind
}

#[test]
fn a_template_that_includes_itself_stops_at_the_depth_limit() {
    for source in ["{% include 'p' %}", "{% render 'p' %}", "{% if true %}{% include 'p' %}{% endif %}"] {
        let kind = error_of(source, &json!({}), Limits::default());
        assert_eq!(kind, RenderErrorKind::TooDeep { limit: 64 }, "{source}");
    }
}

#[test]
fn a_partial_that_doubles_itself_stops_at_the_step_limit() {
    let source = "{% for i in (1..9) %}{% for j in (1..9) %}{% include 'p' %}{% endfor %}{% endfor %}";
    let limits = Limits { depth: 60, ..Limits::default() };
    let template = Template::parse(source).expect("the template parses");
    let partials = Itself(&template);
    let options = RenderOptions { partials: &partials, ..options(Escape::None, limits) };
    assert!(template.render(&json!({}), &options).expect_err("a limit").is_limit());
}

#[test]
fn nested_loops_stop_at_the_step_limit_even_if_they_print_nothing() {
    let open = "{% for i in (1..9999) %}".repeat(5);
    let close = "{% endfor %}".repeat(5);
    let kind = error_of(&format!("{open}{close}"), &json!({}), Limits::default());
    assert_eq!(kind, RenderErrorKind::TooManySteps { limit: 1_000_000 });
}

#[test]
fn text_that_doubles_stops_at_the_text_limit() {
    let double = "{% assign x = x | append: x %}".repeat(60);
    let kind = error_of(&format!("{{% assign x = 'x' %}}{double}"), &json!({}), Limits::default());
    assert_eq!(kind, RenderErrorKind::TooMuchText { limit: 16 * 1024 * 1024 });
}

#[test]
fn an_array_that_doubles_stops_at_a_limit() {
    let double = "{% assign x = x | concat: x %}".repeat(60);
    let source = format!("{{% assign x = 'a,b' | split: ',' %}}{double}");
    error_of(&source, &json!({}), Limits::default());
}

#[test]
fn a_replacement_that_explodes_stops_before_it_is_made() {
    let source = "{{ a | replace: 'a', a | size }}";
    let data = json!({ "a": "a".repeat(100_000) });
    let kind = error_of(source, &data, Limits::default());
    assert_eq!(kind, RenderErrorKind::TooMuchText { limit: 16 * 1024 * 1024 });
}

#[test]
fn output_stops_at_its_limit_escaped_or_not() {
    let data = json!({ "a": "\"".repeat(1_000_000) });
    let kind = error_of("{{ a }}{{ a }}{{ a }}", &data, Limits::default());
    assert_eq!(kind, RenderErrorKind::OutputTooLong { limit: 2 * 1024 * 1024 });
    let template = Template::parse("{{ a }}").expect("the template parses");
    let rendered = template.render(&data, &options(Escape::Html, Limits::default()));
    assert!(rendered.expect_err("six times as long").is_limit());
}

#[test]
fn more_partials_than_the_limit_are_not_loaded() {
    let limits = Limits { partials: 3, ..Limits::default() };
    let source = "{% if p %}{% else %}{% for i in (1..9) %}{% assign n = i | append: 'n' %}{% include n, p: 1 %}{% endfor %}{% endif %}";
    let kind = error_of(source, &json!({}), limits);
    assert_eq!(kind, RenderErrorKind::TooManyPartials { limit: 3 });
}

#[test]
fn sources_nested_too_deeply_are_refused_and_not_a_crash() {
    let count = 100_000;
    for (open, close) in [
        ("{% if a %}", "{% endif %}"),
        ("{% for a in b %}", "{% endfor %}"),
        ("{% capture a %}", "{% endcapture %}"),
        ("{% case a %}{% when 1 %}", "{% endcase %}"),
    ] {
        let source = format!("{}{}", open.repeat(count), close.repeat(count));
        let limits = Limits { source_bytes: usize::MAX, ..Limits::default() };
        let error = Template::parse_with(&source, &limits).expect_err("nested too deeply");
        assert!(error.to_string().contains("nested more than 64 levels"), "{error}");
    }
    for source in [
        format!("{{{{ {}a{} }}}}", "a[".repeat(count), "]".repeat(count)),
        format!("{{{{ {}1..2{} }}}}", "(".repeat(count), ")".repeat(count)),
        format!("{{% {}%}}", "liquid ".repeat(count / 2)),
    ] {
        let limits = Limits { source_bytes: usize::MAX, ..Limits::default() };
        let error = Template::parse_with(&source, &limits).expect_err("nested too deeply");
        assert!(error.to_string().contains("nested more than 64 levels"), "{error}");
    }
}

#[test]
fn long_chains_do_not_recurse() {
    let tests = "a == 1 or ".repeat(20_000);
    let filters = " | append: ''".repeat(20_000);
    let source = format!("{{% if {tests}true %}}{{{{ 1{filters} }}}}{{% endif %}}");
    let template = Template::parse(&source).expect("long, but flat");
    let rendered = template.render(&json!({}), &options(Escape::None, Limits::default()));
    assert_eq!(rendered.expect("within the limits"), "1");
}

#[test]
fn data_nested_more_deeply_than_json_allows_do_not_exhaust_the_stack() {
    let mut deep = json!(1);
    for _ in 0..2_000 {
        deep = Value::Array(vec![deep]);
    }
    let data = Value::Object([("a".to_owned(), deep)].into_iter().collect());
    let source = "{{ a }}{{ a | join }}{% if a == a %}{% endif %}{{ a | sort | uniq | map: 'b' }}";
    let template = Template::parse(source).expect("the template parses");
    let _ = template.render(&data, &options(Escape::None, Limits::default()));
}

#[test]
fn the_default_depth_fits_a_stack_of_one_mebibyte() {
    let open = "{% for a in (1..1) %}{% if a %}".repeat(20);
    let close = "{% endif %}{% endfor %}".repeat(20);
    let source = format!("{open}{{% render 'p' %}}{{{{ {}1{} }}}}{close}", "x[".repeat(20), "]".repeat(20));
    let recursion = move || error_of(&source, &json!({}), Limits::default());
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(recursion);
    let kind = thread.expect("a thread").join().expect("no overflow");
    assert_eq!(kind, RenderErrorKind::TooDeep { limit: 64 });
}

#[test]
fn work_that_no_text_shows_stops_at_the_step_limit_too() {
    let long = "a".repeat(200_000);
    let spaces = " ".repeat(200_000);
    let spaces0 = format!("{spaces}0");
    let data = json!({
        "a": long, "b": [long, long], "key": "size", "spaces": spaces, "spaces0": spaces0
    });
    for inside in [
        "{% if a == b[0] %}{% endif %}",
        "{{ a[key] | times: 0 }}",
        "{% assign x = b | sort %}",
        "{% assign x = b | compact: 'size' %}",
        "{% assign x = a | first %}",
        "{% if a contains 'b' %}{% endif %}",
        "{% if 'b' contains a %}{% endif %}",
        "{% if spaces == blank %}{% endif %}",
        "{% assign x = 'b' | replace: a | size %}",
        "{% assign x = 1 | plus: spaces %}",
        "{% assign x = (spaces..1) %}",
        "{% for j in b limit: spaces0 %}{% endfor %}",
        "{% assign x = b | has: 'b' %}",
        "{% assign x = '99 Foo 12, 1x' | date: '%Y' %}",
    ] {
        let source = format!("{{% for i in (1..100000) %}}{inside}{{% endfor %}}");
        let limits = Limits { output_bytes: usize::MAX, text_bytes: usize::MAX, ..Limits::default() };
        let kind = error_of(&source, &data, limits);
        assert_eq!(kind, RenderErrorKind::TooManySteps { limit: 1_000_000 }, "{inside}");
    }
}

#[test]
fn long_expressions_are_paid_for_by_their_length() {
    let path = format!("{{% if a{} %}}{{% endif %}}", ".b".repeat(50_000));
    let keywords: String = (0..20_000).map(|index| format!(", k{index}: 1")).collect();
    let included = format!("{{% if k1 %}}{{{{ x }}}}{{% else %}}{{% include 'p'{keywords} %}}{{% endif %}}");
    for inside in [path, included] {
        let source = format!("{{% for i in (1..100000) %}}{inside}{{% endfor %}}");
        let kind = error_of(&source, &json!({}), Limits::default());
        assert_eq!(kind, RenderErrorKind::TooManySteps { limit: 1_000_000 });
    }
}

#[test]
fn a_source_longer_than_the_limit_is_refused() {
    let error = Template::parse(&"a".repeat(512 * 1024 + 1)).expect_err("too long");
    assert!(error.to_string().contains("longer than 524288 bytes"), "{error}");
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    shared(&Template::parse("a").expect("the template parses"));
}

#[test]
fn a_template_names_its_partials_and_variables() {
    let source = "{% render 'footer' %}{% include 'head' %}{% include which %}\
                  {% assign x = user.name %}{{ x }}{{ ['url'].y }}{% for i in event.items %}{{ i }}{% endfor %}";
    let template = Template::parse(source).expect("the template parses");
    assert_eq!(template.partials().collect::<Vec<_>>(), ["footer", "head"]);
    assert_eq!(template.variables().collect::<Vec<_>>(), ["event", "url", "user", "which"]);
    let variables = |source: &str| {
        let template = Template::parse(source).expect("the template parses");
        template.variables().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(variables("{% assign a = a %}{{ a }}"), ["a"]);
    assert_eq!(variables("{% if b %}{% assign a = 1 %}{% endif %}{{ a }}"), ["a", "b"]);
    assert_eq!(variables("{% for a in (1..2) %}{{ a }}{% endfor %}"), [""; 0]);
    assert_eq!(variables("{% for a in a %}{% endfor %}{{ forloop }}"), ["a", "forloop"]);
    let fields = |source: &str| {
        let template = Template::parse(source).expect("the template parses");
        template.fields("a").map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(fields("{{ a.c.d | append: a['b'] }}{{ ['a'].e }}{% if x == a.f %}{% endif %}"), ["b", "c", "e", "f"]);
    assert_eq!(fields("{{ a }}{{ a[b] }}{{ b.a }}{% for a in b %}{{ a.c }}{% endfor %}"), [""; 0]);
}
