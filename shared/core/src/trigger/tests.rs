use serde_json::json;

use super::*;
use crate::ids::{EventId, UserId};
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
    let event = TriggerEvent {
        id: EventId::derive(&["e"]),
        name: EventName::parse(event).expect("a name"),
        at: at("2026-11-20T00:00:00Z"),
        data,
    };
    let profile = Profile::new(UserId::parse("u").expect("a user"));
    let facts = Facts::new(&profile, &event, at(accepted_at));
    let campaigns = Campaigns::new(campaigns);
    let shown = |entry: &Entry<'_>| match &entry.decision {
        Decision::Pass => (entry.published.campaign.id.to_string(), "enters".to_owned()),
        Decision::Fail(reason) => (entry.published.campaign.id.to_string(), reason.to_string()),
    };
    entries(&event, at(accepted_at), &facts, &campaigns).iter().map(shown).collect()
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
