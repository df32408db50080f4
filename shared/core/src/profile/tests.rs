use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::rename::rename;
use super::*;
use crate::ids::{EventId, ProjectId};

/// What the handlers keep in the table: a profile or the id that it became.
#[derive(Clone)]
enum Record {
    Profile(Box<Profile>),
    Alias(UserId),
}

/// The handlers' fold over calls, without a table.
#[derive(Default)]
struct People(BTreeMap<UserId, Record>);

impl People {
    fn resolve(&self, id: &UserId) -> Profile {
        match self.0.get(id) {
            None => Profile::new(id.clone()),
            Some(Record::Profile(profile)) => (**profile).clone(),
            Some(Record::Alias(to)) => self.resolve(to),
        }
    }

    fn take(&mut self, call: &Call) {
        let mut profile = self.resolve(&call.user);
        if let Action::Reidentify { new_id } = &call.action {
            let renamed = rename(profile, self.resolve(new_id), new_id, Stamp::of(call));
            for alias in renamed.aliases {
                self.0.insert(alias, Record::Alias(renamed.profile.id.clone()));
            }
            profile = renamed.profile;
        } else if !profile.seen().contains(call) {
            profile.apply(call);
        }
        self.0.insert(profile.id.clone(), Record::Profile(Box::new(profile)));
    }

    /// Everything somebody could see of these ids.
    fn view(&self, ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| self.resolve(&user(id))).map(|profile| seen_from_outside(&profile)).collect()
    }
}

fn seen_from_outside(profile: &Profile) -> String {
    let events: Vec<_> =
        profile.events().map(|e| (e.name.as_str(), e.count, e.first_at(), e.last_at(), e.count_since(at(4)))).collect();
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        profile.id,
        profile.created_at(),
        profile.properties().collect::<Vec<_>>(),
        profile.tags().collect::<Vec<_>>(),
        profile.subscribed(),
        profile.channels().collect::<Vec<_>>(),
        events,
        profile.former().collect::<Vec<_>>(),
    )
}

fn user(id: &str) -> UserId {
    UserId::parse(id).expect("an id")
}

/// `hours` after some noon: several values fall on one UTC day, several do not.
fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + hours * 3_600).expect("an instant")
}

fn call(number: usize, id: &str, hours: i64, action: Action) -> Call {
    Call {
        id: EventId::derive(&[&number.to_string()]),
        project: ProjectId::derive(&["p"]),
        user: user(id),
        at: at(hours),
        accepted_at: at(100 + i64::try_from(number).expect("small")),
        action,
    }
}

fn track(name: &str) -> Action {
    Action::Track {
        name: EventName::parse(name).expect("a name"),
        email: None,
        properties: Properties::new(),
        data: Properties::new(),
        source: None,
        conversion: None,
        passive: false,
    }
}

fn identify(properties: &Value) -> Action {
    Action::Identify {
        email: None,
        properties: properties.as_object().cloned().unwrap_or_default(),
        channels: vec![],
        update_only: false,
    }
}

fn edit(changes: &Value) -> Action {
    Action::Edit { changes: changes.as_object().cloned().unwrap_or_default() }
}

fn fold(calls: &[Call]) -> People {
    let mut people = People::default();
    calls.iter().for_each(|call| people.take(call));
    people
}

fn any_action() -> impl Strategy<Value = Action> {
    let key = prop_oneof![Just("plan"), Just("city")];
    let device = |platform: &str| Channel { kind: "push".into(), address: "a".into(), platform: platform.into() };
    prop_oneof![
        (key.clone(), 0..4).prop_map(|(key, value)| identify(&json!({ key: value }))),
        Just(Action::Identify {
            email: Email::parse("ann@example.com").ok(),
            properties: Properties::new(),
            channels: vec![device("ios")],
            update_only: true
        }),
        (key, 0..4_i64)
            .prop_map(|(key, value)| edit(&json!({ key: if value == 0 { Value::Null } else { Value::from(value) } }))),
        Just(Action::Tags { add: vec!["vip".into()], remove: vec!["new".into()] }),
        Just(Action::Tags { add: vec!["new".into(), "unsubscribed".into()], remove: vec!["vip".into()] }),
        Just(Action::Unsubscribe),
        Just(Action::Resubscribe),
        Just(Action::Delete),
        prop_oneof![Just("Bought It"), Just("bought_it"), Just("Left")].prop_map(track),
        prop_oneof![Just("ann"), Just("bob"), Just("cy")].prop_map(|id| Action::Reidentify { new_id: user(id) }),
    ]
}

fn any_calls() -> impl Strategy<Value = (Vec<Call>, Vec<Call>)> {
    let one = (prop_oneof![Just("ann"), Just("bob"), Just("cy")], 0..8_i64, any_action());
    prop::collection::vec(one, 1..=limits::SEEN_CALLS).prop_flat_map(|drawn| {
        let calls: Vec<Call> = drawn
            .into_iter()
            .enumerate()
            .map(|(number, (id, hours, action))| call(number, id, hours, action))
            .collect();
        let shuffled = prop::collection::vec(0..calls.len(), 0..8).prop_flat_map({
            let calls = calls.clone();
            move |again| {
                let twice: Vec<Call> =
                    calls.iter().cloned().chain(again.into_iter().filter_map(|i| calls.get(i).cloned())).collect();
                Just(twice).prop_shuffle()
            }
        });
        (Just(calls), shuffled)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_duplication_of_the_same_calls_ends_in_the_same_state((calls, shuffled) in any_calls()) {
        let ids = ["ann", "bob", "cy"];
        prop_assert_eq!(fold(&calls).view(&ids), fold(&shuffled).view(&ids));
    }

    #[test]
    fn a_stored_profile_reads_back_as_itself((calls, _) in any_calls()) {
        for id in ["ann", "bob", "cy"] {
            let profile = fold(&calls).resolve(&user(id));
            let text = serde_json::to_string(&profile).expect("json");
            prop_assert_eq!(serde_json::from_str::<Profile>(&text).expect("a profile"), profile);
        }
    }
}

#[test]
fn the_update_with_the_later_own_time_wins_whichever_comes_first() {
    let people = fold(&[
        call(0, "ann", 5, identify(&json!({"plan": "pro"}))),
        call(1, "ann", 2, identify(&json!({"plan": "free"}))),
    ]);
    assert_eq!(people.resolve(&user("ann")).property("plan"), Some(&json!("pro")));
}

#[test]
fn an_edit_never_creates_and_shows_only_if_it_came_after_the_creation() {
    let edited = call(0, "ann", 3, edit(&json!({"plan": "pro"})));
    assert!(!fold(std::slice::from_ref(&edited)).resolve(&user("ann")).exists());
    let created_before = fold(&[edited.clone(), call(1, "ann", 1, identify(&json!({})))]).resolve(&user("ann"));
    assert_eq!(created_before.property("plan"), Some(&json!("pro")));
    let created_after = fold(&[edited, call(1, "ann", 4, identify(&json!({})))]).resolve(&user("ann"));
    assert_eq!(created_after.property("plan"), None);
}

#[test]
fn a_delete_erases_what_came_before_it_and_nothing_after() {
    let calls = [
        call(0, "ann", 1, track("Bought")),
        call(1, "ann", 2, identify(&json!({"plan": "pro", "city": "Kiel"}))),
        call(2, "ann", 6, track("Bought")),
        call(3, "ann", 7, edit(&json!({"plan": "free"}))),
        call(4, "ann", 5, Action::Delete),
    ];
    let ann = fold(&calls).resolve(&user("ann"));
    assert_eq!((ann.property("plan"), ann.property("city")), (Some(&json!("free")), None));
    assert_eq!(ann.count(&EventName::parse("bought").expect("a name"), None), 1);
    assert_eq!(ann.created_at(), Some(at(6)));
    assert!(ann.riding().iter().all(|activity| activity.at > at(5)));
}

#[test]
fn a_renamed_person_keeps_history_and_answers_to_both_ids() {
    let calls = [
        call(0, "ann", 1, track("Bought")),
        call(1, "bob", 2, track("Bought")),
        call(2, "ann", 3, Action::Reidentify { new_id: user("bob") }),
        call(3, "ann", 4, track("Bought")),
    ];
    let people = fold(&calls);
    for id in ["ann", "bob"] {
        let profile = people.resolve(&user(id));
        assert_eq!(profile.id, user("bob"));
        assert_eq!(profile.count(&EventName::parse("bought").expect("a name"), None), 3);
    }
}

#[test]
fn an_unsubscribe_counts_even_before_the_profile_exists() {
    let calls = [call(0, "ann", 1, Action::Unsubscribe), call(1, "ann", 2, identify(&json!({})))];
    assert!(!fold(&calls).resolve(&user("ann")).subscribed());
}

#[test]
fn a_profile_stays_bounded_whatever_is_thrown_at_it() {
    let mut profile = Profile::new(user("ann"));
    for number in 0..600 {
        let (hours, wide) =
            (i64::try_from(number).expect("small"), json!({ format!("key{number}"): "x".repeat(1_000) }));
        let device = Channel { kind: "push".into(), address: format!("{number}").repeat(60), platform: "ios".into() };
        let tags = (0..40).map(|tag| format!("tag {number} {tag} {}", "t".repeat(200))).collect();
        let properties = wide.as_object().cloned().expect("an object");
        let wide = Action::Identify { email: None, properties, channels: vec![device], update_only: false };
        profile.apply(&call(number, "ann", hours, wide));
        profile.apply(&call(number + 10_000, "ann", hours, Action::Tags { add: tags, remove: vec![] }));
        for name in 0..30 {
            let event = track(&format!("event {} {}", name, number % 7));
            profile.apply(&call(number * 100 + name + 100_000, "ann", hours * 24, event));
        }
        profile.unload_activity(at(1));
        let other = Profile::new(user(&format!("former {number}")));
        let rename_to_ann = call(number + 20_000, "ann", hours, Action::Delete);
        profile = rename(other, profile, &user("ann"), Stamp::of(&rename_to_ann)).profile;
    }
    let bytes = serde_json::to_string(&profile).expect("json").len();
    assert!(bytes <= 300 * 1024, "{bytes}");
    profile.apply(&call(900_000, "ann", 600 * 24, Action::Unsubscribe));
    assert!(!profile.subscribed());
}

#[test]
fn an_ordinary_profile_stays_within_one_write_unit() {
    let mut profile = Profile::new(user("5f0c9f2e"));
    let data = json!({"email": "ann@example.com", "first_name": "Ann", "plan": "pro"});
    let prompt = |number, action| Call { accepted_at: at(1), ..call(number, "5f0c9f2e", 1, action) };
    profile.apply(&prompt(0, identify(&data)));
    for number in 1..40 {
        profile.apply(&prompt(number, track(["Signed up", "Purchased item"][number % 2])));
        profile.unload_activity(at(1));
    }
    profile.riding.clear();
    let bytes = serde_json::to_string(&profile).expect("json").len();
    assert!(bytes <= 900, "{bytes}");
}
