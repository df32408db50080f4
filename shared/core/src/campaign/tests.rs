use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;

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
    assert_eq!(ids, ["cmp_onboarding", "cmp_pricing", "cmp_receipt", "cmp_renewal", "cmp_trial", "cmp_welcome"]);
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
fn every_misfit_is_named_with_file_path_and_remedy() {
    let table = [
        ("wait: 3 days", "wait: 3", "steps[1].wait: `3` has no unit; write `3 minutes`, `3 hours` or `3 days`"),
        (
            "wait: 3 days",
            "wait: 1 month",
            "steps[1].wait: `1 month` counts months, which have no fixed length; count days, as in `30 days`",
        ),
        (
            "wait: 3 days",
            "wait: 11 years",
            "steps[1].wait: `11 years` is longer than ten years, the longest there is; write at most `10 years`",
        ),
        ("wait: 3 days", "wiat: 3 days", "steps[1].wiat: unknown key `wiat`; did you mean `wait`?"),
        (
            "wait: 3 days",
            "name: x",
            "steps[1]: does not say what it is; add one of `wait`, `send`, `filter`, `branch`, `split`, `hold_out`, `exit`",
        ),
        (
            "wait: 3 days",
            "{wait: 3 days, send: hello}",
            "steps[1]: has both `send` and `wait`; keep one of them; two things are two items of a list",
        ),
        (
            "wait: 3 days",
            "{wait: 3 days, else: x}",
            "steps[1].else: unknown key `else`; remove it, the keys here are `name`, `next`, `wait`",
        ),
        ("wait: 3 days", "wait:", "steps[1].wait: has no value; give it one, or remove the line"),
        ("kind: workflow", "kind: work flow", "kind: `work flow` is not known here; did you mean `workflow`?"),
        (
            "kind: workflow",
            "kind: newsletter",
            "kind: `newsletter` is not known here; write one of `transactional`, `behavioural`, `workflow`",
        ),
        ("name: Test", "nmae: Test", "nmae: unknown key `nmae`; did you mean `name`?"),
        ("name: Test\n", "", "`name` is missing; add `name:`"),
        ("name: Test", "name: 5", "name: is a number, not a text; put it in quotes: `\"5\"`"),
        (
            "name: Test",
            "name: Test\nid: welcome",
            "id: `welcome` is not a campaign's id; write `cmp_` and letters, digits or dashes, as in `cmp_welcome`",
        ),
        ("event: Signed up", "evnt: Signed up", "trigger.evnt: unknown key `evnt`; did you mean `event`?"),
        ("event: Signed up", "event: 404", "trigger.event: is a number, not a text; put it in quotes: `\"404\"`"),
        ("event: Signed up", "event: _", "trigger.event: must not be empty; write the event's name as it is tracked"),
        ("subject: Hello", "subject: {a: b}", "messages.hello.subject: is keys with values, not a text; write a text"),
        ("subject: Hello, ", "", "messages.hello: `subject` is missing; add `subject:`"),
        (
            "text: '",
            "html: {file: helo.html}, text: '",
            "messages.hello.html.file: there is no file `helo.html`; did you mean `hello.html`?",
        ),
        (
            "steps:",
            "transactional: yes\nsteps:",
            "transactional: is a text, not `true` or `false`; write `true` or `false`",
        ),
        (
            "  - send: hello\n  - wait: 3 days\n",
            "  send: hello\n",
            "steps: is keys with values, not a list; write a list, each item on a line of its own after `- `",
        ),
    ];
    for (from, to, expected) in table {
        let found = spoilt(from, to);
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{to}: {found:#?}");
    }
}

#[test]
fn a_problem_names_its_line() {
    let files = |text: String| BTreeMap::from([("x.yaml".to_owned(), text)]);
    let table = [
        ("wait: 3 days", "wait: 3", "error: x.yaml:9: steps[1].wait: "),
        ("send: hello", "send: helo", "error: x.yaml:8: steps[0].send: "),
        ("{{ user.name }}", "{{ usr.name }}", "warning: x.yaml:6: messages.hello.text: "),
        ("name: Test\n", "", "error: x.yaml: `name` is missing"),
    ];
    for (from, to, expected) in table {
        let found = folder(&files(GOOD.replace(from, to))).problems;
        assert!(found.iter().any(|problem| problem.to_string().starts_with(expected)), "{to}: {found:#?}");
    }
}

#[test]
fn all_misfits_are_found_at_once() {
    let text = GOOD
        .replace("name: Test", "nmae: Test")
        .replace("wait: 3 days", "wait: 3")
        .replace("event: Signed up", "evnt: Signed up");
    assert_eq!(problems(&text).len(), 5, "{:#?}", problems(&text));
}

#[test]
fn a_condition_that_does_not_fit_says_how_it_should_read() {
    let table = [
        (
            "{property: plan, equals: pro}",
            ".property: `plan` does not say whose property it is; write `user.plan` or `event.plan`",
        ),
        ("{property: user.plan}", ": does not say what it is; add one of `is_set`, `equals`, "),
        ("{property: user.plan, equal: pro}", ".equal: unknown key `equal`; did you mean `equals`?"),
        ("{property: user.plan, equals: pro, contains: x}", ": has both `contains` and `equals`; keep one of them"),
        (
            "{property: user.plan, equals: [a]}",
            ".equals: is a list, not `true` or `false` or a number or a text; write",
        ),
        (
            "{property: user.age, greater_than: ten}",
            ".greater_than: `ten` is neither a number nor a date; write a number without quotes, or a date",
        ),
        (
            "{property: user.at, in_the_last: 7}",
            ".in_the_last: `7` has no unit; write `7 minutes`, `7 hours` or `7 days`",
        ),
        ("{tags: vip}", ".tags: unknown key `tags`; did you mean `tag`?"),
        (
            "{triggered: X, at_least: two}",
            ".at_least: is a text, not a whole number from 0 on; write a whole number from 0 on",
        ),
        (
            "{triggered: X, at_least: -1}",
            ".at_least: is a number, not a whole number from 0 on; write a whole number from 0 on",
        ),
        ("{triggered: X, since: now}", ".since: `now` is not known here; write one of `trigger`"),
        ("{any: [{tga: vip}]}", ".any[0].tga: unknown key `tga`; did you mean `tag`?"),
        ("vip", ": is a text, not keys with values; write keys with values"),
        ("{any: []}", ".any: the group is empty; add a condition, or remove the group"),
        ("{tag: ''}", ": the tag is empty; name a tag"),
        (
            "{property: user.x, contains: ''}",
            ": every text contains the empty text; write the text to look for, or use `is_set`",
        ),
        (
            "{triggered: X, within: 500 days}",
            ".within: 1 year 135 days is longer than events are counted by day; write at most `400 days`, or leave it out: ever",
        ),
        (
            "{triggered: X, at_least: 3, at_most: 2}",
            ": no count is at least 3 and at most 2; turn them round, or keep one of them",
        ),
        ("{triggered: X, at_least: 0}", ".at_least: at least 0 times is always true; write `exactly: 0` for never"),
    ];
    for (condition, expected) in table {
        let found = spoilt("wait: 3 days", &format!("filter: [{condition}]"));
        let start = format!("error: x.yaml: steps[1].filter[0]{expected}");
        assert!(found.iter().any(|problem| problem.starts_with(&start)), "{condition}: {found:#?}");
    }
}

#[test]
fn conditions_nest_only_so_deep() {
    let nested = |depth: usize| format!("filter: [{}{{tag: a}}{}]", "{not: ".repeat(depth - 1), "}".repeat(depth - 1));
    assert_eq!(spoilt("wait: 3 days", &nested(crate::limits::CONDITION_DEPTH)), [""; 0]);
    let found = spoilt("wait: 3 days", &nested(crate::limits::CONDITION_DEPTH + 1));
    assert!(found[0].ends_with("conditions are nested more than 8 levels deep; say it with fewer groups"), "{found:?}");
}

#[test]
fn what_is_referred_to_must_be_there() {
    let table = [
        (
            "send: hello",
            "send: helo",
            "error: x.yaml: steps[0].send: there is no message `helo`; did you mean `hello`?",
        ),
        (
            "wait: 3 days",
            "{wait: 3 days, next: hullo}",
            "error: x.yaml: steps[1].next: there is no step `hullo`; did you mean `hello`?",
        ),
        (
            "wait: 3 days",
            "{filter: [{tag: a}], else: nowhere}",
            "error: x.yaml: steps[1].else: there is no step `nowhere`; the steps are `hello`, `filter-2`",
        ),
        (
            "{{ user.name }}",
            "{% render ''foot'' %}",
            "error: x.yaml: messages.hello.text: there is no partial `foot`; add the file `partials/foot.liquid`",
        ),
        (
            "from: Ann <ann@example.com>\n",
            "",
            "warning: x.yaml: messages.hello: the project's sender is used, if it names one; add `from: Name <name@example.com>` to the message or to the campaign, unless the project names one",
        ),
        (
            "Ann <ann@example.com>",
            "Ann",
            "error: x.yaml: from: `Ann` is not `name <address>` or a valid address; write `name@example.com` or `Name <name@example.com>`",
        ),
        (
            ", text: 'Hi {{ user.name }} {{ url.unsubscribe }}'",
            "",
            "error: x.yaml: messages.hello: the message has no body; add `html:` or `text:`",
        ),
        (
            "subject: Hello",
            "subject: ' '",
            "error: x.yaml: messages.hello.subject: the subject is empty or has more than one line; write one line",
        ),
        (
            "wait: 3 days",
            "{name: b, wait: 3 days}\n  - {name: b, send: hello}",
            "error: x.yaml: steps[2].name: another step is called `b`, too; give each step a name of its own",
        ),
        (
            "wait: 3 days",
            "{name: '', wait: 3 days}",
            "error: x.yaml: steps[1].name: the name is empty, longer than 254 bytes, or has a control character; write a short name like `welcome-2`",
        ),
        (
            "wait: 3 days",
            "{exit: done, next: hello}",
            "error: x.yaml: steps[1].next: nothing comes after an `exit`; remove `next`",
        ),
    ];
    for (from, to, expected) in table {
        let found = spoilt(from, to);
        assert!(found.iter().any(|problem| problem == expected), "{to}: {found:#?}");
    }
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
fn a_campaign_that_loops_for_ever_is_refused_with_the_loop() {
    let table = [
        (
            "- {name: a, send: hello, next: a}",
            "steps[0]: loops for ever without waiting: a → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, send: hello}\n  - {name: b, filter: [{tag: x}], next: a}",
            "steps[1]: loops for ever without waiting: a → b → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, filter: [{tag: x}], else: c}\n  - {name: b, send: hello}\n  - {name: c, send: hello, next: a}",
            "steps[2]: loops for ever without waiting: a → b → c → a; put a `wait` into the loop, or lead it on",
        ),
        (
            "- {name: a, send: hello}\n  - {name: b, wait: 7 days, next: a}",
            "steps[0]: loops for ever: no run leaves a, b; put a `filter` into the loop that ends it",
        ),
    ];
    for (steps, expected) in table {
        let found = spoilt("- send: hello\n  - wait: 3 days", steps);
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{steps}: {found:#?}");
    }
    let weekly = "- {name: a, send: hello}\n  - wait: 7 days\n  - {filter: [{no_tag: x}], next: a}";
    assert_eq!(spoilt("- send: hello\n  - wait: 3 days", weekly), [""; 0]);
}

#[test]
fn the_keys_must_belong_to_the_kind() {
    let single = "name: T\nkind: behavioural\ntrigger: {event: X}\nfrom: a@example.com\n";
    let table = [
        (
            GOOD.replace("kind: workflow", "kind: behavioural"),
            "steps: only a workflow has steps and several messages; write `kind: workflow`, or keep one `message`",
        ),
        (GOOD.replace("steps:", "wait: 1 day\nsteps:"), "wait: a workflow has no `wait` of its own; make it a step"),
        (
            single.to_owned(),
            "message: the campaign has no message; add `message:` with a `subject` and an `html` or `text` body",
        ),
        (
            format!("{single}transactional: true\nmessage: {{subject: s, text: t}}\n"),
            "transactional: only a workflow is made transactional this way; remove the line, or write `kind: transactional`",
        ),
        (
            single.replace("behavioural", "workflow"),
            "steps: a workflow needs at least one step; add `steps:` with a step like `- send: NAME`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(problems(&text), [format!("error: x.yaml: {expected}")]);
    }
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
fn a_choice_that_is_none_or_does_not_add_up_is_refused() {
    let table = [
        (
            "{branch: []}",
            "steps[1].branch: the branch has no arms; add one like `{when: [{tag: vip}], to: STEP}`, or remove the step",
        ),
        (
            "{branch: [{when: [], to: end}]}",
            "steps[1].branch[0].when: the arm has no conditions; add one, or lead there by `else`",
        ),
        ("{split: []}", "steps[1].split: the shares add up to 0 percent; make them 100"),
        (
            "{split: [{percent: 33.33, to: end}, {percent: 66.66, to: end}]}",
            "steps[1].split: the shares add up to 99.99 percent; make them 100",
        ),
        (
            "{split: [{percent: 100, to: end}], next: end}",
            "steps[1].next: nothing comes after a `split`; remove `next`",
        ),
        (
            "{split: [{percent: 100, to: hullo}]}",
            "steps[1].split[0].to: there is no step `hullo`; did you mean `hello`?",
        ),
        (
            "{branch: [{when: [{tag: a}], to: nowhere}]}",
            "steps[1].branch[0].to: there is no step `nowhere`; the steps are `hello`, `branch-2`, `end`",
        ),
        (
            "hold_out: 101",
            "steps[1].hold_out: 101 is not a part of a hundred; write a number from 0.01 to 100 with two decimals at most",
        ),
        ("hold_out: ten", "steps[1].hold_out: is a text, not a number; write a number"),
        ("split: [{percent: 50}]", "steps[1].split[0]: `to` is missing; add `to:`"),
        ("branch: [{to: hello}]", "steps[1].branch[0]: `when` is missing; add `when:`"),
    ];
    for (step, expected) in table {
        let found = spoilt("wait: 3 days\n", &format!("{step}\n  - {{name: end, exit: over}}\n"));
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{step}: {found:#?}");
    }
    let fine = "{split: [{percent: 33.33, to: end}, {percent: 66.67, to: end}]}\n  - {name: end, exit: over}\n";
    assert_eq!(spoilt("wait: 3 days\n", fine), [""; 0]);
}

#[test]
fn a_wait_of_any_kind_is_told_what_is_wrong_with_it() {
    let schema = schemars::schema_for!(crate::wait::Wait).to_value();
    let table = [
        (json!("31 days"), vec![]),
        (json!({"until": "9:00", "for": "2 days", "on": ["monday"], "if_passed": "next_day"}), vec![]),
        (json!({"date": "user.renewal_at", "before": "3 days", "at": "9:00", "yearly": true, "else": "x"}), vec![]),
        (json!({"window": {"from": "22:00", "to": "6:00", "on": ["friday"]}}), vec![]),
        (json!({"between": ["1 hour", "3 hours"]}), vec![]),
        (json!(3), vec!["`3` has no unit; write `3 minutes`, `3 hours` or `3 days`"]),
        (json!("soon"), vec!["`soon` is not a duration; write one like `20 minutes`, `31 days` or `1 day 2 hours`"]),
        (json!({}), vec!["does not say what it is; add one of `until`, `date`, `window`, `between`"]),
        (json!({"untill": "9:00"}), vec!["untill: unknown key `untill`; did you mean `until`?"]),
        (
            json!({"until": "9:00", "window": {}}),
            vec!["has both `until` and `window`; keep one of them; two things are two items of a list"],
        ),
        (
            json!({"until": "9:00", "at": "9:00"}),
            vec!["at: unknown key `at`; remove it, the keys here are `for`, `if_passed`, `on`, `until`"],
        ),
        (
            json!({"until": "24:00"}),
            vec!["until: `24:00` is not a time of day; write `0:00`, the midnight at which a day begins, or `23:59`"],
        ),
        (
            json!({"until": 900}),
            vec![
                "until: `900` is not a time of day; write hours and minutes in quotes, as in `\"9:00\"` or `\"18:30\"`",
            ],
        ),
        (json!({"until": "9:00", "on": []}), vec!["on: has 0 items; write at least 1, or remove the line"]),
        (json!({"until": "9:00", "on": ["mondey"]}), vec!["on[0]: `mondey` is not known here; did you mean `monday`?"]),
        (
            json!({"until": "9:00", "if_passed": "skip"}),
            vec!["if_passed: `skip` is not known here; write one of `go_on`, `next_day`"],
        ),
        (json!({"window": {"from": "8:00"}}), vec!["window: `to` is missing; add `to:`"]),
        (json!({"between": ["1 hour"]}), vec!["between: has 1 item; write 2 of them"]),
        (
            json!({"between": ["1 hour", 3]}),
            vec!["between[1]: `3` has no unit; write `3 minutes`, `3 hours` or `3 days`"],
        ),
        (
            json!({"date": "renewal_at"}),
            vec!["date: `renewal_at` does not say whose property it is; write `user.renewal_at` or `event.renewal_at`"],
        ),
    ];
    for (form, expected) in table {
        let expected: Vec<String> = expected.iter().map(|problem| format!("error: {problem}")).collect();
        assert_eq!(shown(&shape::check(&schema, &form)), expected, "{form}");
        let read = serde_json::from_value::<crate::wait::Wait>(form.clone());
        assert!(!expected.is_empty() || read.is_ok(), "{form}: {read:?}");
    }
}

#[test]
fn too_many_steps_are_refused() {
    let many = "  - send: hello\n".repeat(crate::limits::STEPS + 1);
    let found = spoilt("  - send: hello\n", &many);
    assert!(found[0].contains("there are 202 steps, more than 200; split the workflow in two"), "{found:?}");
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
