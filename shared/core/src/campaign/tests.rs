use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod entering;
mod form;
mod graph;
mod steps;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All texts of the folder `examples`, by their path in it.
fn examples() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in ["", "partials/"] {
        for entry in std::fs::read_dir(root().join("examples").join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.file_name().expect("a name").to_string_lossy();
                files.insert(format!("{folder}{name}"), std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    files
}

/// Problems as they are shown, without their lines, which have a test of their own.
fn shown(problems: &[Problem]) -> Vec<String> {
    let plain = problems.iter().map(|problem| Problem { line: None, ..problem.clone() });
    plain.map(|problem| problem.to_string()).collect()
}

/// All problems of one campaign file, found by parsing and by checking.
fn problems(text: &str) -> Vec<String> {
    let files = BTreeMap::from([
        ("x.yaml".to_owned(), text.to_owned()),
        ("hello.html".to_owned(), "{{ url.unsubscribe }}".to_owned()),
    ]);
    shown(&folder(&files).problems)
}

/// A good workflow, to be spoilt.
const GOOD: &str = "\
name: Test
kind: workflow
trigger: {event: Signed up}
from: Ann <ann@example.com>
messages:
  hello: {subject: Hello, text: 'Hi {{ user.name }} {{ url.unsubscribe }}'}
steps:
  - send: hello
  - wait: 3 days
";

fn spoilt(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    problems(&GOOD.replace(from, to))
}

#[test]
fn the_examples_are_without_problems_and_self_contained() {
    let folder = folder(&examples());
    assert_eq!(shown(&folder.problems), [""; 0]);
    let ids: Vec<&str> = folder.campaigns.iter().map(|campaign| campaign.id.as_str()).collect();
    let all = ["abandoned-cart", "birthday", "onboarding", "pricing", "receipt", "renewal", "trial", "welcome"];
    assert_eq!(ids, all.map(|name| format!("cmp_{name}")));
    for campaign in &folder.campaigns {
        // Letters are plain text.
        let has_html = campaign.messages.values().any(|message| message.html.is_some());
        let partials: &[&str] = if has_html { &["footer", "header"] } else { &[] };
        assert_eq!(campaign.partials.keys().collect::<Vec<_>>(), partials);
        let stored = serde_json::to_value(campaign).expect("JSON");
        assert_eq!(from_json(stored).as_ref(), Ok(campaign));
    }
    let welcome = folder.campaigns.iter().find(|campaign| campaign.id.as_str() == "cmp_welcome").expect("the series");
    let steps: Vec<&str> = welcome.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps, ["welcome-1", "wait-2", "welcome-2", "wait-4", "filter-5", "welcome-3"]);
}

#[test]
fn the_examples_render_with_much_data_and_with_none() {
    let data = json!({
        "user": {"first_name": "Bo & Co", "brewer": "a moka pot"},
        "event": {"order": "L-7", "total": 12.5, "items": [{"name": "Yirgacheffe", "price": 12.5}], "triggered_at": "2026-11-21T09:00:00Z"},
        "url": {"unsubscribe": "https://u.example/x", "unsubscribe_link": "https://u.example/x"},
    });
    let mut mails = String::new();
    for campaign in folder(&examples()).campaigns {
        let parse = |body: &Body| dunlin_liquid::Template::parse(&body.text).expect("a template");
        let partials: BTreeMap<String, dunlin_liquid::Template> =
            campaign.partials.iter().map(|(name, body)| (name.clone(), parse(body))).collect();
        let plain = dunlin_liquid::RenderOptions::new("2026-11-21T09:00:00Z".parse().expect("an instant"));
        let html = dunlin_liquid::RenderOptions { escape: dunlin_liquid::Escape::Html, partials: &partials, ..plain };
        for message in campaign.messages.values() {
            for (body, options) in [(&message.html, &html), (&message.text, &plain)] {
                let Some(body) = body else { continue };
                let template = parse(body);
                assert!(!template.render(&json!({}), options).expect("a mail").contains("{{"));
                mails.push_str(&template.render(&data, options).expect("a mail"));
            }
        }
    }
    for expected in [
        "Bo &amp; Co",
        "1 × Yirgacheffe",
        "12.50 EUR",
        "orders/L-7",
        "since 21 November",
        "href=\"https://u.example/x\"",
        "a moka pot",
    ] {
        assert!(mails.contains(expected), "{expected}");
    }
    for footer in ["Larkspur Coffee, 12 Mill Lane", "because of an order", "Unsubscribe</a>"] {
        assert!(mails.contains(footer), "{footer}");
    }
}

#[test]
fn every_kind_is_a_list_of_steps() {
    let text = "{name: R, kind: transactional, trigger: {event: X}, wait: 2 hours, message: {from: a@example.com, subject: S, text: T}}";
    let campaign = parse("my receipt.json", text, &BTreeMap::new()).expect("a campaign");
    assert_eq!(campaign.id.as_str(), "cmp_my-receipt");
    let steps: Vec<(&str, &str)> = campaign.steps.iter().map(|step| (step.name.as_str(), step.action.word())).collect();
    assert_eq!(steps, [("wait-1", "wait"), ("message", "send")]);
    let sending = campaign.sending("message").expect("a message");
    assert_eq!((sending.name, sending.from, sending.reply_to), ("message", Some("a@example.com"), None));
    assert!(campaign.ignores_unsubscribes() && campaign.sending("wait-1").is_none());
}

#[test]
fn a_file_that_is_not_yaml_is_refused_with_its_line() {
    let spoilt = spoilt("trigger: {event: Signed up}", "trigger: {event: Signed up");
    assert!(spoilt[0].starts_with("error: x.yaml: line 4, column 5: is not YAML: "), "{spoilt:?}");
    assert!(problems("name: a\nname: b\n")[0].contains("line 2, column 1: is not YAML: duplicate mapping key: name"));
    assert!(problems("subject: {{ user.name }}\n")[0].contains("put texts with"));
    assert_eq!(problems(""), ["error: x.yaml: has no value; give it one, or remove the line"]);
    assert_eq!(problems("- a\n"), ["error: x.yaml: is a list, not keys with values; write keys with values"]);
    assert!(problems(&"[".repeat(100_000))[0].contains("is not YAML"));
    assert!(problems(&format!("name: {}", "x".repeat(400_000)))[0].contains("move bodies into files of their own"));
}

#[test]
fn a_small_file_that_unfolds_into_a_huge_one_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text = format!("{text}a{level}: &a{level} [{}]\n", vec![before; 8].join(", "));
    }
    assert!(problems(&text)[0].contains("is not YAML"));
}

#[test]
fn a_template_that_does_not_parse_is_refused_with_its_place() {
    let found = spoilt("{{ user.name }}", "{{ user.name");
    assert!(found[0].starts_with("error: x.yaml: messages.hello.text line 1, column "), "{found:?}");
    let files = BTreeMap::from([
        ("x.yaml".to_owned(), GOOD.replace("text: '", "html: {file: a/hello.html}, text: '")),
        ("a/hello.html".to_owned(), "<p>\n{% fi user %}</p>".to_owned()),
    ]);
    let found = shown(&folder(&files).problems);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("error: a/hello.html: line 2, column "), "{found:?}");
}

#[test]
fn what_would_surprise_is_a_warning() {
    let table = [
        (
            "{{ user.name }}",
            "{{ usr.name }}",
            "warning: x.yaml: messages.hello.text: `usr` is always empty; did you mean `user`?",
        ),
        (
            "{{ user.name }}",
            "{{ campaign.nme | upcase }}",
            "warning: x.yaml: messages.hello.text: `campaign.nme` is always empty; did you mean `campaign.name`?",
        ),
        (
            "subject: Hello",
            "subject: '{% if url.unsubscrib %}a{% endif %}'",
            "warning: x.yaml: messages.hello.subject: `url.unsubscrib` is always empty; did you mean `url.unsubscribe`?",
        ),
        (
            "subject: Hello",
            "subject: \"Hello {{ campaign['author'].name }}\"",
            "warning: x.yaml: messages.hello.subject: `campaign.author` is always empty; there are `campaign.id`, `campaign.name`",
        ),
        (
            "{{ url.unsubscribe }}",
            "",
            "warning: x.yaml: messages.hello: the mail has no link to unsubscribe; add `{{ url.unsubscribe }}`, or a link of your own to `{{ url.unsubscribe_link }}`",
        ),
        (
            "send: hello",
            "exit: done",
            "warning: x.yaml: messages.hello: no step sends the message `hello`; add a step `send: hello`, or remove it",
        ),
        (
            "send: hello",
            "exit: done",
            "warning: x.yaml: steps[1]: no run ever reaches the step `wait-2`; lead a `next` or an `else` to it, or remove it",
        ),
        (
            "text: 'Hi",
            "html: '<a href=\"{{ url.unsubscribe }}\">', text: 'Hi",
            "warning: x.yaml: messages.hello.html: `url.unsubscribe` is a whole link, not an address; write `href=\"{{ url.unsubscribe_link }}\"`, or `{{ url.unsubscribe }}` by itself",
        ),
    ];
    for (from, to, expected) in table {
        let found = spoilt(from, to);
        assert!(found.iter().any(|problem| problem == expected), "{to}: {found:#?}");
        assert!(!found.iter().any(|problem| problem.starts_with("error")), "{to}: {found:#?}");
    }
    assert_eq!(spoilt("steps:", "transactional: true\nsteps:"), [""; 0]);
}

#[test]
fn a_folder_needs_a_campaign_and_ids_of_their_own() {
    assert_eq!(
        shown(&folder(&BTreeMap::new()).problems),
        ["error: there is no campaign here; add a file like `welcome.yaml`"]
    );
    let text = GOOD.replace("name: Test", "name: Test\nid: cmp_one");
    let files = BTreeMap::from([("a.yaml".to_owned(), text.clone()), ("b.yml".to_owned(), text)]);
    let folder = folder(&files);
    assert_eq!(
        shown(&folder.problems),
        ["error: b.yml: id: `cmp_one` is the id of the campaign in a.yaml, too; give each campaign an id of its own"]
    );
    assert!(!folder.is_publishable());
}

#[test]
fn partials_are_taken_from_the_folder_with_those_they_render() {
    let mut files = BTreeMap::from([
        ("x.yaml".to_owned(), GOOD.replace("{{ user.name }}", "{% render ''a'' %}")),
        ("partials/a.liquid".to_owned(), "{% render 'b' %}".to_owned()),
        ("partials/b.liquid".to_owned(), "b".to_owned()),
        ("partials/unused.liquid".to_owned(), "c".to_owned()),
    ]);
    let found = folder(&files);
    assert_eq!(
        (shown(&found.problems).len(), found.campaigns[0].partial_sources().keys().cloned().collect::<Vec<_>>()),
        (0, vec!["a".to_owned(), "b".to_owned()])
    );
    files.insert("partials/b.liquid".to_owned(), "{% render 'a' %}".to_owned());
    let found = shown(&folder(&files).problems);
    assert_eq!(found[0], "error: x.yaml: partials.a: the partial `a` renders itself; remove that `render`");
}

#[test]
fn a_campaign_from_outside_is_held_to_the_same_schema() {
    let found = from_json(json!({"name": "x", "kind": "workflow", "trigger": {"event": "X"}, "steps": [{"wait": 3}]}))
        .expect_err("a bare number");
    assert_eq!(shown(&found), ["error: steps[0].wait: `3` has no unit; write `3 minutes`, `3 hours` or `3 days`"]);
    let found = from_json(json!({"name": "x", "kind": "workflow", "trigger": {"event": "X"}})).expect_err("no id");
    assert_eq!(shown(&found), ["error: id: the campaign has no id; add a line like `id: cmp_welcome`"]);
    let body = json!({"file": "a.html"});
    let open = json!({"id": "cmp_x", "name": "x", "kind": "transactional", "trigger": {"event": "X"}, "message": {"subject": "s", "html": body}});
    assert!(shown(&from_json(open).expect_err("no content"))[0].contains("the content of `a.html` is missing"));
}

#[test]
fn the_published_schema_is_the_one_that_files_are_checked_against() {
    let path = root().join("docs/campaign.schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(schema()).expect("JSON"));
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    if published != current {
        let fresh = std::env::temp_dir().join("campaign.schema.json");
        std::fs::write(&fresh, current).expect("a file");
        panic!("docs/campaign.schema.json is out of date: cp {} {}", fresh.display(), path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_however_spoilt_makes_the_parser_panic(at in 0..GOOD.len(), length in 0..40_usize, text in "[-:{}\\[\\]'\"#&*!|>%@ \\n\\t0-9a-z]{0,12}") {
        let end = (at + length).min(GOOD.len());
        let spoilt = format!("{}{text}{}", &GOOD[..at], &GOOD[end..]);
        for problem in problems(&spoilt) {
            prop_assert!(problem.contains("x.yaml") && problem.contains("; "), "{}", problem);
            prop_assert!(!problem.contains("compare it with the schema"), "schema and types differ: {}", problem);
        }
    }
}
