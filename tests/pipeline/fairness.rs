//! Projects do not disturb each other, and urgent mails do not wait for others.

use dunlin_aws::resources::{BACKLOG, EVENTS, Queue, SENDS, SENDS_BACKLOG, SENDS_TRANSACTIONAL};
use dunlin_local::Function;
use dunlin_tests::Stage;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{NUDGE, RECEIPT};

/// A mail at once, to those who are pro when the event comes.
const PRO: &str = "
id: cmp_pro
name: Pro
kind: behavioural
trigger:
  event: Paid
  filters:
    - {property: user.plan, equals: pro}
from: shop@larkspur.example
message:
  subject: Round {{ event.round }}
  text: Thank you
";

/// Messages in a queue, waiting or not.
fn depth(stage: &Stage, queue: &Queue) -> u64 {
    stage.world.cloud().sqs().depth(&stage.world.queue_name(queue)).total()
}

/// Evaluates all that waits; no mail leaves.
async fn evaluate(stage: &Stage) {
    while stage.world.poll(Function::Evaluate).await > 0 {}
}

/// Events of so many people.
fn events(name: &str, people: usize) -> Vec<Value> {
    (0..people).map(|n| json!({"type": "track", "userId": format!("{name}-{n}@example.com"), "event": name})).collect()
}

#[tokio::test]
async fn a_mail_of_one_project_leaves_before_a_backlog_of_a_thousand_mails_of_another() {
    let large = Stage::new(1).await;
    let small = large.beside("small").await;
    large.publish(NUDGE).await;
    small.publish(NUDGE).await;
    large.batch(&events("Looked", 1_000)).await;
    evaluate(&large).await;
    assert_eq!(depth(&large, &SENDS), 1_000);
    large.world.poll_queue(Function::Send, &SENDS).await;
    small.track("ann@example.com", "Looked", json!({})).await;
    evaluate(&small).await;
    large.world.poll_queue(Function::Send, &SENDS).await;
    let sent = large.sent();
    assert_eq!(sent.len(), 20);
    assert!(sent.iter().any(|(to, _)| to == "ann@example.com"), "{sent:?}");
    large.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(large.sent().len(), 1_001);
    large.assert_at_rest().await;
}

#[tokio::test]
async fn transactional_mails_leave_before_others_that_were_there_first() {
    let stage = Stage::new(1).await;
    stage.publish(NUDGE).await;
    stage.publish(RECEIPT).await;
    stage.batch(&events("Looked", 100)).await;
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    evaluate(&stage).await;
    assert_eq!((depth(&stage, &SENDS), depth(&stage, &SENDS_TRANSACTIONAL)), (100, 1));
    stage.world.poll(Function::Send).await;
    assert_eq!(stage.sent().first().map(|(to, _)| to.as_str()), Some("ann@example.com"));
}

#[tokio::test]
async fn the_calls_of_others_are_taken_while_a_flood_waits() {
    let flood = Stage::new(1).await;
    let calm = flood.beside("calm").await;
    flood.publish(NUDGE).await;
    calm.publish(NUDGE).await;
    flood.flood().await;
    for _ in 0..4 {
        flood.batch(&events("Looked", 250)).await;
    }
    calm.track("ann@example.com", "Looked", json!({})).await;
    let waiting = depth(&flood, &BACKLOG);
    assert!(waiting >= 250 && depth(&flood, &EVENTS) <= 4, "{waiting} in the second lane");
    flood.world.poll(Function::Evaluate).await;
    assert_eq!((depth(&flood, &EVENTS), depth(&flood, &SENDS), depth(&flood, &BACKLOG)), (0, 1, waiting - 10));
    flood.world.poll(Function::Send).await;
    assert!(flood.sent().iter().any(|(to, _)| to == "ann@example.com"), "{:?}", flood.sent());
}

#[tokio::test]
async fn a_flood_is_kept_entirely_in_order_per_person_and_drains_after_it_ends() {
    let stage = Stage::new(1).await;
    stage.publish(PRO).await;
    stage.publish(RECEIPT).await;
    stage.flood().await;
    let before = depth(&stage, &EVENTS);
    for round in 0..20 {
        let plan = if round % 2 == 0 { "pro" } else { "free" };
        for person in ["ann", "bea", "cy"] {
            stage.identify(person, json!({"plan": plan})).await;
            stage.track(person, "Paid", json!({ "round": round })).await;
        }
        stage.batch(&events("Looked", 30)).await;
    }
    stage.track("ann", "Bought", json!({"order": "1"})).await;
    assert_eq!(depth(&stage, &EVENTS), before, "all of it takes the second lane");
    evaluate(&stage).await;
    assert_eq!((depth(&stage, &SENDS_BACKLOG), depth(&stage, &SENDS_TRANSACTIONAL)), (30, 1));
    stage.world.settle().await;
    for person in ["ann", "bea", "cy"] {
        let shown = stage.show(&format!("/profiles/{person}")).await;
        assert_eq!(shown["properties"]["plan"], "free");
        let to = format!("{person}@example.com");
        let rounds: Vec<String> =
            stage.sent().into_iter().filter(|(whose, _)| *whose == to).map(|(_, subject)| subject).collect();
        let mut rounds: Vec<i32> = rounds.iter().filter_map(|one| one.strip_prefix("Round ")?.parse().ok()).collect();
        rounds.sort_unstable();
        assert_eq!(rounds, (0..20).step_by(2).collect::<Vec<i32>>(), "{person}: each decision saw its update");
    }
    stage.pass(SignedDuration::from_secs(75)).await;
    stage.assert_at_rest().await;
    stage.track("ann", "Looked", json!({})).await;
    assert_eq!((depth(&stage, &EVENTS), depth(&stage, &BACKLOG)), (1, 0), "it is back in the first lane");
}
