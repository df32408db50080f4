//! The loop guard: a mail whose click makes the client send the event again that started it.

use dunlin_tests::{Stage, link};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A campaign whose mail asks for a click.
fn asks_for_a_click(kind: &str) -> String {
    format!(
        "
id: cmp_round
name: Round
kind: {kind}
trigger: {{event: Visited}}
from: shop@larkspur.example
message:
  subject: Come back
  html: '<a href=\"https://larkspur.example/\">Shop</a> <a href=\"{{{{ url.unsubscribe }}}}\">No more</a>'
"
    )
}

/// A client that tracks a visit for each click, and a person who clicks in every mail, for so many minutes.
async fn click_on(stage: &Stage, minutes: i64) -> usize {
    let mut clicked = stage.mails().len();
    let mut visits = 1;
    stage.track("ann@example.com", "Visited", json!({"page": format!("first, beside {clicked}")})).await;
    for _ in 0..minutes {
        stage.pass(SignedDuration::from_mins(1)).await;
        for mail in stage.mails().split_off(clicked) {
            clicked += 1;
            let (status, _) = stage.request(Method::GET, &link(&mail, "c"), &[], &Value::Null).await;
            assert!(status.is_redirection(), "{status}");
            visits += 1;
            stage.track("ann@example.com", "Visited", json!({ "page": clicked })).await;
        }
    }
    stage.pass(SignedDuration::from_mins(1)).await;
    visits
}

async fn visits(stage: &Stage) -> Value {
    let shown = stage.show("/profiles/ann@example.com").await;
    let events = shown["events"].as_array().expect("events").clone();
    events.into_iter().find(|event| event["name"] == "Visited").expect("visits")["count"].clone()
}

#[tokio::test]
async fn a_loop_of_mail_click_and_event_ends_after_twenty_mails_and_every_event_is_kept() {
    let stage = Stage::new(1).await;
    stage.publish(&asks_for_a_click("behavioural")).await;
    let tracked = click_on(&stage, 50).await;
    assert_eq!((stage.mails().len(), tracked), (20, 21));
    assert_eq!(visits(&stage).await, 21);
    let shown = stage.show("/profiles/ann@example.com/activity?limit=1000").await;
    let not_started: Vec<&Value> = shown["activity"]
        .as_array()
        .expect("activity")
        .iter()
        .filter(|one| one["what"] == "campaign not started: too often within an hour")
        .collect();
    assert_eq!(not_started.len(), 1, "{shown}");
    assert_eq!(not_started[0]["data"], json!({"campaign": "cmp_round"}));
    stage.assert_at_rest().await;
    stage.pass(SignedDuration::from_hours(1)).await;
    click_on(&stage, 50).await;
    assert_eq!(stage.mails().len(), 40, "an hour later it may start again");
}

#[tokio::test]
async fn receipts_go_on_to_two_hundred() {
    let stage = Stage::new(1).await;
    stage.publish(&asks_for_a_click("transactional")).await;
    for visit in 0..220 {
        stage.track("ann@example.com", "Visited", json!({ "page": visit })).await;
        stage.pass(SignedDuration::from_secs(15)).await;
    }
    assert_eq!((stage.mails().len(), visits(&stage).await), (200, json!(220)));
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn other_people_and_other_campaigns_are_not_held_by_one_loop() {
    let stage = Stage::new(1).await;
    stage.publish(&asks_for_a_click("behavioural")).await;
    stage
        .publish(&asks_for_a_click("behavioural").replace("cmp_round", "cmp_other").replace("Visited", "Looked"))
        .await;
    for visit in 0..25 {
        stage.track("ann@example.com", "Visited", json!({ "page": visit })).await;
    }
    stage.track("ann@example.com", "Looked", json!({})).await;
    stage.track("bea@example.com", "Visited", json!({})).await;
    stage.world.settle().await;
    assert_eq!(stage.mails().len(), 20 + 1 + 1);
}
