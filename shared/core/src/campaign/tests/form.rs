//! What does not fit the form of a campaign is told with its place and how to mend it.

use super::*;

#[test]
fn words_of_other_products_lead_to_ours() {
    let table = [
        ("wait: 3 days", "delay: 3 days", "steps[1].delay: unknown key `delay`; did you mean `wait`?"),
        ("wait: 3 days", "if: [{tag: vip}]", "steps[1].if: unknown key `if`; did you mean `filter`?"),
        ("send: hello", "{send: hello, if: [{tag: vip}]}", "steps[0].if: unknown key `if`; did you mean `conditions`?"),
        (
            "wait: 3 days",
            "branch: [{if: [{tag: vip}], to: hello}]",
            "steps[1].branch[0].if: unknown key `if`; did you mean `when`?",
        ),
        (
            "wait: 3 days",
            "{wait_for: {event: Bought}, timeout: 1 day}",
            "steps[1].timeout: unknown key `timeout`; did you mean `within`?",
        ),
        ("event: Signed up", "event: Signed up, if: []", "trigger.if: unknown key `if`; did you mean `filters`?"),
        (
            "send: hello",
            "{sned: hello, conditions: [{tag: vip}]}",
            "steps[0].sned: unknown key `sned`; did you mean `send`?",
        ),
    ];
    for (from, to, expected) in table {
        let found = spoilt(from, to);
        assert!(found.contains(&format!("error: x.yaml: {expected}")), "{to}: {found:#?}");
    }
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
            "steps[1]: does not say what it is; add one of `wait`, `wait_for`, `wait_until`, `send`, `filter`, `branch`, `split`, `hold_out`, `update`, `track`, `start`, `webhook`, `exit`",
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
    assert_eq!(problems(&text).len(), 4, "{:#?}", problems(&text));
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
