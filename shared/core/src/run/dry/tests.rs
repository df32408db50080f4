use serde_json::json;

use super::*;
use crate::call::{Action, Call, Properties};
use crate::campaign::parse;
use crate::event_name::EventName;
use crate::ids::{EventId, UserId};

const SATURDAY: &str = "2026-11-21T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn played(steps: &str, event: &str, properties: serde_json::Value) -> DryRun {
    let text = format!(
        "name: Test\nkind: workflow\ntrigger: {{event: Signed up, filters: [{{property: user.plan, equals: free}}]}}\nfrom: ann@example.com\nmessages:\n  a: {{subject: A, text: a, conditions: [{{no_tag: vip}}]}}\nsteps:\n{steps}"
    );
    let campaign = parse("x.yaml", &text, &std::collections::BTreeMap::new()).expect("a campaign");
    let (project, user) = (ProjectId::derive(&["p"]), UserId::parse("ann").expect("a user"));
    let mut profile = Profile::new(user.clone());
    let properties: Properties = properties.as_object().cloned().expect("an object");
    let email = crate::email::Email::parse("ann@example.com").ok();
    let action = Action::Identify { email, properties, channels: Vec::new(), update_only: false };
    let id = EventId::derive(&["1"]);
    let now = at(SATURDAY);
    profile.apply(&Call { id: id.clone(), project: project.clone(), user, at: now, accepted_at: now, action });
    let event = TriggerEvent { id, name: EventName::parse(event).expect("a name"), at: now, data: Properties::new() };
    dry_run(campaign, &project, &profile, &event, &Zone::default())
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
    let why = |dry: &DryRun| match &dry.entry {
        Decision::Fail(why) => why.as_str().to_owned(),
        Decision::Pass => "enters".to_owned(),
    };
    assert_eq!(why(&played("- send: a\n", "Signed up", json!({"plan": "pro"}))), "not met: user.plan equals \"free\"");
    let other = played("- send: a\n", "Bought", json!({"plan": "free"}));
    assert_eq!(why(&other), "the campaign asks for `Signed up`, and this is `Bought`");
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
            "2026-11-21T09:00:00Z wait-1: does not wait (between 8:00 and 18:00): that was 2026-11-21T09:00:00Z",
            "2026-11-21T09:00:00Z wait-2: user.renewal_at is not a date: not a text",
            "2026-11-21T09:00:00Z none: ends: none",
        ]
    );
}
