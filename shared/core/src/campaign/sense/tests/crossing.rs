//! The conditions that start a campaign when a person comes into them, or out of them.

use super::*;

/// What is said of a workflow that these conditions start.
fn said(word: &str, conditions: &str) -> Vec<String> {
    let campaign = json!({
        "id": "cmp_x", "name": "x", "kind": "workflow", "trigger": {word: list(conditions)}, "steps": [{"exit": "over"}],
    });
    check_all(&from_json(campaign).expect("a campaign")).iter().map(ToString::to_string).collect()
}

#[test]
fn conditions_that_nobody_comes_into_or_out_of_are_refused() {
    let keep = "keep one of them, or put both into an `any`";
    let ask = "ask for a property of the person (`user.…`), or start the campaign with an event and `filters`";
    let table = [
        (
            "{tag: a}, {no_tag: a}",
            vec![format!("error: [1]: never holds together with `has the tag \"a\"` ([0]); {keep}")],
        ),
        (
            "{property: user.age, greater_than: 5}, {property: user.age, less_than: 5}",
            vec![format!("error: [1]: never holds together with `user.age is greater than 5` ([0]); {keep}")],
        ),
        (
            "{property: event.plan, equals: pro}",
            vec![format!("error: [0]: never holds: no event is there whose `event.plan` is asked; {ask}")],
        ),
        (
            "{not: {property: event.plan, is_set: false}}",
            vec![format!("error: [0].not: never holds: no event is there whose `event.plan` is asked; {ask}")],
        ),
        (
            "{any: [{property: event.plan, equals: pro}, {tag: a}]}",
            vec![format!("warning: [0].any[0]: never holds: no event is there whose `event.plan` is asked; {ask}")],
        ),
        ("{tag: a}, {property: user.plan, equals: pro}, {property: event.plan, is_set: false}", vec![]),
    ];
    for (conditions, expected) in table {
        for word in ["enters", "leaves"] {
            let found = said(word, conditions);
            let plain = |problem: &String| problem.replace(&format!("trigger.{word}"), "");
            assert_eq!(found.iter().map(plain).collect::<Vec<_>>(), expected, "{word}: {conditions}");
        }
    }
}

#[test]
fn a_condition_that_comes_by_time_is_told_to_enter_nobody() {
    let table = [
        ("enters", "{triggered: Logged in, exactly: 0, within: 30 days}", true),
        ("enters", "{not: {triggered: Logged in, within: 30 days}}", true),
        ("enters", "{triggered: Logged in, at_most: 2, within: 30 days}", true),
        ("enters", "{property: user.trial_ends, in_the_next: 3 days}", true),
        (
            "enters",
            "{all: [{triggered: X, exactly: 0, within: 1 day}, {triggered: Z, exactly: 0, within: 1 day}]}",
            true,
        ),
        ("leaves", "{triggered: Logged in, within: 30 days}", true),
        ("leaves", "{property: user.seen, in_the_last: 3 days}", true),
        ("enters", "{triggered: Logged in, within: 30 days}", false),
        ("enters", "{triggered: Logged in, exactly: 3, within: 30 days}", false),
        ("enters", "{triggered: Logged in, exactly: 0}", false),
        ("enters", "{triggered: Logged in, exactly: 0, within: 30 days}, {tag: vip}", false),
        ("enters", "{property: user.seen, in_the_last: 3 days}", false),
        ("leaves", "{triggered: Logged in, exactly: 0, within: 30 days}", false),
        ("leaves", "{property: user.trial_ends, in_the_next: 3 days}", false),
        ("leaves", "{tag: vip}", false),
    ];
    for (word, conditions, warned) in table {
        let what = format!("warning: trigger.{word}: becomes so by time, and time alone enters nobody; ");
        let found = said(word, conditions);
        assert_eq!(found.iter().any(|problem| problem.starts_with(&what)), warned, "{word}: {conditions}: {found:?}");
    }
}

#[test]
fn a_condition_that_holds_for_whoever_is_new_is_told() {
    let table = [
        ("enters", "{triggered: Logged in, exactly: 0, within: 30 days}", true),
        ("enters", "{property: user.status, not_equals: active}", true),
        ("enters", "{no_tag: vip}, {property: user.plan, is_set: false}", true),
        ("enters", "{no_tag: vip}, {property: user.plan, is_set: true}", false),
        ("enters", "{triggered: Logged in, at_most: 2}, {triggered: Logged in}", false),
        ("leaves", "{property: user.status, not_equals: active}", false),
    ];
    for (word, conditions, warned) in table {
        let found = said(word, conditions);
        let is_told = found.iter().any(|problem| problem.contains("holds for everybody who is new"));
        assert_eq!(is_told, warned, "{word}: {conditions}: {found:?}");
    }
}

#[test]
fn what_asks_for_an_event_that_is_not_there_is_told() {
    let told = |trigger: serde_json::Value, value: &str| {
        let wait = json!({"wait_for": {"event": "Paid", "match": {"order": value}}, "within": "1 day"});
        let campaign = json!({"id": "cmp_x", "name": "x", "kind": "workflow", "trigger": trigger, "steps": [wait]});
        let found = check_all(&from_json(campaign).expect("a campaign"));
        found.iter().filter(|problem| problem.what.contains("is never there: a condition starts")).count()
    };
    let filters = |property: &str| json!([{"any": [{"property": property, "greater_than": 5}, {"tag": "vip"}]}]);
    let enters = |property: &str| json!({"enters": [{"tag": "a"}], "filters": filters(property)});
    assert_eq!(told(enters("event.total"), "event.order"), 2);
    assert_eq!(told(enters("user.total"), "journey.order"), 0);
    assert_eq!(told(json!({"event": "Bought", "filters": filters("event.total")}), "event.order"), 0);
}

#[test]
fn a_run_that_follows_the_date_that_started_it_is_told_that_another_will_too() {
    let steps = |date: &str| {
        let campaign = json!({
            "id": "cmp_x", "name": "x", "kind": "workflow", "trigger": {"date": "user.renews", "before": "30 days"},
            "steps": [{"wait": {"date": date, "before": "7 days"}}],
        });
        check_all(&from_json(campaign).expect("a campaign")).len()
    };
    assert_eq!((steps("user.renews"), steps("event.date"), steps("user.ends")), (1, 0, 0));
}
