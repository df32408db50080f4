//! Waits of every length are one code path: never early, at most two seconds late.

use dunlin_tests::Stage;
use jiff::SignedDuration;
use serde_json::json;

use crate::DAY;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn waiting(wait: &str) -> String {
    format!(
        "
id: cmp_wait
name: Wait
kind: transactional
trigger: {{event: Go}}
from: a@larkspur.example
wait: {wait}
message: {{subject: Now, text: now}}
"
    )
}

async fn lateness(wait: &str, seconds: i64) -> SignedDuration {
    let stage = Stage::new(seconds.unsigned_abs()).await;
    stage.publish(&waiting(wait)).await;
    stage.identify("ann", json!({})).await;
    let went = stage.world.cloud().clock().now();
    stage.track("ann", "Go", json!({})).await;
    stage.pass(SignedDuration::from_secs(seconds) - SECOND).await;
    assert_eq!(stage.sent().len(), 0, "{wait}: early");
    stage.pass(60 * SECOND).await;
    let mails = stage.mails();
    assert_eq!(mails.len(), 1, "{wait}");
    stage.assert_at_rest().await;
    mails[0].at.duration_since(went) - SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_wait_of_any_length_ends_on_time() {
    let day = 86_400;
    let waits = [
        ("1 second", 1),
        ("59 seconds", 59),
        ("899 seconds", 899),
        ("900 seconds", 900),
        ("901 seconds", 901),
        ("16 minutes", 960),
        ("17 minutes", 1_020),
        ("1 day", day),
        ("14 days", 14 * day),
        ("30 days", 30 * day),
        ("31 days", 31 * day),
        ("366 days", 366 * day),
        ("3650 days", 3_650 * day),
    ];
    for (wait, seconds) in waits {
        let late = lateness(wait, seconds).await;
        assert!(late >= SignedDuration::ZERO && late <= 2 * SECOND, "{wait}: {late} late");
    }
}

#[tokio::test]
async fn a_run_that_nobody_woke_is_found_by_the_sweep() {
    let stage = Stage::new(5).await;
    stage.publish(&waiting("10 minutes")).await;
    stage.track("ann@example.com", "Go", json!({})).await;
    stage.world.settle().await;
    // The hint is lost: somebody purged the queue.
    let steps = stage.world.queue_name(&dunlin_aws::resources::STEPS);
    let clock = stage.world.cloud().clock().clone();
    clock.advance_to(clock.now() + SignedDuration::from_mins(10));
    let lost = stage.world.cloud().sqs().receive(&steps, 10);
    let receipts: Vec<String> = lost.into_iter().map(|message| message.receipt).collect();
    assert_eq!(receipts.len(), 1);
    stage.world.cloud().sqs().delete(&steps, &receipts);
    stage.pass(SignedDuration::from_mins(10)).await;
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn three_waits_in_a_row_do_not_drift() {
    let stage = Stage::new(6).await;
    let steps = "
id: cmp_drip
name: Drip
kind: workflow
transactional: true
trigger: {event: Go}
from: a@larkspur.example
messages:
  one: {subject: one, text: one}
  two: {subject: two, text: two}
  three: {subject: three, text: three}
steps:
  - wait: 30 days
  - send: one
  - wait: 30 days
  - send: two
  - wait: 30 days
  - send: three
";
    stage.publish(steps).await;
    let went = stage.world.cloud().clock().now();
    stage.track("ann@example.com", "Go", json!({})).await;
    stage.pass(91 * DAY).await;
    for (mail, days) in stage.mails().iter().zip([30, 60, 90]) {
        let late = mail.at.duration_since(went + days * DAY);
        assert!(late >= SignedDuration::ZERO && late <= 2 * SECOND, "{}: {late} late", mail.subject);
    }
    assert_eq!(stage.mails().len(), 3);
}
