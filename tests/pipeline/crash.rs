//! Crash enumeration: the process dies at every request it makes to AWS, before the effect and after it, and starts
//! again. Every mail of the story still leaves, and none leaves twice.

use dunlin_local::Side;
use dunlin_tests::Stage;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

const STORY: &str = "
id: cmp_story
name: Story
kind: workflow
trigger: {event: Go}
from: a@larkspur.example
messages:
  one: {subject: one, text: one}
  two: {subject: two, text: two}
steps:
  - send: one
  - wait: 20 minutes
  - send: two
  - wait: 5 minutes
";

/// Plays the story; the process dies at its `n`-th request, if it makes so many. Says how many it made.
async fn play(seed: u64, crash: Option<(u64, Side)>) -> (Stage, u64) {
    let mut stage = Stage::new(seed).await;
    stage.publish(STORY).await;
    stage.identify("ann", json!({"plan": "pro"})).await;
    stage.track("ann", "Go", json!({})).await;
    stage.call(Method::PUT, "/users/reidentify", json!({"id": "ann", "new_id": "anna"})).await;
    let before = stage.world.cloud().faults().requests();
    if let Some((n, side)) = crash {
        stage.world.cloud().faults().crash_at(n, side);
    }
    let minute = SignedDuration::from_mins(1);
    let mut minutes = 0;
    while minutes < 90 {
        let crashed = stage.world.cloud().faults().crashed();
        tokio::select! {
            biased;
            () = crashed => {}
            () = stage.pass(minute) => { minutes += 1; continue }
        }
        stage.restart();
        let clock = stage.world.cloud().clock().clone();
        clock.advance_to(clock.now() + minute);
        minutes += 1;
    }
    let requests = stage.world.cloud().faults().requests() - before;
    (stage, requests)
}

async fn outcome(stage: &Stage) -> (Vec<(String, String)>, Vec<(String, String, String)>) {
    (stage.sent(), stage.deliveries("anna").await)
}

#[tokio::test]
async fn dying_at_any_request_loses_no_mail_and_doubles_none() {
    let (calm, requests) = play(1, None).await;
    let expected: Vec<String> = calm.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(expected, ["one", "two"]);
    let mut points = 0;
    // What a world does when nothing is due is the same every minute; the story's own requests come first.
    for n in 1..=requests.min(160) {
        for side in [Side::Before, Side::After] {
            let (stage, _) = play(1, Some((n, side))).await;
            let (sent, deliveries) = outcome(&stage).await;
            let subjects: Vec<&str> = sent.iter().map(|(_, subject)| subject.as_str()).collect();
            // A mail whose claim was made and whose sending was not is of unknown outcome: marketing is not repeated.
            let unresolved = deliveries.iter().filter(|(_, _, reason)| reason == "unknown").count();
            assert!(unresolved <= 1, "request {n} {side:?}: {deliveries:?}");
            assert_eq!(subjects.len() + unresolved, 2, "request {n} {side:?}: {sent:?} {deliveries:?}");
            assert!(subjects.iter().all(|subject| expected.iter().any(|e| e == subject)));
            let mut once = subjects.clone();
            once.dedup();
            assert_eq!(once, subjects, "request {n} {side:?}: a mail left twice");
            stage.assert_at_rest().await;
            points += 1;
        }
    }
    println!("{points} crash points, {requests} requests in a calm run");
}
