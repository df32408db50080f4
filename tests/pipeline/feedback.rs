//! What SES says comes home.

use dunlin_tests::{Stage, link};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::RECEIPT;

async fn bought(stage: &Stage, id: &str, email: &str) {
    let identity = json!({"id": id, "email": email});
    stage
        .call(
            Method::POST,
            "/events/track",
            json!({"identity": identity, "event_name": "Bought", "data": {"order": id}}),
        )
        .await;
    stage.pass(SignedDuration::from_mins(1)).await;
}

async fn history(stage: &Stage, id: &str) -> Vec<String> {
    let shown = stage.show(&format!("/profiles/{id}/deliveries")).await;
    let entries = shown["deliveries"][0]["history"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["what"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_delivered_mail_says_so() {
    let stage = Stage::new(1).await;
    stage.publish(RECEIPT).await;
    bought(&stage, "ann", "ann@example.com").await;
    assert_eq!(history(&stage, "ann").await, ["sent", "delivered"]);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_hard_bounce_comes_home_and_the_address_is_never_mailed_again() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    bought(&stage, "ann", "bounce@simulator.amazonses.com").await;
    assert_eq!(history(&stage, "ann").await, ["sent", "bounced"]);
    bought(&stage, "bob", "bounce@simulator.amazonses.com").await;
    assert_eq!(stage.deliveries("bob").await, [("message".into(), "not_sent".into(), "suppressed".into())]);
    assert_eq!(stage.sent().len(), 1);
    let path = format!("/projects/{}/suppressions/bounce@simulator.amazonses.com", stage.project);
    let (status, _) = stage.manage(Method::DELETE, &path, &Value::Null).await;
    assert!(status.is_success());
    bought(&stage, "cy", "bounce@simulator.amazonses.com").await;
    assert_eq!(stage.sent().len(), 2, "allowed again by an operator");
}

#[tokio::test]
async fn a_complaint_suppresses_the_address() {
    let stage = Stage::new(3).await;
    stage.publish(RECEIPT).await;
    bought(&stage, "ann", "complaint@simulator.amazonses.com").await;
    assert_eq!(history(&stage, "ann").await, ["sent", "delivered", "complained"]);
    bought(&stage, "ann", "complaint@simulator.amazonses.com").await;
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn an_open_and_a_click_are_in_the_history() {
    let stage = Stage::new(4).await;
    let campaign = "
id: cmp_linked
name: Linked
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message:
  subject: Hello
  html: '<html><body><a href=\"https://shop.example/cart?a=1&amp;b=2\">cart</a></body></html>'
";
    stage.publish(campaign).await;
    bought(&stage, "ann", "ann@example.com").await;
    let mail = stage.mails().remove(0);
    let (status, _) = stage.request(Method::GET, &link(&mail, "o"), &[], &Value::Null).await;
    assert_eq!(status, 200);
    let (status, _) = stage.request(Method::GET, &link(&mail, "c"), &[], &Value::Null).await;
    assert_eq!(status, 302);
    stage.world.settle().await;
    assert_eq!(history(&stage, "ann").await, ["sent", "delivered", "opened", "clicked"]);
}
