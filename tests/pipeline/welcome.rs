//! The welcome series.

use dunlin_tests::{Stage, start};
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test]
async fn a_welcome_series_sends_three_mails_over_a_month() {
    let stage = Stage::with_examples(1).await;
    stage.identify("ann", json!({"first_name": "Ann"})).await;
    stage.track("ann", "Signed up", json!({})).await;
    let signed_up = stage.world.cloud().clock().now();
    stage.pass(40 * DAY).await;
    let mails = stage.mails();
    let sent: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(sent, ["Welcome to Larkspur, Ann", "Three things about a good cup", "A month with us"]);
    for (mail, days) in mails.iter().zip([0, 3, 34]) {
        let late = mail.at.duration_since(signed_up + days * DAY);
        assert!(late >= SignedDuration::ZERO && late <= SignedDuration::from_secs(2), "{}: {late}", mail.subject);
    }
    assert!(start() < signed_up);
}

#[tokio::test]
async fn an_unsubscribe_stops_the_series_but_not_the_receipt() {
    let stage = Stage::with_examples(2).await;
    stage.identify("bob", json!({})).await;
    stage.track("bob", "Signed up", json!({})).await;
    stage.pass(DAY).await;
    stage.call(Method::POST, "/users/unsubscribe", json!({"id": "bob"})).await;
    stage.track("bob", "purchased_item", json!({"order": "A-7", "total": 19.5, "items": []})).await;
    stage.pass(40 * DAY).await;
    let sent: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(sent, ["Welcome to Larkspur, friend", "Your order A-7"]);
}
