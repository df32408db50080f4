//! Steps that change the person, track events, start campaigns and call webhooks.

use serde_json::json;

use super::*;
use crate::hook::Answer;

const HOOK: &str = "- webhook: {url: 'https://crm.example.com/people/{{ user.id }}?plan={{ event.plan }}', headers: {x-key: secret}, body: {plan: '{{ event.plan }}', total: '{{ event.total }}', all: [1, 'n {{ event.total }}']}}\n  as: crm\n  failed: sorry\n- branch: [{when: [{property: journey.crm.body.segment, equals: big}], to: big}]\n- {name: small, send: a, next: over}\n- {name: big, send: b, next: over}\n- {name: sorry, wait: 1 day}\n- {name: over, exit: over}\n";

fn about() -> TriggerEvent {
    let data = json!({"plan": "pro & more", "total": 30}).as_object().cloned().unwrap_or_default();
    TriggerEvent { data, ..event() }
}

fn asked(published: &Published) -> Transition {
    let (profile, event) = (person(), about());
    let facts = Facts::new(&profile, &event, at(START));
    start(published, ProjectId::derive(&["p"]), user(), event.clone(), Lane::Triggered, &facts, &utc())
}

fn answered(published: &Published, run: &Run, answer: Option<&Answer>, now: &str) -> Advance {
    let profile = person();
    let facts = Facts { answer, ..Facts::new(&profile, &run.event, at(now)) };
    run.advance(&published.campaign, &facts, &utc())
}

fn after(published: &Published, run: &Run, answer: Option<&Answer>, now: &str) -> Transition {
    match answered(published, run, answer, now) {
        Advance::Moved(moved) => *moved,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_webhook_is_asked_with_what_the_run_knows_and_its_answer_is_asked_by_later_steps() {
    let published = workflow(HOOK);
    let asks = asked(&published);
    let Some(Command::Hook { request, until, .. }) = asks.commands.first() else { panic!("{:?}", asks.commands) };
    assert_eq!(request.url, "https://crm.example.com/people/u1?plan=pro%20%26%20more");
    assert_eq!(request.body, Some(json!({"plan": "pro & more", "total": 30, "all": [1, "n 30"]})));
    assert_eq!((*until, due(&asks)), (at("2026-11-21T10:00:00Z"), "2026-11-21T10:05:00Z".to_owned()));
    assert_eq!(asked(&published).commands, asks.commands, "made again, it is the same request");
    for (segment, message) in [("big", "b"), ("small", "a")] {
        let answer = Answer::of(200, json!({"segment": segment}).to_string().as_bytes());
        let goes_on = after(&published, &asks.run, Some(&answer), "2026-11-21T09:00:02Z");
        assert_eq!(sends(&goes_on), [message]);
        assert_eq!(goes_on.run.journey["crm"], json!({"status": 200, "body": {"segment": segment}}));
    }
}

#[test]
fn what_a_step_counts_stays_a_number() {
    let steps = "- update: {set: {n: '{{ user.n | plus: 1 }}', half: '{{ 1 | divided_by: 2.0 }}', big: '{{ user.n | times: 1000 }}', mixed: 'n {{ 1 | plus: 1 }}', shout: '{{ user.plan | upcase }}', two: '{{ 1 }}{{ 2 }}'}}\n- send: a\n- send: b\n";
    let published = workflow(steps);
    let mut profile = person();
    let changes = json!({"n": 2, "plan": "pro"}).as_object().cloned().unwrap_or_default();
    profile.apply(&call("2026-11-21T09:00:00.001Z", call::Action::Edit { changes }));
    let event = about();
    let facts = Facts::new(&profile, &event, at(START));
    let begun = start(&published, ProjectId::derive(&["p"]), user(), event.clone(), Lane::Triggered, &facts, &utc());
    let Some(Command::Call { call }) = begun.commands.first() else { panic!("{:?}", begun.commands) };
    let call::Action::Edit { changes } = &call.action else { panic!("{call:?}") };
    let made = json!({"n": 3, "half": 0.5, "big": 2000, "mixed": "n 2", "shout": "PRO", "two": "12"});
    assert_eq!(serde_json::Value::Object(changes.clone()), made);
}

#[test]
fn a_webhook_that_fails_or_stays_silent_goes_the_other_way() {
    let published = workflow(HOOK);
    let asks = asked(&published);
    assert!(matches!(answered(&published, &asks.run, None, "2026-11-21T10:04:59Z"), Advance::NotDue { .. }));
    let refused = Answer::of(400, b"no");
    for (answer, now) in [(Some(&refused), "2026-11-21T09:00:02Z"), (None, "2026-11-21T10:05:00Z")] {
        let goes_on = after(&published, &asks.run, answer, now);
        assert!(matches!(&goes_on.run.state, RunState::Waiting { step, .. } if step == "sorry"), "{goes_on:?}");
    }
}

#[test]
fn an_answer_that_comes_again_finds_the_run_elsewhere() {
    let published = workflow(HOOK);
    let asks = asked(&published);
    let refused = Answer::of(400, b"no");
    let goes_on = after(&published, &asks.run, Some(&refused), "2026-11-21T09:00:02Z");
    assert!(matches!(
        answered(&published, &goes_on.run, Some(&refused), "2026-11-21T09:00:03Z"),
        Advance::NotDue { .. }
    ));
}

#[test]
fn a_step_makes_calls_under_the_same_ids_whenever_it_is_made() {
    let published = workflow(
        "- update: {set: {last: '{{ event.total }}', no: '{{ event.nothing }}'}, unset: [old], add_tags: [seen]}\n- {track: Went, data: {n: '{{ event.total | plus: 1 }}'}}\n- {start: cmp_other}\n",
    );
    let (one, two) = (asked(&published), asked(&published));
    assert_eq!(one.commands, two.commands);
    let expected = [
        json!({"kind": "edit", "changes": {"last": 30, "no": null, "old": null}}),
        json!({"kind": "tags", "add": ["seen"]}),
        json!({"kind": "track", "name": "Went", "data": {"n": 31}}),
        json!({"kind": "enter", "campaign": "cmp_other"}),
    ];
    assert_eq!(called(&one), expected);
}

/// The actions of the calls that a move makes.
fn called(moved: &Transition) -> Vec<serde_json::Value> {
    let calls = moved.commands.iter().filter_map(|command| match command {
        Command::Call { call } => Some(serde_json::to_value(&call.action).expect("json")),
        _ => None,
    });
    calls.collect()
}

#[test]
fn what_liquid_cannot_make_is_left_out_and_unsets_nothing() {
    let bad = "'{{ event.total | divided_by: 0 }}'";
    let moved = asked(&workflow(&format!(
        "- {{name: some, update: {{set: {{a: 1, bad: {bad}, deep: {{a: 1, b: [{bad}]}}}}}}}}\n- {{name: none, update: {{set: {{bad: {bad}}}}}}}\n- {{track: Went, data: {{a: 1, bad: {bad}}}}}\n- {{start: cmp_other, data: {{bad: {bad}}}}}\n"
    )));
    let expected = [
        json!({"kind": "edit", "changes": {"a": 1}}),
        json!({"kind": "track", "name": "Went", "data": {"a": 1}}),
        json!({"kind": "enter", "campaign": "cmp_other"}),
    ];
    assert_eq!(called(&moved), expected);
    let notes: Vec<(&str, &str)> =
        moved.passed.iter().map(|passed| (passed.step.as_str(), passed.what.as_str())).take(4).collect();
    let left_out = |name| format!("leaves out `{name}`: its Liquid cannot be made here");
    let (bad, deep) = (left_out("bad"), left_out("deep"));
    assert_eq!(notes, [("some", bad.as_str()), ("some", &deep), ("some", "changes `a`"), ("none", &bad)]);
}

#[test]
fn the_calls_of_a_move_count_in_their_order_and_behind_the_call_that_began_it() {
    let published =
        workflow("- update: {set: {n: 1}}\n- update: {set: {n: 2}, add_tags: [a]}\n- update: {remove_tags: [a]}\n");
    let mut profile = person();
    for command in asked(&published).commands {
        let Command::Call { call } = command else { panic!("{command:?}") };
        profile.apply(&call);
    }
    assert_eq!(profile.property("n"), Some(&json!(2)));
    assert!(!profile.has_tag("a"));
}

#[test]
fn what_a_move_makes_fits_a_row_and_a_request_that_is_too_long_fails() {
    let blob = "x".repeat(20_000);
    let long = format!(
        "- update: {{set: {{a: '{blob}'}}}}\n- update: {{set: {{b: '{blob}'}}}}\n- webhook: {{url: 'https://example.com/', body: ['{blob}', '{blob}']}}\n  failed: over\n- send: a\n- {{name: over, exit: over}}\n"
    );
    let moved = asked(&workflow(&long));
    assert_eq!(moved.commands.len(), 1, "the first change only");
    assert!(matches!(reason(&moved), EndReason::Exited { .. }));
}
