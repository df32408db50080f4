//! What holds for every wait, zone and start.

use jiff::SignedDuration;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn any_zone() -> impl Strategy<Value = Zone> {
    let bundled = TimeZoneDatabase::bundled();
    let names: Vec<String> = bundled.available().map(|name| name.to_string()).collect();
    prop_oneof![
        9 => any::<Index>().prop_map(move |index| zone(index.get::<String>(&names))),
        1 => (-48..=56_i32).prop_map(|quarters| zone(&(f64::from(quarters) / 4.0).to_string())),
    ]
}

/// Milliseconds from 1850 to 2100.
fn any_start() -> impl Strategy<Value = Timestamp> {
    (-3_786_825_600_000..4_102_444_800_000_i64).prop_map(|at| Timestamp::from_millisecond(at).expect("an instant"))
}

fn any_time() -> impl Strategy<Value = String> {
    (0..24_u8, 0..60_u8).prop_map(|(hour, minute)| format!("{hour}:{minute:02}"))
}

fn any_span() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..3_650_u32).prop_map(|days| format!("{days} days")),
        (1..100_000_u32).prop_map(|minutes| format!("{minutes} minutes")),
        (1..400_u32, 1..100_u32).prop_map(|(days, hours)| format!("{days} days {hours} hours")),
    ]
}

fn any_days() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(WEEKDAYS.to_vec(), 0..=7)
}

fn any_wait() -> impl Strategy<Value = Wait> {
    let flag = || any::<bool>();
    let until =
        (any_time(), any_days(), flag(), proptest::option::of(any_span())).prop_map(|(time, on, next, delay)| {
            let mut form = json!({"until": time, "on": on, "if_passed": if next { "next_day" } else { "go_on" }});
            if let Some(delay) = delay {
                form["for"] = json!(delay);
            }
            form
        });
    let date = (flag(), flag(), proptest::option::of(any_time()), any_span()).prop_map(|(yearly, before, at, span)| {
        let mut form = json!({"date": "user.d", "yearly": yearly});
        form[if before { "before" } else { "after" }] = json!(span);
        if let Some(at) = at {
            form["at"] = json!(at);
        }
        form
    });
    let window = (any_time(), any_time(), any_days())
        .prop_map(|(from, to, on)| json!({"window": {"from": from, "to": to, "on": on}}));
    let between = (any_span(), any_span()).prop_map(|(first, second)| json!({"between": [first, second]}));
    prop_oneof![any_span().prop_map(Value::from), until, date, window, between].prop_map(wait)
}

fn any_date() -> impl Strategy<Value = Value> {
    (any_start(), 0..3_u8).prop_map(|(at, form)| match form {
        0 => json!(at.to_string()),
        1 => json!(zone("UTC").local(at).to_string()),
        _ => json!(zone("UTC").local(at).date().to_string()),
    })
}

proptest! {
    #[test]
    fn no_wait_ends_before_it_starts_and_its_intent_means_the_same_instant(
        wait in any_wait(), zone in any_zone(), at in any_start(), value in any_date(),
    ) {
        let ends = match wait.ends(&Start { at, zone: &zone, value: Some(&value), seed: &["run_1"] }) {
            Err(NotADate { found: NotDate::TooFar, .. }) => return Ok(()),
            ends => ends.expect("a date"),
        };
        prop_assert!(ends.at >= at, "{ends:?}");
        if let Some(intent) = ends.intent {
            let stored = serde_json::to_string(&intent).expect("a text");
            let read: Intent = serde_json::from_str(&stored).expect("an intent");
            prop_assert_eq!(&read, &intent);
            prop_assert_eq!(intent.instant(None, Timestamp::MIN), ends.at);
            prop_assert_eq!(intent.instant(Some(&zone), Timestamp::MIN), ends.at);
        }
    }

    #[test]
    fn who_starts_later_or_waits_longer_is_not_done_earlier(
        zone in any_zone(), at in any_start(), days in 0..400_u32, hours in 1..100_u32, more in 1..100_u32,
    ) {
        let span = |days: u32, hours: u32| Span::parse(&format!("{days} days {hours} hours")).expect("a span");
        let ends = span(days, hours).after_in(at, &zone);
        prop_assert!(span(days, hours + more).after_in(at, &zone) > ends);
        prop_assert!(span(days + more, hours).after_in(at, &zone) >= ends);
        let exact = span(0, hours);
        let later = at + SignedDuration::from_secs(i64::from(more));
        prop_assert!(exact.after_in(later, &zone) > exact.after_in(at, &zone));
    }

    #[test]
    fn an_instant_of_a_local_time_shows_it_or_a_later_one(zone in any_zone(), at in any_start()) {
        let wall = zone.local(at);
        prop_assert!(zone.instant(wall) <= at);
        prop_assert_eq!(zone.local(zone.instant(wall)), wall);
    }

    #[test]
    fn a_window_that_was_waited_for_is_open(
        zone in any_zone(), at in any_start(), from in any_time(), to in any_time(), on in any_days(),
    ) {
        let wait = wait(json!({"window": {"from": from, "to": to, "on": on}}));
        let ends = |at| wait.ends(&Start { at, zone: &zone, value: None, seed: &[] }).expect("an end").at;
        prop_assert_eq!(ends(ends(at)), ends(at));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,40}") {
        let _ = (Zone::parse(&text), LocalTime::parse(&text), Moment::parse(&text));
        let _ = serde_json::from_value::<Wait>(json!({"until": text}));
    }

    #[test]
    fn no_text_near_a_time_makes_a_parser_panic(text in "(UTC|GMT)?[+-]?[0-9:.TZ-]{0,24}") {
        let _ = (Zone::parse(&text), LocalTime::parse(&text), Moment::parse(&text));
    }
}
