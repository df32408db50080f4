use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::call::{self, Call, Properties};
use crate::campaign::parse;
use crate::event_name::EventName;
use crate::ids::EventId;
use crate::limits::STEPS_WITHOUT_WAIT;
use crate::profile::Profile;
use crate::wait::Zone;

const START: &str = "2026-11-21T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn workflow(steps: &str) -> Published {
    let text = format!(
        "name: Test\nkind: workflow\ntrigger: {{event: Signed up}}\nfrom: ann@example.com\nmessages:\n  a: {{subject: A, text: a}}\n  b: {{subject: B, text: b}}\nsteps:\n{steps}"
    );
    let campaign = parse("test.yaml", &text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
    Published { campaign: Arc::new(campaign), version: 3, published_at: at("2026-01-01T00:00:00Z"), paused: false }
}

fn event() -> TriggerEvent {
    TriggerEvent {
        id: EventId::derive(&["e"]),
        name: EventName::parse("Signed up").expect("a name"),
        at: at(START),
        data: Properties::new(),
    }
}

fn user() -> UserId {
    UserId::parse("u1").expect("a user")
}

/// Somebody who signed up with the event.
fn person() -> Profile {
    let mut profile = Profile::new(user());
    profile.apply(&call(START, track()));
    profile
}

fn track() -> call::Action {
    let TriggerEvent { name, data, .. } = event();
    call::Action::Track {
        name,
        email: None,
        properties: Properties::new(),
        data,
        source: None,
        conversion: None,
        passive: false,
    }
}

fn call(instant: &str, action: call::Action) -> Call {
    let (id, at) = (EventId::derive(&[instant]), at(instant));
    Call { id, project: ProjectId::derive(&["p"]), user: user(), at, accepted_at: at, action }
}

fn begin(published: &Published) -> Transition {
    let (profile, event, now) = (person(), event(), at(START));
    let facts = Facts::new(&profile, &event, now);
    start(published, ProjectId::derive(&["p"]), user(), event.clone(), Lane::Triggered, &facts, &utc())
}

fn utc() -> Zone {
    Zone::default()
}

fn go_on(run: &Run, published: &Published, now: Timestamp) -> Advance {
    let profile = person();
    run.advance(&published.campaign, &Facts::new(&profile, &run.event, now), &utc())
}

fn moved(run: &Run, published: &Published, now: Timestamp) -> Transition {
    match go_on(run, published, now) {
        Advance::Moved(transition) => *transition,
        other => panic!("{other:?}"),
    }
}

fn sends(transition: &Transition) -> Vec<&str> {
    fn message(command: &Command) -> Option<&str> {
        match command {
            Command::Send { message, .. } => Some(message),
            Command::Wake { .. }
            | Command::Call { .. }
            | Command::Hook { .. }
            | Command::Listen { .. }
            | Command::StopListening { .. } => None,
        }
    }
    transition.commands.iter().filter_map(message).collect()
}

fn due(transition: &Transition) -> String {
    transition.run.due_at().map_or_else(|| "over".to_owned(), |at| at.to_string())
}

fn reason(transition: &Transition) -> &EndReason {
    match &transition.run.state {
        RunState::Ended { reason, .. } => reason,
        waiting => panic!("{waiting:?}"),
    }
}

#[test]
fn a_welcome_series_sends_three_mails_over_a_month() {
    let series = workflow("- send: a\n- wait: 3 days\n- send: b\n- wait: 31 days\n- {name: last, send: a}\n");
    let first = begin(&series);
    assert_eq!((sends(&first), due(&first)), (vec!["a"], "2026-11-24T09:00:00Z".to_owned()));
    let second = moved(&first.run, &series, at("2026-11-24T09:00:00Z"));
    assert_eq!((sends(&second), due(&second)), (vec!["b"], "2026-12-25T09:00:00Z".to_owned()));
    let third = moved(&second.run, &series, at("2026-12-25T09:00:00Z"));
    assert_eq!((sends(&third), due(&third)), (vec!["a"], "over".to_owned()));
    assert_eq!((reason(&third), third.run.moves), (&EndReason::Completed, 2));
    assert_eq!(go_on(&third.run, &series, at("2027-12-25T09:00:00Z")), Advance::Ended);
}

#[test]
fn a_run_woken_early_says_when_to_come_back() {
    let series = workflow("- wait: 10 years\n- send: a\n");
    let first = begin(&series);
    let due_at = at("2036-11-18T09:00:00Z");
    assert_eq!(go_on(&first.run, &series, due_at - SignedDuration::from_nanos(1)), Advance::NotDue { due_at });
    assert_eq!(sends(&moved(&first.run, &series, due_at)), ["a"]);
}

#[test]
fn the_same_event_starts_the_same_run_and_the_same_mails() {
    let series = workflow("- send: a\n- wait: 1 day\n- send: b\n");
    let (one, two) = (begin(&series), begin(&series));
    assert_eq!(one, two);
    assert_eq!(one.run.last_commands, one.commands);
    let now = at("2026-11-22T09:00:00Z");
    assert_eq!(moved(&one.run, &series, now), moved(&two.run, &series, now));
    assert_ne!(one.commands.first(), moved(&one.run, &series, now).commands.first());
}

#[test]
fn a_loop_with_a_wait_sends_a_mail_of_its_own_each_time() {
    let series = workflow("- {name: again, send: a}\n- wait: 7 days\n- {filter: [{no_tag: stop}], next: again}\n");
    let first = begin(&series);
    let second = moved(&first.run, &series, at("2026-11-28T09:00:00Z"));
    assert_eq!(sends(&second), ["a"]);
    assert_ne!(first.commands.first(), second.commands.first());
}

#[test]
fn a_filter_ends_the_run_with_its_reason_or_leads_elsewhere() {
    let ends = begin(&workflow("- filter: [{tag: vip}]\n- send: a\n"));
    let EndReason::Filtered { step, why } = reason(&ends) else { panic!("{ends:?}") };
    assert_eq!((step.as_str(), why.as_str()), ("filter-1", "not met: has the tag \"vip\""));
    assert!(ends.commands.is_empty());
    let leads = begin(&workflow(
        "- {filter: [{tag: vip}], else: plain}\n- send: a\n- exit: was a vip\n- {name: plain, send: b}\n",
    ));
    assert_eq!((sends(&leads), reason(&leads)), (vec!["b"], &EndReason::Completed));
}

#[test]
fn a_branch_leads_to_the_first_arm_that_holds_and_else_to_its_other_step_or_on() {
    let arms =
        "- branch:\n  - {when: [{tag: vip}], to: vip}\n  - {when: [{property: user.plan, equals: pro}], to: pro}\n";
    let leads = |otherwise: &str, profile: &[call::Action]| {
        let published = workflow(&format!(
            "{arms}{otherwise}- {{send: a, next: done}}\n- {{name: vip, send: b, next: done}}\n- {{name: pro, exit: pro}}\n- {{name: done, exit: done}}\n"
        ));
        let (event, now) = (event(), at(START));
        let mut person = person();
        profile.iter().for_each(|action| person.apply(&call("2026-11-21T09:00:01Z", action.clone())));
        let facts = Facts::new(&person, &event, now);
        start(&published, ProjectId::derive(&["p"]), user(), event.clone(), Lane::Triggered, &facts, &utc())
    };
    let vip = || call::Action::Tags { add: vec!["vip".to_owned()], remove: Vec::new() };
    let pro = || call::Action::Edit { changes: [("plan".to_owned(), "pro".into())].into_iter().collect() };
    assert_eq!(sends(&leads("", &[])), ["a"], "on");
    assert_eq!(sends(&leads("  else: vip\n", &[])), ["b"], "else");
    assert_eq!(sends(&leads("", &[vip()])), ["b"]);
    assert_eq!(sends(&leads("", &[vip(), pro()])), ["b"], "the first arm of two");
    assert_eq!(reason(&leads("", &[pro()])), &EndReason::Exited { step: "pro".to_owned(), why: "pro".to_owned() });
}

#[test]
fn a_split_leads_each_person_to_one_share_and_to_the_same_one_each_time() {
    let split = |seeds: [&str; 2]| {
        workflow(&format!(
            "- {{name: first, split: [{{percent: 50, to: a1}}, {{percent: 50, to: b1}}]{}}}\n- {{name: a1, send: a, next: second}}\n- {{name: b1, send: b, next: second}}\n- {{name: second, split: [{{percent: 50, to: a2}}, {{percent: 50, to: b2}}]{}}}\n- {{name: a2, send: a, next: end}}\n- {{name: b2, send: b, next: end}}\n- {{name: end, exit: over}}\n",
            seeds[0], seeds[1]
        ))
    };
    let taken = |published: &Published, n: u32| {
        let (event, now, user) = (event(), at(START), UserId::parse(&format!("u{n}")).expect("a user"));
        let profile = person();
        let facts = Facts::new(&profile, &event, now);
        let begun = start(published, ProjectId::derive(&["p"]), user, event.clone(), Lane::Triggered, &facts, &utc());
        sends(&begun).concat()
    };
    let (apart, together) = (split(["", ""]), split([", seed: s", ", seed: s"]));
    let seen: std::collections::BTreeSet<String> = (0..100).map(|n| taken(&apart, n)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["aa", "ab", "ba", "bb"], "two splits are two lots");
    let seen: std::collections::BTreeSet<String> = (0..100).map(|n| taken(&together, n)).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["aa", "bb"], "one seed is one lot");
    assert!((0..100).all(|n| taken(&apart, n) == taken(&apart, n)));
}

#[test]
fn who_is_held_out_gets_nothing_and_the_run_says_so() {
    let (all, few) = (workflow("- hold_out: 100\n- send: a\n"), workflow("- hold_out: 0.01\n- send: a\n"));
    assert_eq!(reason(&begin(&all)), &EndReason::HeldOut { step: "hold-out-1".to_owned() });
    assert_eq!(sends(&begin(&all)), [] as [&str; 0]);
    assert_eq!(sends(&begin(&few)), ["a"]);
}

#[test]
fn an_exit_ends_the_run_with_its_text() {
    let ends = begin(&workflow("- send: a\n- exit: that is all\n- send: b\n"));
    assert_eq!(sends(&ends), ["a"]);
    assert_eq!(reason(&ends), &EndReason::Exited { step: "exit-2".to_owned(), why: "that is all".to_owned() });
}

#[test]
fn a_loop_that_slipped_through_is_stopped_and_mails_nobody() {
    let ends = begin(&workflow("- {name: again, send: a, next: again}\n"));
    assert_eq!(reason(&ends), &EndReason::Looping { step: "again".to_owned() });
    assert!(ends.commands.is_empty() && ends.run.last_commands.is_empty());
}

#[test]
fn a_step_that_is_not_there_ends_the_run_and_says_so() {
    let series = workflow("- wait: 1 day\n- send: a\n");
    let other = workflow("- {name: other, wait: 1 day}\n");
    let first = begin(&series);
    let lost = moved(&first.run, &other, at("2026-11-22T09:00:00Z"));
    assert_eq!(reason(&lost), &EndReason::Lost { step: "wait-1".to_owned() });
}

#[test]
fn a_queues_lag_is_made_good_and_an_outage_is_not() {
    let series = workflow("- wait: 1 day\n- send: a\n- wait: 10 days\n- send: b\n");
    let first = begin(&series);
    let after = |now: &str| due(&moved(&first.run, &series, at(now)));
    assert_eq!(after("2026-11-22T09:00:00Z"), "2026-12-02T09:00:00Z");
    assert_eq!(after("2026-11-22T09:59:00Z"), "2026-12-02T09:00:00Z");
    assert_eq!(after("2026-11-22T10:30:00Z"), "2026-12-02T09:30:00Z");
    assert_eq!(after("2026-12-22T09:00:00Z"), "2027-01-01T08:00:00Z");
}

#[test]
fn a_run_survives_being_stored() {
    for steps in ["- send: a\n- wait: 1 day\n", "- filter: [{tag: vip}]\n", "- exit: why\n"] {
        let run = begin(&workflow(steps)).run;
        let stored = serde_json::to_string(&run).expect("JSON");
        assert_eq!(serde_json::from_str::<Run>(&stored).expect("a run"), run, "{stored}");
    }
}

fn any_steps() -> impl Strategy<Value = String> {
    let name = || (0..8_usize).prop_map(|index| format!("s{index}"));
    let step = prop_oneof![
        (1..1_000_u32).prop_map(|minutes| format!("wait: {minutes} minutes")),
        Just("send: a".to_owned()),
        Just("filter: [{tag: vip}]".to_owned()),
        name().prop_map(|name| format!("filter: [{{tag: vip}}], else: {name}")),
        Just("exit: done".to_owned()),
        Just("hold_out: 50".to_owned()),
        (name(), name()).prop_map(|(a, b)| format!("split: [{{percent: 50, to: {a}}}, {{percent: 50, to: {b}}}]")),
        (name(), name()).prop_map(|(a, b)| format!("branch: [{{when: [{{tag: vip}}], to: {a}}}], else: {b}")),
    ];
    let step = (step, proptest::option::of(name()));
    proptest::collection::vec(step, 1..9).prop_map(|steps| {
        let line = |(index, (step, next)): (usize, (String, Option<String>))| {
            let next = next
                .filter(|_| !step.starts_with("exit") && !step.starts_with("split"))
                .map_or_else(String::new, |next| format!(", next: {next}"));
            format!("- {{name: s{index}, {step}{next}}}\n")
        };
        steps.into_iter().enumerate().map(line).collect()
    })
}

proptest! {
    #[test]
    fn no_campaign_however_wild_makes_a_run_panic_or_spin(steps in any_steps()) {
        let wild = workflow(&steps);
        let checked = !crate::campaign::check(&wild.campaign).iter().any(crate::campaign::Problem::is_error);
        let mut transition = begin(&wild);
        for moves in 0..20 {
            prop_assert_eq!(transition.run.moves, moves);
            prop_assert!(transition.commands.len() <= STEPS_WITHOUT_WAIT);
            if let RunState::Ended { reason, .. } = &transition.run.state {
                prop_assert!(!checked || !matches!(reason, EndReason::Lost { .. } | EndReason::Looping { .. }), "{:?} of {}", reason, steps);
                break;
            }
            let due_at = transition.run.due_at().expect("a wait");
            transition = moved(&transition.run, &wild, due_at);
        }
    }

    #[test]
    fn a_chain_of_waits_never_fires_early_and_takes_as_long_as_their_sum(
        waits in proptest::collection::vec((1..500_000_i64, 0..600_i64), 1..12),
    ) {
        let steps: String = waits.iter().map(|(minutes, _)| format!("- wait: {minutes} minutes\n- send: a\n")).collect();
        let series = workflow(&steps);
        let mut transition = begin(&series);
        let mut planned = at(START);
        for (minutes, late) in waits {
            planned += SignedDuration::from_mins(minutes);
            let due_at = transition.run.due_at().expect("a wait");
            let forgiven = SignedDuration::from_mins(minutes) / 10;
            prop_assert_eq!(due_at, planned);
            let early = due_at - SignedDuration::from_secs(1);
            prop_assert_eq!(go_on(&transition.run, &series, early), Advance::NotDue { due_at });
            // No later than what the next wait makes good, whatever it is: a tenth of the shortest wait.
            let late = SignedDuration::from_secs(late).min(forgiven).min(SignedDuration::from_secs(6));
            transition = moved(&transition.run, &series, due_at + late);
            prop_assert_eq!(sends(&transition), ["a"]);
        }
        prop_assert_eq!(transition.run.due_at(), None);
    }

    #[test]
    fn however_late_a_run_goes_on_its_mails_stay_apart(minutes in 10..100_000_i64, late in 0..10_000_000_i64) {
        let series = workflow(&format!("- wait: 1 day\n- send: a\n- wait: {minutes} minutes\n- send: b\n"));
        let first = begin(&series);
        let now = first.run.due_at().expect("a wait") + SignedDuration::from_secs(late);
        let next = moved(&first.run, &series, now).run.due_at().expect("a wait");
        prop_assert!(next - SignedDuration::from_mins(minutes) * 9 / 10 >= now);
    }
}

#[test]
fn the_run_of_a_person_who_was_deleted_ends_even_when_they_signed_up_again() {
    let published = workflow("  - wait: 1 day\n  - send: a\n");
    let run = begin(&published).run;
    let again = [("2026-11-21T10:00:00Z", call::Action::Delete), ("2026-11-21T11:00:00Z", track())];
    let mut profile = person();
    for (instant, action) in again {
        profile.apply(&call(instant, action));
    }
    let now = at("2026-11-22T09:00:00Z");
    let facts = Facts::new(&profile, &run.event, now);
    let Advance::Moved(transition) = run.advance(&published.campaign, &facts, &utc()) else { panic!("it moves") };
    assert_eq!(reason(&transition), &EndReason::Deleted);
    assert!(transition.commands.is_empty());
}

mod clocks;
mod deeds;
mod hearing;
mod migrating;
