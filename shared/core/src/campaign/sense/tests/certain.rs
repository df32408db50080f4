//! Whatever is called a contradiction is one: nobody, whatever is known of them, passes it.

use super::*;
use crate::call::{Action as Did, Call};
use crate::condition::{Facts, decide};
use crate::event_name::EventName;
use crate::filter::Threshold;
use crate::ids::{EventId, ProjectId, UserId};
use crate::profile::Profile;
use crate::task::TriggerEvent;
use jiff::{SignedDuration, Timestamp};

/// The person's and the event's moment.
const TRIGGER: &str = "2026-11-20T12:00:00Z";

/// Few values, each near another one.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-0.0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(2),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_993_u64),
        json!(9_007_199_254_740_992.0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("a"),
        json!("an"),
        json!("anna"),
        json!("1"),
        json!("2026-11-19"),
        json!("2026-11-19T00:00:00Z"),
        json!("2026-11-20T12:00:00Z"),
        json!("2026-11-25"),
        json!([]),
        json!(["a"]),
        json!({"a": "a"}),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    proptest::sample::select(values())
}

/// All tests of these values, and of parts of their texts.
fn tests() -> Vec<(&'static str, Value)> {
    let mut tests = vec![("is_set", json!(true)), ("is_set", json!(false))];
    for value in values().into_iter().filter(|value| !value.is_null() && !value.is_array() && !value.is_object()) {
        tests.extend(["equals", "not_equals"].map(|word| (word, value.clone())));
        if serde_json::from_value::<Threshold>(value.clone()).is_ok() {
            tests.extend(["greater_than", "less_than"].map(|word| (word, value.clone())));
        }
    }
    for part in ["a", "n", "an", "anna", "1", "2026", "b"] {
        tests.extend(["contains", "does_not_contain"].map(|word| (word, json!(part))));
    }
    for span in ["1 day", "7 days"] {
        tests.extend(["in_the_last", "in_the_next"].map(|word| (word, json!(span))));
    }
    tests
}

fn condition() -> impl Strategy<Value = Value> {
    let name = || proptest::sample::select(vec!["user.a", "event.a", "event.a", "event.a.a"]);
    let property = (name(), proptest::sample::select(tests()))
        .prop_map(|(name, (word, asked))| json!({"property": name, word: asked}));
    let tag = proptest::sample::select(vec![json!({"tag": "vip"}), json!({"no_tag": "vip"}), json!({"tag": "beta"})]);
    let bounds = || proptest::sample::select(vec!["at_least", "at_most", "exactly"]);
    let windows = vec![json!({}), json!({}), json!({"within": "2 days"}), json!({"since": "trigger"})];
    let history = (proptest::option::of((bounds(), 0..3_u64)), proptest::sample::select(windows)).prop_map(
        |(bound, mut asked)| {
            asked["triggered"] = json!("X");
            if let Some((word, count)) = bound {
                asked[word] = json!(count);
            }
            asked
        },
    );
    let leaf = prop_oneof![6 => property, 1 => tag, 2 => history];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let group = || proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            group().prop_map(|all| json!({"all": all})),
            group().prop_map(|any| json!({"any": any})),
            inner.clone().prop_map(|not| json!({"not": not})),
        ]
    })
}

fn conditions() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(condition(), 0..4)
}

/// A person, a moment, and the trigger event's property.
fn person() -> impl Strategy<Value = (Profile, Timestamp)> {
    let tags = proptest::sample::subsequence(vec!["vip", "beta"], 0..=2);
    let events = proptest::collection::vec(-200..100_i64, 0..4);
    (value(), tags, events, 0..200_i64).prop_map(|(value, tags, events, later)| {
        let trigger: Timestamp = TRIGGER.parse().expect("an instant");
        let user = UserId::parse("u1").expect("a user");
        let call = |id: String, at: Timestamp, action: Did| {
            let project = ProjectId::derive(&["p"]);
            Call { id: EventId::derive(&[&id]), project, user: user.clone(), at, accepted_at: at, action }
        };
        let created = trigger - SignedDuration::from_hours(1_000);
        let properties = json!({"a": value}).as_object().cloned().expect("properties");
        let mut profile = Profile::new(user.clone());
        profile.apply(&call(
            "identify".to_owned(),
            created,
            Did::Identify { email: None, properties, channels: Vec::new(), update_only: false },
        ));
        let add = tags.into_iter().map(str::to_owned).collect();
        profile.apply(&call("tags".to_owned(), created, Did::Tags { add, remove: Vec::new() }));
        for (index, hours) in events.into_iter().enumerate() {
            let name = EventName::parse("X").expect("a name");
            let (properties, data) = Default::default();
            let track =
                Did::Track { name, email: None, properties, data, source: None, conversion: None, passive: false };
            profile.apply(&call(index.to_string(), trigger + SignedDuration::from_hours(hours), track));
        }
        (profile, trigger + SignedDuration::from_hours(later))
    })
}

fn event(value: &Value) -> TriggerEvent {
    TriggerEvent {
        id: EventId::derive(&["e"]),
        name: EventName::parse("Purchased item").expect("a name"),
        at: TRIGGER.parse().expect("an instant"),
        data: json!({"a": value}).as_object().cloned().expect("properties"),
    }
}

/// A condition, or its opposite, as a list of one.
fn lists() -> Vec<Vec<Condition>> {
    let asked = tests().into_iter().map(|(word, value)| json!({"property": "event.a", word: value}));
    let both = asked.flat_map(|condition| [condition.clone(), json!({"not": condition})]);
    both.map(|condition| vec![serde_json::from_value(condition).expect("a condition")]).collect()
}

#[test]
fn no_value_passes_two_tests_of_it_that_are_called_a_contradiction() {
    let nobody = Profile::new(UserId::parse("u1").expect("a user"));
    let moments = ["2026-11-18T00:00:00Z", TRIGGER, "2026-11-25T00:00:00Z", "2026-12-24T00:00:00Z"];
    let moments = moments.map(|moment| moment.parse::<Timestamp>().expect("an instant"));
    let trigger = Condition::All { all: Vec::new() };
    // What passes each list, as bits: value by value, moment by moment.
    let pass = |list: &[Condition]| -> Vec<[bool; 4]> {
        let events = values().into_iter().map(|value| event(&value));
        events.map(|event| moments.map(|now| decide(list, &Facts::new(&nobody, &event, now)).passed())).collect()
    };
    let lists: Vec<_> = lists().into_iter().map(|list| (pass(&list), list)).collect();
    for (first_passes, first) in &lists {
        for (second_passes, second) in &lists {
            let mut asked = Asked::about(Some(&trigger));
            asked.list("trigger.filters", first, Severity::Error);
            asked.list("together", second, Severity::Error);
            if !asked.problems.is_empty() {
                let both =
                    |(one, other): (&[bool; 4], &[bool; 4])| one.iter().zip(other).any(|(one, other)| *one && *other);
                let passed = first_passes.iter().zip(second_passes).any(both);
                assert!(!passed, "{first:?} and {second:?} together");
            }
            let mut asked = Asked::about(Some(&trigger));
            asked.list("trigger.filters", first, Severity::Error);
            asked.keep_what_stays();
            asked.list("later", second, Severity::Error);
            if !asked.problems.is_empty() {
                let both = |(one, other): (&[bool; 4], &[bool; 4])| one.contains(&true) && other.contains(&true);
                let passed = first_passes.iter().zip(second_passes).any(both);
                assert!(!passed, "{first:?}, and {second:?} later");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_passes_what_is_called_a_contradiction(
        trigger in conditions(),
        campaign in conditions(),
        message in conditions(),
        send in conditions(),
        people in proptest::collection::vec(person(), 24),
        values in proptest::collection::vec(value(), 24),
    ) {
        let lists = json!({"trigger": trigger, "campaign": campaign, "message": message, "send": send});
        let workflow = workflow(&lists);
        let problems = check(&workflow);
        let (of_trigger, of_mail): (Vec<_>, Vec<_>) =
            problems.iter().filter(|problem| problem.is_error()).partition(|problem| problem.path.starts_with("trigger"));
        let asked = |problem: &&Problem| problem.what.contains("the trigger asks for") && !problem.path.contains(".any[") && !problem.path.contains(".all[");
        let fixed: Vec<_> = problems.iter().filter(asked).collect();
        let sending = workflow.sending("hello").expect("a mail");
        for (value, ((profile, now), (later, moment))) in values.iter().zip(people.iter().zip(people.iter().rev())) {
            let event = event(value);
            let starts = decide(&workflow.trigger.filters, &Facts::new(profile, &event, *now)).passed();
            prop_assert!(!starts || of_trigger.is_empty(), "{:?}", of_trigger);
            let sends = sending.decide(&Facts::new(later, &event, *moment)).passed();
            prop_assert!(!sends || of_mail.is_empty(), "{:?}", of_mail);
            prop_assert!(!(starts && sends) || fixed.is_empty(), "{:?}", fixed);
        }
    }
}
