//! Runs that wait by the clock on the wall. The instants of waits themselves are held against an oracle (`wait::tests`);
//! here is what a run makes of them.

use serde_json::{Value, json};

use super::*;

/// Somebody with these properties.
fn somebody(properties: &Value) -> Profile {
    let mut profile = person();
    let changes = properties.as_object().cloned().unwrap_or_default();
    profile.apply(&call("2026-11-21T09:00:00.001Z", call::Action::Edit { changes }));
    profile
}

/// A person on the way through a campaign.
struct Passage {
    published: Published,
    profile: Profile,
    at: Transition,
}

impl Passage {
    /// Begins at 9:00 UTC on Saturday 21 November 2026.
    fn begin(steps: &str, properties: &Value) -> Self {
        let (published, profile, event) = (workflow(steps), somebody(properties), event());
        let facts = Facts::new(&profile, &event, at(START));
        let begun =
            start(&published, ProjectId::derive(&["p"]), user(), event.clone(), Lane::Triggered, &facts, &utc());
        Self { published, profile, at: begun }
    }

    /// Wakes the run then; whether it moved.
    fn wake(&mut self, now: &str) -> bool {
        let run = &self.at.run;
        let facts = Facts::new(&self.profile, &run.event, at(now));
        match run.advance(&self.published.campaign, &facts, &utc()) {
            Advance::Moved(transition) => {
                self.at = *transition;
                true
            }
            Advance::NotDue { .. } | Advance::Ended => false,
        }
    }

    fn edit(&mut self, properties: &Value) {
        let changes = properties.as_object().cloned().unwrap_or_default();
        self.profile.apply(&call("2026-11-22T09:00:00Z", call::Action::Edit { changes }));
    }

    /// When the run ends its wait, and when it is woken.
    fn times(&self) -> [String; 2] {
        let RunState::Waiting { due_at, .. } = &self.at.run.state else { return ["over".to_owned(), String::new()] };
        let Some(Command::Wake { due_at: wake, .. }) = self.at.commands.last() else { panic!("{:?}", self.at) };
        assert_eq!(self.at.run.due_at(), Some(*wake), "the row and its timer say the same");
        [due_at.to_string(), wake.to_string()]
    }
}

#[test]
fn a_run_waits_until_nine_where_the_person_lives() {
    let steps = "- wait: {until: \"9:00\", if_passed: next_day}\n- send: a\n";
    for (properties, due_at) in [
        (json!({}), "2026-11-21T09:00:00Z"),
        (json!({"ianaTimezone": "America/New_York"}), "2026-11-21T14:00:00Z"),
        (json!({"ianaTimezone": "Asia/Kolkata"}), "2026-11-22T03:30:00Z"),
        (json!({"timezone": -3}), "2026-11-21T12:00:00Z"),
        (json!({"ianaTimezone": "Mars/Olympus", "timezone": 5.75}), "2026-11-22T03:15:00Z"),
    ] {
        let passage = Passage::begin(steps, &properties);
        let [due, _] = passage.times();
        let expected = if due_at == START { "over" } else { due_at };
        assert_eq!(due, expected, "{properties}");
    }
    let passage = Passage::begin(steps, &json!({"ianaTimezone": "Mars/Olympus", "timezone": 5.75}));
    assert_eq!(codes(&passage.at.misread), "user.ianaTimezone: unknown_zone");
}

#[test]
fn a_wait_that_is_over_at_once_takes_no_time_and_no_timer() {
    let open = Passage::begin("- wait: {window: {from: \"8:00\", to: \"18:00\"}}\n- send: a\n", &json!({}));
    assert_eq!((sends(&open.at), open.at.commands.len()), (vec!["a"], 1));
    let past = Passage::begin("- wait: {date: user.renewal_at}\n- send: a\n", &json!({"renewal_at": "2026-11-01"}));
    assert_eq!(sends(&past.at), ["a"]);
}

#[test]
fn what_is_no_date_leads_to_the_other_step_or_ends_the_run_with_the_reason() {
    let wait = "- wait: {date: user.renewal_at, before: 3 days, else: none}\n- send: a\n- {name: none, send: b}\n";
    assert_eq!(sends(&Passage::begin(wait, &json!({"renewal_at": "soon"})).at), ["b"]);
    let ends = Passage::begin(&wait.replace(", else: none", ""), &json!({"renewal_at": "soon"}));
    let why = "user.renewal_at is not a date: unreadable".to_owned();
    assert_eq!(reason(&ends.at), &EndReason::NotADate { step: "wait-1".to_owned(), why });
}

#[test]
fn a_person_who_moves_is_mailed_at_nine_where_they_live_by_then() {
    let steps = "- wait: {for: 5 days, until: \"9:00\"}\n- send: a\n";
    let passage = Passage::begin(steps, &json!({"ianaTimezone": "Europe/Berlin"}));
    // It began at 10:00 in Berlin, so nine is over after five days: the plain delay, which stays.
    assert_eq!(passage.times()[0], "2026-11-26T09:00:00Z");
    let mut passage = Passage::begin(&steps.replace("9:00", "18:00"), &json!({"ianaTimezone": "Europe/Berlin"}));
    assert_eq!(passage.times(), ["2026-11-26T17:00:00Z", "2026-11-25T14:00:00Z"].map(str::to_owned));
    passage.edit(&json!({"ianaTimezone": "Asia/Tokyo"}));
    assert!(!passage.wake("2026-11-25T13:59:59Z"), "the eve is not yet");
    assert!(passage.wake("2026-11-25T14:00:00Z"));
    assert_eq!(passage.times(), ["2026-11-26T09:00:00Z"; 2].map(str::to_owned), "18:00 in Tokyo");
    assert!(sends(&passage.at).is_empty() && !passage.wake("2026-11-26T08:59:59Z"));
    assert!(passage.wake("2026-11-26T09:00:00Z"));
    assert_eq!(sends(&passage.at), ["a"]);
}

#[test]
fn a_person_who_moves_west_on_the_last_day_waits_on_and_nobody_is_mailed_early() {
    let steps = "- wait: {until: \"18:00\"}\n- send: a\n";
    let mut passage = Passage::begin(steps, &json!({"ianaTimezone": "Europe/Berlin"}));
    assert_eq!(passage.times()[0], "2026-11-21T17:00:00Z");
    passage.edit(&json!({"ianaTimezone": "America/New_York"}));
    assert!(passage.wake("2026-11-21T17:00:00Z"));
    assert_eq!(passage.times(), ["2026-11-21T23:00:00Z"; 2].map(str::to_owned));
    assert!(passage.wake("2026-11-21T23:00:00Z") && sends(&passage.at) == ["a"]);
}

#[test]
fn a_date_that_is_put_off_or_forward_is_followed() {
    let steps = "- wait: {date: user.trial_ends, before: 3 days, at: \"9:00\", else: gone}\n- send: a\n- {name: gone, exit: gone}\n";
    let trial = |date: &str| json!({"trial_ends": date});
    let mut passage = Passage::begin(steps, &trial("2026-12-24"));
    assert_eq!(passage.times(), ["2026-12-21T09:00:00Z", "2026-12-20T06:00:00Z"].map(str::to_owned));
    passage.edit(&trial("2027-01-24"));
    assert!(passage.wake("2026-12-20T06:00:00Z"));
    assert_eq!(passage.times(), ["2027-01-21T09:00:00Z", "2027-01-20T06:00:00Z"].map(str::to_owned));
    let mut sooner = Passage::begin(steps, &trial("2026-12-24"));
    sooner.edit(&trial("2026-12-22"));
    assert!(sooner.wake("2026-12-20T06:00:00Z"));
    assert_eq!(sends(&sooner.at), ["a"], "it is over already");
    let mut gone = Passage::begin(steps, &trial("2026-12-24"));
    gone.edit(&json!({"trial_ends": null}));
    assert!(gone.wake("2026-12-20T06:00:00Z"));
    assert_eq!(reason(&gone.at), &EndReason::Exited { step: "gone".to_owned(), why: "gone".to_owned() });
}

#[test]
fn who_moves_west_in_the_year_has_their_birthday_on_the_day() {
    let steps = "- wait: {date: user.birthday, at: \"9:00\", yearly: true}\n- send: a\n";
    let berlin = json!({"birthday": "1990-11-21", "ianaTimezone": "Europe/Berlin"});
    // It is 10:00 in Berlin on the day: the next one is meant, and not this one where it is not yet nine.
    let mut passage = Passage::begin(steps, &berlin);
    assert_eq!(passage.times(), ["2027-11-21T08:00:00Z", "2027-11-20T05:00:00Z"].map(str::to_owned));
    passage.edit(&json!({"ianaTimezone": "America/New_York"}));
    assert!(passage.wake("2027-11-20T05:00:00Z"));
    assert_eq!(passage.times()[0], "2027-11-21T14:00:00Z");
    assert!(passage.wake("2027-11-21T14:00:00Z") && sends(&passage.at) == ["a"]);
}

/// A campaign that somebody's birthday starts at 9:00, and the run that waits for it from 10:00 in Berlin on that day on.
fn expected() -> (Published, Profile, Transition) {
    let text = "name: Test\nkind: workflow\ntrigger: {date: user.birthday, at: \"9:00\", yearly: true}\nfrom: ann@example.com\nmessages:\n  a: {subject: A, text: a}\nsteps:\n- send: a\n";
    let campaign = parse("test.yaml", text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let published = Published { campaign: Arc::new(campaign), ..workflow("- send: a\n- send: b\n") };
    let mut profile = somebody(&json!({"birthday": "1990-11-21", "ianaTimezone": "Europe/Berlin"}));
    let told = call(START, track());
    let date = date_of(&published, &profile);
    profile.expect(&published.campaign.id, date, &told);
    let waits = expect(&published, &profile, &utc(), &told, at(START)).expect("it is expected");
    (published, profile, waits)
}

#[test]
fn who_moves_west_after_a_birthday_enters_at_the_next_one() {
    let (published, mut profile, waits) = expected();
    assert_eq!(waits.run.due_at(), Some(at("2027-11-20T05:00:00Z")), "the eve");
    let changes = json!({"ianaTimezone": "America/New_York"}).as_object().cloned().unwrap_or_default();
    profile.apply(&call("2026-11-22T09:00:00Z", call::Action::Edit { changes }));
    let facts = Facts::new(&profile, &waits.run.event, at("2027-11-20T05:00:00Z"));
    let Advance::Moved(eve) = waits.run.advance(&published.campaign, &facts, &utc()) else { panic!() };
    assert_eq!(eve.run.due_at(), Some(at("2027-11-21T14:00:00Z")), "{eve:?}");
}

#[test]
fn who_enters_late_at_a_date_entered_at_that_date() {
    let (published, profile, waits) = expected();
    let late = at("2027-11-23T12:00:00Z");
    let facts = Facts::new(&profile, &waits.run.event, late);
    let Advance::Moved(there) = waits.run.advance(&published.campaign, &facts, &utc()) else { panic!() };
    let [Command::Call { call }] = there.commands.as_slice() else { panic!("{there:?}") };
    assert_eq!((call.at, call.accepted_at > late), (at("2027-11-21T08:00:00Z"), true));
}

#[test]
fn a_run_that_is_woken_after_its_window_has_closed_waits_for_the_next_opening() {
    let steps = "- wait: {window: {from: \"10:00\", to: \"18:00\"}}\n- send: a\n";
    let mut passage = Passage::begin(steps, &json!({}));
    assert_eq!(passage.times()[0], "2026-11-21T10:00:00Z");
    assert!(passage.wake("2026-11-21T23:00:00Z") && sends(&passage.at).is_empty(), "quiet hours");
    assert_eq!(passage.times()[0], "2026-11-22T10:00:00Z");
    assert!(passage.wake("2026-11-22T10:00:01Z") && sends(&passage.at) == ["a"]);
    let mut late = Passage::begin(steps, &json!({}));
    assert!(late.wake("2026-11-21T17:59:59Z") && sends(&late.at) == ["a"], "it is still open");
}

#[test]
fn a_calendar_day_ends_where_it_began_whoever_moves() {
    let mut passage = Passage::begin("- wait: 10 days\n- send: a\n", &json!({"ianaTimezone": "Europe/Berlin"}));
    assert_eq!(passage.times()[0], "2026-12-01T09:00:00Z");
    passage.edit(&json!({"ianaTimezone": "America/New_York"}));
    assert_eq!(passage.times()[0], passage.times()[1], "nobody looks at it before");
    assert!(passage.wake("2026-12-01T09:00:00Z") && sends(&passage.at) == ["a"]);
}

#[test]
fn a_run_that_waits_by_the_clock_survives_being_stored() {
    let passage =
        Passage::begin("- wait: {for: 5 days, until: \"18:00\"}\n", &json!({"ianaTimezone": "Europe/Berlin"}));
    let stored = serde_json::to_string(&passage.at.run).expect("JSON");
    assert_eq!(serde_json::from_str::<Run>(&stored).expect("a run"), passage.at.run, "{stored}");
}

#[test]
fn a_loop_of_waits_that_may_be_over_at_once_is_refused() {
    for (wait, fine) in [
        ("{until: \"9:00\", if_passed: next_day}", false),
        ("{window: {from: \"8:00\", to: \"18:00\"}}", false),
        ("{date: user.renewal_at}", false),
        ("{for: 1 hour, until: \"9:00\", if_passed: next_day}", true),
        ("1 day", true),
        ("{between: [1 hour, 2 hours]}", true),
    ] {
        let looping = workflow(&format!(
            "- {{name: again, send: a}}\n- wait: {wait}\n- filter: [{{no_tag: x}}]\n  next: again\n"
        ));
        let refused =
            crate::campaign::check(&looping.campaign).iter().any(|problem| problem.what.contains("loops for ever"));
        assert_eq!(refused, !fine, "{wait}");
    }
}
