use serde_json::json;

use super::*;
use crate::call::{Action, Call};
use crate::campaign::parse;
use crate::event_name::EventName;
use crate::hook::Fault;
use crate::ids::{EventId, UserId};

const SATURDAY: &str = "2026-11-21T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A campaign that something starts, its steps, and what is played through it.
struct Story {
    trigger: &'static str,
    steps: &'static str,
    event: &'static str,
    data: serde_json::Value,
    person: serde_json::Value,
    later: Vec<(&'static str, serde_json::Value)>,
    answers: Vec<Answer>,
}

impl Story {
    fn of(trigger: &'static str, steps: &'static str) -> Self {
        let (data, person) = (json!({}), json!({}));
        Self { trigger, steps, event: "Signed up", data, person, later: Vec::new(), answers: Vec::new() }
    }

    fn play(self) -> DryRun {
        let Self { trigger, steps, .. } = self;
        let text = format!(
            "name: Test\nkind: workflow\n{trigger}\nfrom: ann@example.com\nmessages:\n  a: {{subject: A, text: a, conditions: [{{no_tag: vip}}]}}\nsteps:\n{steps}"
        );
        let campaign = parse("x.yaml", &text, &std::collections::BTreeMap::new()).expect("a campaign");
        let (project, user) = (ProjectId::derive(&["p"]), UserId::parse("ann").expect("a user"));
        let mut profile = Profile::new(user.clone());
        let object = |value: serde_json::Value| value.as_object().cloned().expect("an object");
        let email = crate::email::Email::parse("ann@example.com").ok();
        let action =
            Action::Identify { email, properties: object(self.person), channels: Vec::new(), update_only: false };
        let now = at(SATURDAY);
        let id = EventId::derive(&["known"]);
        profile.apply(&Call { id, project: project.clone(), user, at: now, accepted_at: now, action });
        let (id, name) = (EventId::derive(&["trigger"]), EventName::parse(self.event).expect("a name"));
        let later = self.later.into_iter().map(|(after, action)| Later {
            after: Span::parse(after).expect("a span"),
            actions: vec![serde_json::from_value(action).expect("an action")],
        });
        let play = Play {
            project: &project,
            profile: &profile,
            event: &TriggerEvent { id, name, at: now, data: object(self.data) },
            later: &later.collect::<Vec<_>>(),
            answers: &self.answers,
            zone: &Zone::default(),
        };
        dry_run(campaign, &play)
    }
}

fn played(steps: &'static str, event: &'static str, person: serde_json::Value) -> DryRun {
    let trigger = "trigger: {event: Signed up, filters: [{property: user.plan, equals: free}]}";
    Story { event, person, ..Story::of(trigger, steps) }.play()
}

/// Why nobody enters.
fn kept_out(dry: &DryRun) -> &str {
    match &dry.entry {
        Decision::Fail(why) => why.as_str(),
        Decision::Pass => "enters",
    }
}

fn told(dry: &DryRun) -> Vec<String> {
    let tell = |stop: &Stop| {
        let held = stop.held_back.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        format!("{} {}: {}{held}", stop.at, stop.passed.step, stop.passed.what)
    };
    dry.stops.iter().map(tell).collect()
}

#[test]
fn a_dry_run_says_what_happens_when_and_why() {
    let steps = "- wait: {for: 2 days, until: \"9:00\", on: [tuesday]}\n- send: a\n- branch: [{when: [{tag: vip}], to: end}]\n- filter: [{tag: vip}]\n- {name: end, exit: over}\n";
    let dry = played(steps, "signed_up", json!({"plan": "free", "ianaTimezone": "America/New_York"}));
    assert_eq!(
        told(&dry),
        [
            "2026-11-21T09:00:00Z wait-1: waits: 2 days, then until 9:00 on tue, that is 2026-11-24T14:00:00Z",
            "2026-11-24T14:00:00Z a: sends `a`",
            "2026-11-24T14:00:00Z branch-3: no arm holds",
            "2026-11-24T14:00:00Z filter-4: not met: has the tag \"vip\"",
        ]
    );
    assert!(matches!(dry.end, Some(EndReason::Filtered { .. })));
    assert_eq!(dry.zone.zone.name(), "America/New_York");
}

#[test]
fn a_dry_run_says_why_an_event_does_not_enter() {
    assert_eq!(
        kept_out(&played("- send: a\n", "Signed up", json!({"plan": "pro"}))),
        "not met: user.plan equals \"free\""
    );
    let other = played("- send: a\n", "Bought", json!({"plan": "free"}));
    assert_eq!(kept_out(&other), "the campaign asks for `Signed up`, and this is `Bought`");
    assert!(other.stops.is_empty());
}

#[test]
fn a_dry_run_of_a_loop_is_cut_and_says_so() {
    let dry = played("- {name: again, send: a}\n- {wait: 1 day, next: again}\n", "Signed up", json!({"plan": "free"}));
    assert_eq!((dry.end, dry.stops.len()), (None, MOVES * 2));
}

#[test]
fn a_dry_run_says_what_was_over_and_what_is_no_date() {
    let steps = "- wait: {window: {from: \"8:00\", to: \"18:00\"}}\n- wait: {date: user.renewal_at, else: none}\n- exit: told\n- {name: none, exit: none}\n";
    let dry = played(steps, "Signed up", json!({"plan": "free", "renewal_at": 3}));
    assert_eq!(
        told(&dry),
        [
            "2026-11-21T09:00:00Z wait-1: does not wait (between 8:00 and 18:00): it is open",
            "2026-11-21T09:00:00Z wait-2: user.renewal_at is not a date: not a text",
            "2026-11-21T09:00:00Z none: ends: none",
        ]
    );
}

#[test]
fn a_date_is_waited_for_as_the_product_does_and_the_steps_begin_when_it_comes() {
    let trigger = "trigger: {date: user.birthday, yearly: true, at: \"9:00\"}";
    let steps = "- filter: [{property: event.date, equals: 1990-04-30}]\n- send: a\n";
    let person = json!({"birthday": "1990-04-30", "ianaTimezone": "America/New_York"});
    let dry = Story { person, ..Story::of(trigger, steps) }.play();
    assert_eq!(
        told(&dry),
        [
            "2026-11-21T09:00:00Z (trigger): waits: until user.birthday at 9:00, each year, that is 2027-04-30T13:00:00Z",
            "2027-04-30T13:00:00Z (trigger): the date is there",
            "2027-04-30T13:00:00.000001Z filter-1: holds",
            "2027-04-30T13:00:00.000001Z a: sends `a`",
        ]
    );
    assert_eq!(dry.end, Some(EndReason::Completed));
}

#[test]
fn where_there_is_no_date_or_it_is_over_nobody_enters_and_it_is_said_why() {
    let story =
        |person| Story { person, ..Story::of("trigger: {date: user.renewal_at, before: 1 day}", "- send: a\n") };
    for (person, why) in [
        (json!({}), "user.renewal_at is not a date: missing"),
        (json!({"renewal_at": "2026-13-29"}), "user.renewal_at is not a date: unreadable"),
        (json!({"renewal_at": 5}), "user.renewal_at is not a date: not a text"),
        (json!({"renewal_at": "2040-01-01"}), "user.renewal_at is not a date: more than ten years ahead"),
        (
            json!({"renewal_at": "2020-01-01"}),
            "the date is over (until 1 day before user.renewal_at): that was 2019-12-31T00:00:00Z",
        ),
    ] {
        let dry = story(person).play();
        assert_eq!((kept_out(&dry), dry.stops.len(), dry.end.is_none()), (why, 0, true));
    }
}

#[test]
fn who_is_in_a_condition_enters_if_they_were_not_and_who_is_not_in_it_enters_if_they_were() {
    let (enters, leaves) =
        ("trigger: {enters: [{tag: vip}]}", "trigger: {leaves: [{property: user.plan, equals: pro}]}");
    let played = |trigger, person| Story { person, ..Story::of(trigger, "- exit: over\n") }.play();
    assert_eq!(kept_out(&played(enters, json!({}))), "not met: has the tag \"vip\"");
    let still = "still in the condition that it asks to leave: user.plan equals \"pro\"";
    assert_eq!(kept_out(&played(leaves, json!({"plan": "pro"}))), still);
    let left = played(leaves, json!({"plan": "free"}));
    assert_eq!(
        told(&left),
        [
            "2026-11-21T09:00:00Z (trigger): enters if they were in it before: not met: user.plan equals \"pro\"",
            "2026-11-21T09:00:00Z exit-1: ends: over",
        ]
    );
    let pro = "trigger: {enters: [{property: user.plan, equals: pro}]}";
    let came = played(pro, json!({"plan": "pro"}));
    let line = "2026-11-21T09:00:00Z (trigger): enters if they were not in it before: user.plan equals \"pro\"";
    assert_eq!(told(&came).first().map(String::as_str), Some(line));
}

#[test]
fn a_rule_is_stated_and_an_event_without_its_key_does_not_enter() {
    let trigger = "trigger: {event: Signed up}\nentry: {key: event.cart_id, again: never, per_day: 2, total: 9}";
    let story = || Story::of(trigger, "- send: a\n");
    let keyless = story().play();
    assert_eq!((kept_out(&keyless), keyless.stops.len()), ("event.cart_id has no value to tell it by", 0));
    let keyed = Story { data: json!({"cart_id": 7}), ..story() }.play();
    assert_eq!(
        told(&keyed),
        [
            "2026-11-21T09:00:00Z (trigger): enters if the rule lets them in: once for each event.cart_id, at most 2 within 24 hours, at most 9 of all people; earlier entries are not known here",
            "2026-11-21T09:00:00Z a: sends `a`",
        ]
    );
}

#[test]
fn the_event_itself_has_happened_when_its_filters_are_asked() {
    let trigger = "trigger: {event: Signed up, filters: [{triggered: Signed up, exactly: 1}]}";
    assert_eq!(kept_out(&Story::of(trigger, "- send: a\n").play()), "enters");
}

/// Waits a day for the order of a cart, then sends; thanks in place of that where the order came.
const CART: &str = "- wait_for: {event: Bought, match: {cart: event.cart}}\n  within: 1 day\n  as: order\n  happened: won\n- send: a\n  next: over\n- {name: won, filter: [{property: journey.order.total, greater_than: 5}], else: over}\n- {name: thanks, exit: thanks}\n- {name: over, exit: over}\n";

#[test]
fn an_event_that_is_waited_for_leads_to_the_other_exit_and_one_that_does_not_match_does_not() {
    let bought = |cart: i32| json!({"kind": "track", "name": "bought", "data": {"cart": cart, "total": 9}});
    let story = |later| Story { data: json!({"cart": 7}), later, ..Story::of("trigger: {event: Signed up}", CART) };
    let dry = story(vec![("3 hours", bought(7)), ("2 hours", bought(8))]).play();
    assert_eq!(
        told(&dry),
        [
            "2026-11-21T09:00:00Z wait-for-1: waits at most 1 day, that is until 2026-11-22T09:00:00Z",
            "2026-11-21T11:00:00Z (later): `bought` happens",
            "2026-11-21T11:00:00Z wait-for-1: `bought` at 2026-11-21T11:00:00Z is not the one: its `cart` is 8, and `event.cart` is 7",
            "2026-11-21T12:00:00Z (later): `bought` happens",
            "2026-11-21T12:00:00Z wait-for-1: `bought` happened at 2026-11-21T12:00:00Z",
            "2026-11-21T12:00:00Z won: holds",
            "2026-11-21T12:00:00Z thanks: ends: thanks",
        ]
    );
    let just = story(vec![("24 hours", bought(7))]).play();
    assert!(told(&just).iter().any(|line| line.ends_with("`bought` happened at 2026-11-22T09:00:00Z")), "{just:#?}");
    let late = story(vec![("25 hours", bought(7))]).play();
    assert!(told(&late).iter().any(|line| line.ends_with("timed out at 2026-11-22T09:00:00Z")), "{late:#?}");
}

#[test]
fn an_event_that_has_the_awaited_name_and_is_not_the_one_is_told_with_what_differs() {
    let said = |data: serde_json::Value, waits: &'static str, trigger: &'static str| -> Vec<String> {
        let later = vec![("1 hour", json!({"kind": "track", "name": "Bought", "data": data}))];
        let cart = json!({"cart": 7, "items": [1]});
        let told = told(&Story { data: cart, later, ..Story::of(trigger, waits) }.play());
        told.iter().filter_map(|line| Some(line.split_once(" is not the one: ")?.1.to_owned())).collect()
    };
    let plain = "trigger: {event: Signed up}";
    let matches = "- wait_for: {event: Bought, match: {cart: event.cart}}\n  within: 1 day\n";
    let items = "- wait_for: {event: Bought, match: {items: event.items}}\n  within: 1 day\n";
    let filters = "- wait_for: {event: Bought, match: {cart: event.cart}, filters: [{tag: vip}, {property: event.total, greater_than: 5}]}\n  within: 1 day\n";
    let total = "- wait_for: {event: Bought, filters: [{property: event.total, greater_than: 5}]}\n  within: 1 day\n";
    for (data, waits, expected) in [
        (json!({"cart": "7"}), matches, "its `cart` is \"7\", and `event.cart` is 7"),
        (json!({}), matches, "its `cart` has no value, and `event.cart` is 7"),
        (
            json!({"items": [1]}),
            items,
            "its `items` is [1], and `event.items` is [1]; what is missing, a list or an object equals nothing",
        ),
        (json!({"cart": 7, "total": 9}), filters, "not met: has the tag \"vip\""),
        (json!({"total": 3}), total, "not met: event.total is greater than 5, and `event.total` is 3"),
        (json!({"total": null}), total, "not met: event.total is greater than 5, and `event.total` has no value"),
    ] {
        assert_eq!(said(data, waits, plain), [expected], "{waits}");
    }
    assert_eq!(said(json!({"cart": 7.0}), matches, plain), [""; 0]);
    assert_eq!(said(json!({"total": 9}), total, plain), [""; 0]);

    let goal = "trigger: {event: Signed up}\ngoal: {event: Bought, match: {cart: event.cart}}";
    let differs = "its `cart` is 8, and `event.cart` is 7";
    assert_eq!(said(json!({"cart": 8}), "- wait: 1 day\n", goal), [differs], "of the goal, too");
    assert_eq!(said(json!({"cart": 8}), "- wait: 1 day\n", plain), [""; 0], "nothing waits for it");
}

#[test]
fn what_came_before_the_step_that_waits_for_it_and_is_not_the_one_is_told_there_once() {
    let steps = "- wait: 2 hours\n- {name: paid, wait_for: {event: Bought, match: {cart: event.cart}}, within: 1 day}\n- {name: again, filter: [{no_tag: vip}], next: paid}\n";
    let bought = |cart: i32| json!({"kind": "track", "name": "Bought", "data": {"cart": cart}});
    let later =
        vec![("1 hour", bought(8)), ("3 hours", bought(7)), ("4 hours", json!({"kind": "tags", "add": ["vip"]}))];
    let dry = Story { data: json!({"cart": 7}), later, ..Story::of("trigger: {event: Signed up}", steps) }.play();
    let misfits: Vec<String> = told(&dry).into_iter().filter(|line| line.contains("is not the one")).collect();
    assert_eq!(
        misfits,
        [
            "2026-11-21T11:00:00Z paid: `Bought` at 2026-11-21T10:00:00Z is not the one: its `cart` is 8, and `event.cart` is 7"
        ]
    );
}

#[test]
fn an_event_that_is_not_the_one_is_told_once_however_often_the_run_comes_by() {
    let steps = "- name: paid\n  wait_for: {event: Bought, match: {cart: event.cart}}\n  within: 1 day\n  happened: over\n- {send: a, next: paid}\n- {name: over, exit: over}\n";
    let bought = |cart: i32| json!({"kind": "track", "name": "Bought", "data": {"cart": cart}});
    let later = vec![("1 hour", bought(8)), ("60 hours", bought(7))];
    let dry = Story { data: json!({"cart": 7}), later, ..Story::of("trigger: {event: Signed up}", steps) }.play();
    let lines = told(&dry);
    assert_eq!(lines.iter().filter(|line| line.contains("sends `a`")).count(), 2, "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("is not the one")).count(), 1, "{lines:#?}");
}

#[test]
fn a_mail_that_expires_is_told_with_the_instant_after_which_it_is_discarded() {
    let steps = "- wait: 1 day\n- {send: a, expire_after: 6 hours}\n- {name: again, send: a}\n";
    let lines = told(&Story::of("trigger: {event: Signed up}", steps).play());
    assert_eq!(
        lines[1..],
        [
            "2026-11-22T09:00:00Z a: sends `a`, by 2026-11-22T15:00:00Z or not at all",
            "2026-11-22T09:00:00Z again: sends `a`",
        ]
    );
}

#[test]
fn a_change_of_the_person_ends_a_wait_for_it_and_what_the_campaign_itself_changes_counts_too() {
    let steps = "- wait_until: [{property: user.plan, equals: pro}]\n  within: 7 days\n- update: {add_tags: [vip]}\n- wait: 1 hour\n- filter: [{tag: vip}]\n- exit: done\n";
    let story = |later| Story { later, ..Story::of("trigger: {event: Signed up}", steps) };
    let changed = story(vec![("2 days", json!({"kind": "edit", "changes": {"plan": "pro"}}))]).play();
    assert_eq!(
        told(&changed)[1..],
        [
            "2026-11-23T09:00:00Z (later): the person is edited",
            "2026-11-23T09:00:00Z wait-until-1: holds",
            "2026-11-23T09:00:00Z update-2: changes +vip",
            "2026-11-23T09:00:00Z wait-3: waits: 1 hour, that is 2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00Z filter-4: holds",
            "2026-11-23T10:00:00Z exit-5: ends: done",
        ]
    );
}

#[test]
fn what_becomes_true_by_time_alone_is_not_seen_when_something_else_happens() {
    let steps = "- wait_until: [{property: user.renewal_at, in_the_next: 1 day}]\n  within: 7 days\n- wait_until: [{tag: vip}]\n  within: 1 day\n";
    let moved = json!({"kind": "tags", "add": ["vip"]});
    let story = |later| {
        let person = json!({"renewal_at": "2026-11-24"});
        Story { person, later, ..Story::of("trigger: {event: Signed up}", steps) }
    };
    let lines = told(&story(vec![("2 days", moved)]).play());
    assert!(
        lines.contains(&"2026-11-28T09:00:00Z wait-until-1: timed out at 2026-11-28T09:00:00Z".to_owned()),
        "{lines:#?}"
    );
    let put_off = json!({"kind": "edit", "changes": {"renewal_at": "2026-11-23T12:00:00Z"}});
    let lines = told(&story(vec![("2 days", put_off)]).play());
    assert!(lines.contains(&"2026-11-23T09:00:00Z wait-until-1: holds".to_owned()), "{lines:#?}");
}

#[test]
fn what_the_run_has_heard_decides_which_mail_leaves() {
    let steps = "- wait_for: {event: Bought}\n  within: 1 day\n  as: order\n- send: a\n  conditions: [{property: journey.order.total, greater_than: 5}]\n";
    let held_back = |total: i32| {
        let later = vec![("1 hour", json!({"kind": "track", "name": "Bought", "data": {"total": total}}))];
        let dry = Story { later, ..Story::of("trigger: {event: Signed up}", steps) }.play();
        dry.stops.last().and_then(|stop| stop.held_back.clone())
    };
    assert_eq!(held_back(9), None);
    assert_eq!(held_back(5).as_deref(), Some("not met: journey.order.total is greater than 5"));
}

#[test]
fn a_goal_that_is_reached_is_told_and_ends_the_run_where_it_should() {
    let trigger = "trigger: {event: Signed up}\ngoal: {event: Bought}\nexits: {goal: true}";
    let bought = json!({"kind": "track", "name": "Bought"});
    let dry = Story { later: vec![("1 hour", bought)], ..Story::of(trigger, "- wait: 1 day\n- send: a\n") }.play();
    assert_eq!(
        told(&dry)[1..],
        [
            "2026-11-21T10:00:00Z (later): `Bought` happens",
            "2026-11-22T09:00:00Z (goal): was reached at 2026-11-21T10:00:00Z",
        ]
    );
    assert_eq!(dry.end, Some(EndReason::Goal));
}

#[test]
fn webhooks_are_answered_in_turn_and_where_no_answer_is_left_none_comes() {
    let steps = "- webhook: {url: \"https://example.com\"}\n  as: crm\n  failed: over\n- filter: [{property: journey.crm.body.ok, equals: true}]\n- webhook: {url: \"https://example.com\"}\n  failed: over\n- exit: done\n- {name: over, exit: over}\n";
    let played = |answers| told(&Story { answers, ..Story::of("trigger: {event: Signed up}", steps) }.play());
    let good = Answer::of(200, br#"{"ok": true}"#);
    let told = played(vec![good.clone(), Fault::Timeout.into()]);
    assert_eq!(told.last().map(String::as_str), Some("2026-11-21T09:00:00Z over: ends: over"));
    assert!(told.contains(&"2026-11-21T09:00:00Z webhook-3: failed: timeout".to_owned()), "{told:#?}");
    assert!(played(vec![good]).iter().any(|line| line.ends_with("webhook-3: failed: expired")));
}

#[test]
fn a_wait_for_a_date_that_is_over_names_the_date() {
    let steps = "- wait: {date: user.renewal_at, after: 2 days, at: \"9:00\"}\n- send: a\n";
    let dry = played(steps, "Signed up", json!({"plan": "free", "renewal_at": "2026-01-31", "timezone": "+02:00"}));
    assert_eq!(
        told(&dry).first().map(String::as_str),
        Some(
            "2026-11-21T09:00:00Z wait-1: does not wait (until 2 days after user.renewal_at at 9:00): that was 2026-02-02T07:00:00Z"
        )
    );
}

#[test]
fn what_is_said_to_happen_after_the_end_is_told_to_find_the_run_over() {
    let bought = || json!({"kind": "track", "name": "Bought"});
    let late = |after| {
        let story = Story::of("trigger: {event: Signed up}", "- wait: 1 day\n- send: a\n");
        told(&Story { later: vec![(after, bought())], ..story }.play())
            .iter()
            .any(|line| line.contains("finds the run over"))
    };
    assert_eq!((late("1 hour"), late("3 days")), (false, true));
}
