//! No mail after a committed unsubscribe, suppression or delete.

use dunlin_local::Function;
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{NUDGE, RECEIPT};

/// Brings one event to the sends queue, and no further.
async fn queued(stage: &Stage, id: &str, event: &str) {
    stage.track(id, event, json!({"order": "7"})).await;
    while stage.world.poll(Function::Evaluate).await > 0 {}
}

#[tokio::test]
async fn an_unsubscribe_that_overtakes_a_queued_mail_stops_it() {
    let stage = Stage::new(1).await;
    stage.publish(NUDGE).await;
    stage.identify("ann", json!({})).await;
    queued(&stage, "ann", "Looked").await;
    stage.call(Method::POST, "/users/unsubscribe", json!({"id": "ann"})).await;
    stage.world.settle().await;
    assert_eq!(stage.sent(), []);
    assert_eq!(stage.deliveries("ann").await, [("message".into(), "not_sent".into(), "unsubscribed".into())]);
}

#[tokio::test]
async fn a_receipt_goes_to_somebody_who_unsubscribed_from_marketing() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    stage.identify("ann", json!({})).await;
    stage.call(Method::POST, "/users/unsubscribe", json!({"id": "ann"})).await;
    queued(&stage, "ann", "Bought").await;
    stage.world.settle().await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "Order 7".to_owned())]);
}

#[tokio::test]
async fn a_resubscribe_brings_marketing_back() {
    let stage = Stage::new(3).await;
    stage.publish(NUDGE).await;
    stage.identify("ann", json!({})).await;
    stage.call(Method::POST, "/users/unsubscribe", json!({"id": "ann"})).await;
    stage.pass(SignedDuration::from_secs(1)).await;
    stage.call(Method::POST, "/users/resubscribe", json!({"id": "ann"})).await;
    queued(&stage, "ann", "Looked").await;
    stage.world.settle().await;
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn nobody_is_mailed_after_their_profile_was_deleted() {
    let stage = Stage::new(4).await;
    stage.publish(RECEIPT).await;
    stage.identify("ann", json!({})).await;
    queued(&stage, "ann", "Bought").await;
    stage.pass(SignedDuration::from_millis(5)).await;
    assert_eq!(stage.sent().len(), 1);
    queued(&stage, "ann", "Bought again").await;
    stage.call(Method::POST, "/users/delete", json!({"id": "ann"})).await;
    stage.track("ann", "Bought", json!({"order": "8"})).await;
    stage.world.settle().await;
    let (status, _) =
        stage.manage(Method::GET, &format!("/projects/{}/profiles/ann/activity", stage.project), &Value::Null).await;
    assert!(status == StatusCode::OK || status == StatusCode::NOT_FOUND);
    assert_eq!(stage.sent().len(), 1, "the same moment as the delete is erased with it");
}

#[tokio::test]
async fn the_unsubscribe_link_of_a_mail_works_with_one_click_and_a_look_at_it_does_nothing() {
    let stage = Stage::new(5).await;
    stage.publish(NUDGE).await;
    stage.identify("ann", json!({})).await;
    queued(&stage, "ann", "Looked").await;
    stage.world.settle().await;
    let mail = stage.mails().remove(0);
    let parsed = mailparse::parse_mail(&mail.raw).expect("a mail");
    let header = |name: &str| {
        parsed.headers.iter().find(|h| h.get_key_ref().eq_ignore_ascii_case(name)).map(mailparse::MailHeader::get_value)
    };
    assert_eq!(header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let url = header("List-Unsubscribe").expect("the header").replace(['<', '>'], "");
    let path = url.strip_prefix("https://mail.example.com").expect("our address").to_owned();
    let (status, _) = stage.request(Method::GET, &path, &[], &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    stage.world.settle().await;
    assert_eq!(stage.show("/profiles/ann").await["subscribed"], json!(true));
    let (status, _) = stage.request(Method::POST, &path, &[], &json!("List-Unsubscribe=One-Click")).await;
    assert_eq!(status, StatusCode::OK);
    stage.world.settle().await;
    assert_eq!(stage.show("/profiles/ann").await["subscribed"], json!(false));
}
