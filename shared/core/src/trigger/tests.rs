use serde_json::json;

use super::*;
use crate::ids::{EventId, ProjectId, UserId};
use crate::profile::Profile;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn published(id: &str, event: &str, filters: &str) -> Published {
    let text = format!(
        "id: cmp_{id}\nname: {id}\nkind: transactional\ntrigger:\n  event: {event}\n  filters: {filters}\nfrom: a@example.com\nmessage: {{subject: s, text: t}}\n"
    );
    let campaign =
        crate::campaign::parse("x.yaml", &text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
    Published { campaign: Arc::new(campaign), version: 1, published_at: at("2026-11-01T00:00:00Z"), paused: false }
}

fn answers(campaigns: Vec<Published>, event: &str, accepted_at: &str) -> Vec<(String, String)> {
    let data = json!({"total": 5}).as_object().cloned().unwrap_or_default();
    let call = call(json!({"kind": "track", "name": event, "data": data}), accepted_at);
    let profile = Profile::new(call.user.clone());
    let campaigns = Campaigns::new(campaigns);
    let shown = |asking: &Asking<'_>| match asking.decide(call.accepted_at, &profile) {
        Decision::Pass => (asking.published.campaign.id.to_string(), "enters".to_owned()),
        Decision::Fail(reason) => (asking.published.campaign.id.to_string(), reason.to_string()),
    };
    campaigns.asked_by(&call).iter().map(shown).collect()
}

fn call(action: serde_json::Value, accepted_at: &str) -> Call {
    Call {
        id: EventId::derive(&[&action.to_string(), accepted_at]),
        project: ProjectId::derive(&["p"]),
        user: UserId::parse("u").expect("a user"),
        at: at(accepted_at),
        accepted_at: at(accepted_at),
        action: serde_json::from_value(action).expect("an action"),
    }
}

/// A campaign that something else starts than an event.
fn started_by(trigger: &str) -> Published {
    let published = published("a", "X", "[]");
    let text = format!(
        "id: cmp_a\nname: a\nkind: transactional\ntrigger: {trigger}\nfrom: a@example.com\nmessage: {{subject: s, text: t}}\n"
    );
    let campaign =
        crate::campaign::parse("x.yaml", &text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}"));
    Published { campaign: Arc::new(campaign), ..published }
}

#[test]
fn who_comes_into_a_condition_enters_and_who_was_in_it_does_not() {
    let (enters, leaves) =
        ("{enters: [{property: user.plan, equals: pro}]}", "{leaves: [{property: user.plan, equals: pro}]}");
    let story = [
        (json!({"kind": "track", "name": "Looked"}), (false, false)),
        (json!({"kind": "edit", "changes": {"plan": "pro"}}), (true, false)),
        (json!({"kind": "edit", "changes": {"plan": "pro", "n": 1}}), (false, false)),
        (json!({"kind": "edit", "changes": {"plan": "free"}}), (false, true)),
        (json!({"kind": "edit", "changes": {"plan": "pro"}}), (true, false)),
        (json!({"kind": "delete"}), (false, false)),
        (json!({"kind": "identify", "properties": {"plan": "pro"}}), (true, false)),
    ];
    let mut profile = Profile::new(UserId::parse("u").expect("a user"));
    for (number, (action, expected)) in story.into_iter().enumerate() {
        let call = call(action, &format!("2026-11-20T00:00:{number:02}Z"));
        let before = profile.clone();
        profile.apply(&call);
        let crossed = |trigger: &str| {
            let campaigns = Campaigns::new([started_by(trigger)]);
            campaigns.crossed_by(&call).iter().any(|asking| asking.is_crossed(&before, &profile, call.accepted_at))
        };
        assert_eq!((crossed(enters), crossed(leaves)), expected, "{:?}", call.action);
    }
}

#[test]
fn a_passive_event_starts_nothing_and_a_campaign_can_be_asked_for_by_name() {
    let campaigns = Campaigns::new([published("a", "Bought", "[]"), started_by("{api: true}")]);
    let passive = call(json!({"kind": "track", "name": "Bought", "passive": true}), LATER);
    assert!(campaigns.asked_by(&passive).is_empty());
    let crossed = Campaigns::new([started_by("{enters: [{triggered: Bought}]}")]);
    let active = call(json!({"kind": "track", "name": "Bought"}), LATER);
    assert_eq!((crossed.crossed_by(&active).len(), crossed.crossed_by(&passive).len()), (1, 0));
    let enter = call(json!({"kind": "enter", "campaign": "cmp_a", "data": {"n": 1}}), LATER);
    assert_eq!(
        campaigns.asked_by(&enter).iter().map(|asking| asking.event.data.clone()).collect::<Vec<_>>(),
        [json!({"n": 1}).as_object().cloned().expect("an object")]
    );
    assert!(campaigns.asked_by(&call(json!({"kind": "enter", "campaign": "cmp_b"}), LATER)).is_empty());
}

fn one(published: Published, accepted_at: &str) -> String {
    answers(vec![published], "Purchased item", accepted_at).pop().map(|(_, answer)| answer).unwrap_or_default()
}

const LATER: &str = "2026-11-20T00:00:00Z";

#[test]
fn an_event_enters_the_campaigns_that_ask_for_it_however_it_is_spelt() {
    let campaigns = vec![
        published("b", "Purchased item", "[]"),
        published("c", "Signed up", "[]"),
        published("a", "purchased_item", "[]"),
    ];
    let expected = [("cmp_a".to_owned(), "enters".to_owned()), ("cmp_b".to_owned(), "enters".to_owned())];
    assert_eq!(answers(campaigns.clone(), "PURCHASED-ITEM", LATER), expected);
    assert_eq!(answers(campaigns, "Nothing", LATER), []);
}

#[test]
fn a_trigger_filter_keeps_an_event_out_with_its_reason() {
    let cheap = published("a", "Purchased item", "[{property: event.total, greater_than: 10}]");
    assert_eq!(one(cheap, LATER), "not met: event.total is greater than 10");
    assert_eq!(one(published("a", "Purchased item", "[{property: event.total, less_than: 10}]"), LATER), "enters");
}

#[test]
fn a_paused_campaign_takes_no_entries() {
    let paused = Published { paused: true, ..published("a", "Purchased item", "[]") };
    assert_eq!(one(paused, LATER), "the campaign is paused");
}

#[test]
fn an_event_older_than_the_campaign_does_not_enter_and_one_as_old_does() {
    assert_eq!(
        one(published("a", "Purchased item", "[]"), "2026-10-31T23:59:59Z"),
        "the event came before the campaign was published"
    );
    assert_eq!(one(published("a", "Purchased item", "[]"), "2026-11-01T00:00:00Z"), "enters");
}
