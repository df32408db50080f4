use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::campaign::{check as check_all, from_json};

mod certain;
mod crossing;

/// A workflow that asks something everywhere, by the lists given; the others are empty.
fn workflow(lists: &Value) -> Campaign {
    let list = |name: &str| lists.get(name).cloned().unwrap_or_else(|| json!([]));
    let mut steps = vec![json!({"send": "hello", "conditions": list("send")})];
    if lists.get("filter").is_some() {
        steps.push(json!({"filter": list("filter")}));
    }
    if lists.get("else").is_some() {
        steps.push(json!({"filter": list("else"), "else": "end"}));
    }
    if let Some(arms) = lists.get("branch").and_then(Value::as_array) {
        let arms: Vec<Value> = arms.iter().map(|when| json!({"when": when, "to": "end"})).collect();
        steps.push(json!({"branch": arms}));
    }
    if lists.get("wait_for").is_some() {
        steps.push(json!({"wait_for": {"event": "Y", "filters": list("wait_for")}, "within": "1 day"}));
    }
    if lists.get("wait_until").is_some() {
        steps.push(json!({"wait_until": list("wait_until"), "within": "1 day"}));
    }
    steps.push(json!({"name": "end", "exit": "over"}));
    from_json(json!({
        "goal": {"event": "Y", "filters": list("goal")}, "exits": {"unless": list("unless")},
        "id": "cmp_x", "name": "x", "kind": "workflow", "from": "a@example.com", "transactional": true,
        "trigger": {"event": "Purchased item", "filters": list("trigger")},
        "conditions": list("campaign"),
        "messages": {"hello": {"subject": "s", "text": "t", "conditions": list("message")}},
        "steps": steps,
    }))
    .expect("a campaign")
}

/// Problems as they are shown.
fn found(lists: &Value) -> Vec<String> {
    let shown = check_all(&workflow(lists)).iter().map(ToString::to_string).collect::<Vec<_>>();
    // Said of what is asked of the trigger alone, whether it contradicts itself or not.
    shown.into_iter().filter(|problem| !problem.contains("can change while a run waits")).collect()
}

/// Whether a list that everything hangs on is refused.
fn is_refused(list: &Value) -> bool {
    found(&json!({ "filter": list })).iter().any(|problem| problem.starts_with("error: "))
}

/// A text of YAML as a list of conditions.
fn list(text: &str) -> Value {
    serde_saphyr::from_str(&format!("[{text}]")).expect(text)
}

#[test]
fn conditions_that_contradict_each_other_are_refused() {
    let table = [
        "{property: user.a, equals: a}, {property: user.a, equals: b}",
        "{property: user.a, equals: 5}, {property: user.a, equals: '5'}",
        "{property: user.a, equals: true}, {property: user.a, equals: false}",
        "{property: user.a, equals: a}, {property: user.a, not_equals: a}",
        "{property: user.a, equals: 1}, {property: user.a, not_equals: 1.0}",
        "{property: user.a, equals: 9007199254740993}, {property: user.a, not_equals: 9007199254740993}",
        "{property: user.a, is_set: true}, {property: user.a, is_set: false}",
        "{property: user.a, is_set: false}, {property: user.a, equals: a}",
        "{property: user.a, is_set: false}, {property: user.a, contains: a}",
        "{property: user.a, is_set: false}, {property: user.a, does_not_contain: a}",
        "{property: user.a, is_set: false}, {property: user.a, greater_than: 1}",
        "{property: user.a, is_set: false}, {property: user.a, in_the_last: 7 days}",
        "{property: user.a, greater_than: 10}, {property: user.a, less_than: 5}",
        "{property: user.a, less_than: 10}, {property: user.a, greater_than: 10}",
        "{property: user.a, greater_than: 10}, {property: user.a, equals: 10}",
        "{property: user.a, less_than: 10}, {property: user.a, equals: 10.5}",
        "{property: user.a, greater_than: 2027-01-31}, {property: user.a, less_than: 2027-01-31}",
        "{property: user.a, greater_than: 2027-01-31}, {property: user.a, equals: 2027-01-30}",
        "{property: user.a, greater_than: 2027-01-31}, {property: user.a, equals: soon}",
        "{property: user.a, greater_than: 2027-01-31}, {property: user.a, greater_than: 5}",
        "{property: user.a, contains: an}, {property: user.a, greater_than: 5}",
        "{property: user.a, equals: 5}, {property: user.a, contains: '5'}",
        "{property: user.a, equals: anna}, {property: user.a, contains: bo}",
        "{property: user.a, equals: anna}, {property: user.a, does_not_contain: nn}",
        "{property: user.a, contains: anna}, {property: user.a, does_not_contain: nn}",
        "{property: user.a, contains: anna}, {not: {property: user.a, contains: nn}}",
        "{property: user.a, in_the_last: 7 days}, {property: user.a, greater_than: 5}",
        "{property: user.a, in_the_next: 7 days}, {property: user.a, equals: soon}",
        "{property: user.a, in_the_next: 7 days}, {not: {property: user.a, in_the_next: 1 week}}",
        "{property: user.a, equals: a}, {not: {property: user.a, is_set: true}}",
        "{not: {property: user.a, not_equals: a}}, {property: user.a, equals: b}",
        "{tag: vip}, {no_tag: vip}",
        "{tag: vip}, {not: {tag: vip}}",
        "{no_tag: vip}, {not: {no_tag: vip}}",
        "{triggered: X}, {triggered: x, exactly: 0}",
        "{triggered: X, at_least: 3}, {triggered: X, at_most: 2}",
        "{triggered: X, exactly: 3, within: 7 days}, {triggered: X, exactly: 2, within: 1 week}",
        "{triggered: X, since: trigger}, {triggered: X, exactly: 0, since: trigger}",
        "{triggered: X}, {not: {triggered: X}}",
        "{triggered: X, at_least: 2}, {not: {triggered: X, at_least: 2}}",
        "{not: {triggered: X, at_most: 2}}, {triggered: X, exactly: 2}",
        "{all: [{tag: vip}, {all: [{no_tag: vip}]}]}",
        "{all: [{tag: vip}]}, {not: {any: [{tag: vip}, {tag: beta}]}}",
        "{any: [{tag: a}, {tag: b}]}, {no_tag: a}, {no_tag: b}",
        "{any: [{tag: a}, {all: [{tag: b}, {no_tag: b}]}]}, {no_tag: a}",
        "{tag: a}, {tag: b}, {not: {all: [{tag: a}, {tag: b}]}}",
        "{tag: a}, {any: [{any: [{no_tag: a}]}]}",
    ];
    for text in table {
        assert!(is_refused(&list(text)), "{text}");
        let mut turned = list(text);
        turned.as_array_mut().expect("a list").reverse();
        assert!(is_refused(&turned), "{turned}");
    }
}

#[test]
fn what_could_hold_is_left_alone() {
    let table = [
        "{property: user.a, equals: a}, {property: user.b, equals: b}",
        "{property: user.a, equals: a}, {property: event.a, equals: b}",
        "{property: user.a, equals: a}, {property: user.a.b, equals: b}",
        "{property: user.a, equals: a}, {property: user.a, equals: a}",
        "{property: user.a, equals: 1}, {property: user.a, equals: 1.0}",
        "{property: user.a, equals: a}, {property: user.a, not_equals: A}",
        "{property: user.a, not_equals: a}, {property: user.a, not_equals: b}",
        "{property: user.a, not_equals: a}, {property: user.a, is_set: false}",
        "{property: user.a, is_set: true}, {property: user.a, equals: a}",
        "{property: user.a, is_set: true}, {property: user.a, equals: false}",
        "{property: user.a, is_set: true}, {property: user.a, in_the_next: 7 days}",
        "{property: user.a, greater_than: 5}, {property: user.a, less_than: 10}",
        "{property: user.a, greater_than: 10}, {property: user.a, equals: 11}",
        "{property: user.a, greater_than: 2027-01-31}, {property: user.a, equals: 2027-02-01}",
        "{property: user.a, greater_than: 2027-01-30}, {property: user.a, less_than: 2027-01-31}",
        "{property: user.a, contains: a}, {property: user.a, contains: b}",
        "{property: user.a, contains: a}, {property: user.a, does_not_contain: an}",
        "{property: user.a, contains: '2027'}, {property: user.a, greater_than: 2027-01-31}",
        "{property: user.a, equals: anna}, {property: user.a, contains: nn}",
        "{property: user.a, in_the_last: 7 days}, {property: user.a, in_the_next: 7 days}",
        "{property: user.a, in_the_last: 7 days}, {not: {property: user.a, in_the_last: 6 days}}",
        "{property: user.a, in_the_last: 7 days}, {property: user.a, equals: 2020-01-01}",
        "{property: user.a, in_the_next: 7 days}, {property: user.a, less_than: 2020-01-01}",
        "{not: {property: user.a, greater_than: 10}}, {property: user.a, is_set: false}",
        "{not: {property: user.a, greater_than: 10}}, {not: {property: user.a, less_than: 20}}",
        "{not: {property: user.a, contains: a}}, {property: user.a, equals: 5}",
        "{property: user.a, equals: 9007199254740992}, {property: user.a, equals: 9007199254740993}",
        "{tag: vip}, {no_tag: VIP}",
        "{tag: vip}, {tag: beta}",
        "{triggered: X}, {triggered: Z, exactly: 0}",
        "{triggered: X}, {triggered: X, exactly: 0, within: 30 days}",
        "{triggered: X}, {triggered: X, exactly: 0, since: trigger}",
        "{triggered: X, at_least: 2}, {triggered: X, at_most: 2}",
        "{not: {triggered: X, exactly: 2}}, {triggered: X, at_least: 1}",
        "{triggered: Purchased item, exactly: 0, since: trigger}",
        "{triggered: Purchased item, exactly: 0, within: 7 days}",
        "{triggered: Purchased item, exactly: 1}",
        "{any: [{tag: vip}, {no_tag: vip}]}",
        "{not: {all: [{tag: vip}, {no_tag: vip}]}}",
        "{any: [{tag: a}, {tag: b}]}, {no_tag: a}, {tag: c}, {any: [{no_tag: d}]}",
        "{property: user.email, contains: '@'}, {property: user.email, is_set: true}",
        "{property: user.email, is_set: false}",
        "{property: user.id, greater_than: 2027-01-31}",
        "{property: user.timezone, less_than: 2}",
        "{property: event.email, greater_than: 5}",
    ];
    for text in table {
        let refused: Vec<String> =
            found(&json!({"filter": list(text)})).into_iter().filter(|problem| problem.starts_with("error")).collect();
        assert_eq!(refused, [""; 0], "{text}");
    }
}

#[test]
fn a_contradiction_names_both_conditions_and_how_to_mend_it() {
    let (a, b) = ("{property: event.plan, equals: a}", "{property: event.plan, equals: b}");
    let both = list(&format!("{a}, {b}"));
    let (a, b) = (list(a), list(b));
    let says = |severity: &str, later: &str, earlier: &str| {
        let what = format!("never holds together with `event.plan equals \"a\"` ({earlier})");
        vec![format!("{severity}: {later}: {what}; keep one of them, or put both into an `any`")]
    };
    let asked_for = |later: &str| {
        let what = "never holds: the trigger asks for `event.plan equals \"a\"` (trigger.filters[0])";
        vec![format!("warning: {later}: {what}; change it or the trigger, or remove it")]
    };
    let table = [
        (json!({"trigger": both}), says("error", "trigger.filters[1]", "trigger.filters[0]")),
        (json!({"campaign": both}), says("error", "conditions[1]", "conditions[0]")),
        (json!({"message": both}), says("error", "messages.hello.conditions[1]", "messages.hello.conditions[0]")),
        (json!({"send": both}), says("error", "steps[0].conditions[1]", "steps[0].conditions[0]")),
        (json!({"campaign": a, "message": b}), says("error", "messages.hello.conditions[0]", "conditions[0]")),
        (json!({"campaign": a, "send": b}), says("error", "steps[0].conditions[0]", "conditions[0]")),
        (json!({"message": a, "send": b}), says("error", "steps[0].conditions[0]", "messages.hello.conditions[0]")),
        (json!({"filter": both}), says("error", "steps[1].filter[1]", "steps[1].filter[0]")),
        (json!({"else": both}), says("warning", "steps[1].filter[1]", "steps[1].filter[0]")),
        (json!({"branch": [both]}), says("warning", "steps[1].branch[0].when[1]", "steps[1].branch[0].when[0]")),
        (json!({"unless": both}), says("error", "exits.unless[1]", "exits.unless[0]")),
        (json!({"goal": both}), says("warning", "goal.filters[1]", "goal.filters[0]")),
        (
            json!({"wait_for": both}),
            says("warning", "steps[1].wait_for.filters[1]", "steps[1].wait_for.filters[0]"),
        ),
        (json!({"wait_until": both}), says("warning", "steps[1].wait_until[1]", "steps[1].wait_until[0]")),
        (json!({"trigger": a, "wait_for": b, "goal": b}), vec![]),
        (json!({"trigger": a, "wait_until": b}), asked_for("steps[1].wait_until[0]")),
        (json!({"trigger": a, "unless": b}), asked_for("exits.unless[0]")),
        (json!({"unless": a, "campaign": b}), vec![]),
        (json!({"campaign": a, "filter": b}), vec![]),
        (json!({"filter": a, "else": b}), vec![]),
        (json!({"branch": [a, b]}), vec![]),
        (json!({"trigger": a, "campaign": b}), asked_for("conditions[0]")),
        (json!({"trigger": a, "send": b}), asked_for("steps[0].conditions[0]")),
        (json!({"trigger": a, "filter": b}), asked_for("steps[1].filter[0]")),
        (json!({"trigger": a, "branch": [a, b]}), asked_for("steps[1].branch[1].when[0]")),
        (
            json!({"branch": [a, b, a]}),
            vec!["warning: steps[1].branch[2].when: is never asked: `branch[0]` has the same conditions; change one of them, or remove this arm".to_owned()],
        ),
        (
            json!({"filter": list("{tag: a}, {any: [{no_tag: a}, {tag: b}]}")}),
            vec!["warning: steps[1].filter[1].any[0]: never holds together with `has the tag \"a\"` (steps[1].filter[0]); keep one of them, or put both into an `any`".to_owned()],
        ),
        (
            json!({"filter": list("{not: {tag: a}}, {tag: a}")}),
            vec!["error: steps[1].filter[1]: never holds together with `not (has the tag \"a\")` (steps[1].filter[0].not); keep one of them, or put both into an `any`".to_owned()],
        ),
    ];
    for (lists, expected) in table {
        assert_eq!(found(&lists), expected, "{lists}");
    }
}

#[test]
fn what_may_change_after_the_trigger_is_no_contradiction() {
    let table = [
        ("{property: user.plan, equals: a}", "{property: user.plan, equals: b}"),
        ("{tag: vip}", "{no_tag: vip}"),
        ("{triggered: X}", "{triggered: X, exactly: 0}"),
        ("{property: event.at, in_the_next: 7 days}", "{not: {property: event.at, in_the_next: 7 days}}"),
        ("{property: event.a, equals: 1}", "{property: event.a, greater_than: 0}"),
    ];
    for (trigger, later) in table {
        for place in ["campaign", "message", "send", "filter"] {
            assert_eq!(found(&json!({"trigger": list(trigger), place: list(later)})), [""; 0], "{trigger} {later}");
        }
    }
    let (trigger, later) =
        (list("{property: event.at, in_the_next: 7 days}"), list("{property: event.at, less_than: 5}"));
    assert_eq!(found(&json!({"trigger": trigger, "filter": later})).len(), 1, "a date is never a number");
}

#[test]
fn the_first_time_is_once_since_the_trigger_counts() {
    let first = list("{triggered: purchased_item, exactly: 0}");
    let expected = "never holds: the event that triggers the campaign counts, too; write `exactly: 1` for the first time, or `since: trigger`";
    for (place, path) in
        [("trigger", "trigger.filters[0]"), ("send", "steps[0].conditions[0]"), ("filter", "steps[1].filter[0]")]
    {
        assert_eq!(found(&json!({ place: first })), [format!("warning: {path}: {expected}")]);
    }
}

#[test]
fn a_property_that_we_know_is_not_asked_for_what_it_is_not() {
    let table = [
        ("{property: user.email, greater_than: 5}", Some("`user.email` is an address")),
        ("{property: user.email, in_the_last: 7 days}", Some("`user.email` is an address")),
        ("{property: user.email, equals: true}", Some("`user.email` is an address")),
        ("{property: user.id, equals: 7}", Some("`user.id` is a text")),
        ("{property: user.id, is_set: false}", Some("`user.id` is a text")),
        ("{property: user.ianaTimezone, less_than: 2}", Some("`user.ianaTimezone` is the name of a time zone")),
        ("{property: user.timezone, equals: false}", Some("`user.timezone` is a time zone or an offset")),
        ("{any: [{property: user.email, equals: 5}, {tag: a}]}", Some("`user.email` is an address")),
        ("{property: user.id, equals: '7'}", None),
        ("{not: {property: user.id, equals: 7}}", None),
        ("{property: user.email, does_not_contain: example.com}", None),
        ("{property: user.emails, greater_than: 5}", None),
        ("{property: user.timezone, equals: 5.5}", None),
        ("{property: user.timezone, contains: Europe}", None),
    ];
    for (text, expected) in table {
        let found = found(&json!({"filter": list(text)}));
        assert_eq!(found.len(), usize::from(expected.is_some()), "{text}: {found:?}");
        for problem in found {
            assert!(problem.starts_with("warning: steps[1].filter[0]"), "{problem}");
            assert!(
                problem.contains(&format!("never holds: {}; ask another", expected.unwrap_or_default())),
                "{problem}"
            );
        }
    }
}

#[test]
fn a_long_condition_is_shown_by_its_beginning() {
    let long = "x".repeat(10_000);
    let lists = json!({"filter": [{"property": "user.a", "equals": long}, {"property": "user.a", "is_set": false}]});
    assert!(found(&lists)[0].len() < 300);
}

#[test]
fn of_very_many_conditions_the_nearest_are_held_against_each_other() {
    let ask = |word: &str, value: &str| json!({"property": "user.a", word: value});
    let many = |between: usize| {
        let mut list = vec![ask("equals", "a")];
        list.extend((0..between).map(|_| ask("not_equals", "x")));
        list.push(ask("equals", "b"));
        is_refused(&Value::Array(list))
    };
    assert!(many(crate::limits::CONDITIONS_COMPARED - 1));
    assert!(!many(crate::limits::CONDITIONS_COMPARED));
}

#[test]
fn a_value_that_no_property_can_have_is_refused_before_anything_else() {
    let table = [
        ("equals: {a: b}", "equals: is keys with values"),
        ("equals: [a]", "equals: is a list"),
        ("not_equals: null", "not_equals: has no value"),
        ("contains: 5", "contains: is a number, not a text"),
        ("greater_than: true", "greater_than: `true` is neither a number nor a date"),
        ("less_than: soon", "less_than: `soon` is neither a number nor a date"),
        ("in_the_last: 2027-01-31", "in_the_last: `2027-01-31` is not a duration"),
        ("is_set: 'yes'", "is_set: is a text, not `true` or `false`"),
    ];
    for (asked, expected) in table {
        let campaign = json!({
            "id": "cmp_x", "name": "x", "kind": "transactional", "message": {"subject": "s", "text": "t"},
            "trigger": {"event": "X", "filters": list(&format!("{{property: user.a, {asked}}}"))},
        });
        let refused = from_json(campaign).expect_err(asked);
        let shown: Vec<String> = refused.iter().map(ToString::to_string).collect();
        assert!(shown[0].starts_with(&format!("error: trigger.filters[0].{expected}")), "{asked}: {shown:?}");
    }
}
