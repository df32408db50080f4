//! Rules by which nobody enters, or that change nothing, are told.

use super::*;

/// What is said of a workflow with these lines of its own.
fn said(lines: &str) -> Vec<String> {
    problems(&format!("name: T\nkind: workflow\n{lines}\nmessages: {{}}\nsteps:\n- exit: x\n"))
}

#[test]
fn a_rule_by_which_nobody_enters_is_refused() {
    let event = "trigger: {event: E}\n";
    let (enters, leaves) = ("trigger: {enters: [{tag: a}]}\n", "trigger: {leaves: [{tag: a}]}\n");
    let (date, api) = ("trigger: {date: user.birthday, yearly: true}\n", "trigger: {api: true}\n");
    let no_event = |key: &str| {
        format!(
            "error: x.yaml: entry.key: no event starts the campaign, and without `{key}` nobody enters; remove the key, or start the campaign with an event"
        )
    };
    let always = "warning: x.yaml: entry.key: nothing is asked for each key: `again` is `always`; add `again: never` or `again: when_over`, or remove the key";
    let table = [
        (
            event,
            "entry: {per_day: 0}",
            Some("error: x.yaml: entry.per_day: is 0; write at least 1, or remove the line".to_owned()),
        ),
        (
            event,
            "entry: {total: 0}",
            Some("error: x.yaml: entry.total: is 0; write at least 1, or remove the line".to_owned()),
        ),
        (event, "entry: {per_day: 1, total: 1}", None),
        (
            event,
            "exits: {goal: true}",
            Some(
                "error: x.yaml: exits.goal: there is no goal to reach; add `goal: {event: NAME}`, or remove the line"
                    .to_owned(),
            ),
        ),
        (event, "exits: {goal: true}\ngoal: {event: Y}", None),
        (enters, "entry: {key: event.cart, again: never}", Some(no_event("event.cart"))),
        (leaves, "entry: {key: event.cart, again: never}", Some(no_event("event.cart"))),
        (date, "entry: {key: event.cart, again: never}", Some(no_event("event.cart"))),
        (date, "entry: {key: event.date, again: never}", None),
        (api, "entry: {key: event.cart, again: when_over}", None),
        (event, "entry: {key: event.cart, again: {after: 1 day}}", None),
        (event, "entry: {key: event.cart}", Some(always.to_owned())),
        (event, "entry: {key: event.cart, per_day: 3}", Some(always.to_owned())),
    ];
    for (trigger, lines, expected) in table {
        assert_eq!(said(&format!("{trigger}{lines}")), expected.into_iter().collect::<Vec<_>>(), "{trigger}{lines}");
    }
}
