use serde_json::json;

use super::*;
use crate::call::{Action, Call, Properties};
use crate::ids::{EventId, ProjectId, UserId};

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn call(id: &str, time: &str, action: Action) -> Call {
    let (user, at) = (UserId::parse("u1").expect("a user"), at(time));
    Call { id: EventId::derive(&[id]), project: ProjectId::derive(&["p"]), user, at, accepted_at: at, action }
}

fn track(name: &str, time: &str) -> Call {
    let name = EventName::parse(name).expect("a name");
    let (properties, data) = Default::default();
    call(
        &format!("{name}{time}"),
        time,
        Action::Track { name, email: None, properties, data, source: None, conversion: None, passive: false },
    )
}

/// Somebody with a plan, tags and a history; the trigger is `Viewed pricing` at noon on 20 November.
fn person(more: &[Call]) -> Profile {
    let properties = json!({"plan": "free", "address": {"city": "Bristol"}, "trial_ends": "2026-11-25", "gone": null});
    let properties = properties.as_object().cloned().unwrap_or_default();
    let mut profile = Profile::new(UserId::parse("u1").expect("a user"));
    profile.apply(&call(
        "i",
        "2026-01-01T00:00:00Z",
        Action::Identify { email: None, properties, channels: Vec::new(), update_only: false },
    ));
    profile.apply(&call(
        "t",
        "2026-01-01T00:00:01Z",
        Action::Tags { add: vec!["vip".into(), "beta".into()], remove: Vec::new() },
    ));
    profile.apply(&track("Viewed pricing", "2026-11-20T12:00:00Z"));
    for call in more {
        profile.apply(call);
    }
    profile
}

fn event() -> TriggerEvent {
    let data = json!({"total": 120, "items": [{"sku": "a"}]}).as_object().cloned().unwrap_or_default();
    TriggerEvent {
        id: EventId::derive(&["e"]),
        name: EventName::parse("viewed_pricing").expect("a name"),
        at: at("2026-11-20T12:00:00Z"),
        data,
    }
}

fn ask(condition: Value, profile: &Profile) -> Decision {
    let condition: Condition = serde_json::from_value(condition).expect("a condition");
    let event = event();
    decide([&condition], &Facts::new(profile, &event, at("2026-11-20T12:20:00Z")))
}

#[test]
fn properties_of_the_person_and_of_the_trigger_event_are_asked_by_their_path() {
    let person = person(&[]);
    let table = [
        (json!({"property": "user.plan", "equals": "free"}), true),
        (json!({"property": "user.address.city", "equals": "Bristol"}), true),
        (json!({"property": "user.gone", "is_set": false}), true),
        (json!({"property": "user.id", "equals": "u1"}), true),
        (json!({"property": "user.email", "is_set": true}), false),
        (json!({"property": "user.trial_ends", "in_the_next": "7 days"}), true),
        (json!({"property": "event.total", "greater_than": 100}), true),
        (json!({"property": "event.items.0.sku", "equals": "a"}), true),
        (json!({"property": "event.plan", "is_set": true}), false),
    ];
    for (condition, expected) in table {
        assert_eq!(ask(condition.clone(), &person).passed(), expected, "{condition}");
    }
}

#[test]
fn tags_and_groups_are_asked() {
    let person = person(&[]);
    let (vip, staff) = (json!({"tag": "vip"}), json!({"tag": "staff"}));
    let table = [
        (vip.clone(), true),
        (staff.clone(), false),
        (json!({"tag": "VIP"}), false),
        (json!({"no_tag": "staff"}), true),
        (json!({"no_tag": "vip"}), false),
        (json!({"all": [vip, {"no_tag": "staff"}]}), true),
        (json!({"all": [vip, staff]}), false),
        (json!({"any": [staff, vip]}), true),
        (json!({"any": [staff]}), false),
        (json!({"not": staff}), true),
        (json!({"not": {"any": [staff, vip]}}), false),
    ];
    for (condition, expected) in table {
        assert_eq!(ask(condition.clone(), &person).passed(), expected, "{condition}");
    }
}

#[test]
fn events_are_counted_ever_within_a_span_and_since_the_trigger() {
    let person = person(&[
        track("Purchased item", "2025-11-01T10:00:00Z"),
        track("Purchased item", "2026-11-01T10:00:00Z"),
        track("purchased_item", "2026-11-20T11:00:00Z"),
    ]);
    let table = [
        (json!({"triggered": "Purchased Item"}), true),
        (json!({"triggered": "Purchased item", "exactly": 3}), true),
        (json!({"triggered": "Purchased item", "at_least": 4}), false),
        (json!({"triggered": "Purchased item", "at_most": 2}), false),
        (json!({"triggered": "Purchased item", "at_least": 2, "at_most": 3}), true),
        (json!({"triggered": "Purchased item", "exactly": 2, "within": "30 days"}), true),
        (json!({"triggered": "Purchased item", "exactly": 1, "within": "2 days"}), true),
        (json!({"triggered": "Purchased item", "exactly": 0, "since": "trigger"}), true),
        (json!({"triggered": "Nothing"}), false),
        (json!({"triggered": "Nothing", "exactly": 0}), true),
    ];
    for (condition, expected) in table {
        assert_eq!(ask(condition.clone(), &person).passed(), expected, "{condition}");
    }
}

#[test]
fn identified_zero_times_lately_is_a_condition_like_any_other() {
    let quiet = json!({"triggered": "Identified", "exactly": 0, "within": "30 days"});
    assert!(ask(quiet.clone(), &person(&[])).passed());
    let identify =
        Action::Identify { email: None, properties: Properties::new(), channels: Vec::new(), update_only: false };
    let seen = person(&[call("again", "2026-11-19T00:00:00Z", identify)]);
    assert!(!ask(quiet, &seen).passed());
}

#[test]
fn the_trigger_is_not_an_event_since_the_trigger() {
    let again = json!({"triggered": "Viewed pricing", "since": "trigger"});
    assert!(!ask(again.clone(), &person(&[])).passed());
    assert!(!ask(again.clone(), &person(&[track("Viewed pricing", "2026-11-20T09:00:00Z")])).passed());
    assert!(ask(again, &person(&[track("Viewed pricing", "2026-11-20T12:05:00Z")])).passed());
}

#[test]
fn what_came_since_the_trigger_is_seen_when_the_trigger_s_own_day_is_long_forgotten() {
    let again = json!({"triggered": "Viewed pricing", "since": "trigger"});
    assert!(ask(again, &person(&[track("Viewed pricing", "2028-02-01T09:00:00Z")])).passed());
}

#[test]
fn the_call_that_led_into_a_condition_is_not_an_event_since_the_trigger() {
    let none: Condition =
        serde_json::from_value(json!({"triggered": "Viewed pricing", "exactly": 0, "since": "trigger"})).expect("one");
    let event = TriggerEvent { name: EventName::known(CONDITION), ..event() };
    for (more, passes) in [(vec![], true), (vec![track("Viewed pricing", "2026-11-20T12:05:00Z")], false)] {
        let person = person(&more);
        let facts = Facts::new(&person, &event, at("2026-11-27T12:00:00Z"));
        assert_eq!(decide(std::slice::from_ref(&none), &facts).passed(), passes);
    }
}

#[test]
fn a_purchase_between_trigger_and_send_is_seen() {
    let none = json!({"triggered": "Purchased item", "exactly": 0, "since": "trigger"});
    assert!(!ask(none.clone(), &person(&[track("Purchased item", "2026-11-20T12:05:00Z")])).passed());
    assert!(ask(none, &person(&[track("Purchased item", "2026-11-20T11:55:00Z")])).passed());
}

#[test]
fn a_reason_names_the_condition_and_never_the_value() {
    let person = person(&[]);
    let table = [
        (json!({"property": "user.plan", "equals": "pro"}), "not met: user.plan equals \"pro\""),
        (json!({"property": "user.plan", "is_set": false}), "not met: user.plan is not set"),
        (json!({"tag": "staff"}), "not met: has the tag \"staff\""),
        (
            json!({"triggered": "Viewed pricing", "exactly": 0, "within": "30 days"}),
            "not met: triggered \"Viewed pricing\" exactly 0 times within 30 days",
        ),
        (json!({"triggered": "Nothing", "since": "trigger"}), "not met: triggered \"Nothing\" since the trigger"),
        (json!({"all": [{"tag": "vip"}, {"tag": "staff"}]}), "not met: has the tag \"staff\""),
        (json!({"any": [{"tag": "a"}, {"tag": "b"}]}), "not met: any of (has the tag \"a\"; has the tag \"b\")"),
        (json!({"not": {"tag": "vip"}}), "not met: not (has the tag \"vip\")"),
    ];
    for (condition, expected) in table {
        let Decision::Fail(reason) = ask(condition.clone(), &person) else { panic!("{condition} passed") };
        assert_eq!(reason.as_str(), expected);
        assert!(!reason.as_str().contains("free"));
    }
}

#[test]
fn every_condition_survives_being_stored() {
    let table = [
        json!({"property": "user.plan", "not_equals": 5}),
        json!({"triggered": "X", "at_least": 2, "within": "30 days", "since": "trigger"}),
        json!({"all": [{"any": [{"not": {"no_tag": "a"}}]}]}),
    ];
    for condition in table {
        let read: Condition = serde_json::from_value(condition.clone()).expect("a condition");
        assert_eq!(serde_json::to_value(read).expect("JSON"), condition);
    }
}
