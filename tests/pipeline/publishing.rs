//! Publishing: versions never change, runs keep theirs, what is wrong is refused.

use dunlin_local::{Fault, FaultKind, Service, Side, When};
use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{DAY, RECEIPT};

fn reminder(subject: &str) -> String {
    format!(
        "
id: cmp_reminder
name: Reminder
kind: transactional
trigger: {{event: Go}}
from: a@larkspur.example
wait: 2 days
message: {{subject: {subject}, text: x}}
"
    )
}

#[tokio::test]
async fn a_run_keeps_the_version_it_started_with() {
    let stage = Stage::new(1).await;
    stage.publish(&reminder("old")).await;
    stage.track("ann@example.com", "Go", json!({})).await;
    stage.pass(DAY).await;
    stage.publish(&reminder("new")).await;
    stage.track("bob@example.com", "Go", json!({})).await;
    stage.pass(3 * DAY).await;
    let sent: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(sent, ["old", "new"]);
    let shown = stage.show("/campaigns/cmp_reminder").await;
    assert_eq!(shown["version"], json!(2), "{shown}");
}

#[tokio::test]
async fn the_same_content_again_is_no_new_version() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    stage.publish(RECEIPT).await;
    assert_eq!(stage.show("/campaigns/cmp_receipt").await["version"], json!(1));
}

#[tokio::test]
async fn a_broken_campaign_is_refused_with_its_place_and_the_published_version_stays() {
    let stage = Stage::new(3).await;
    stage.publish(RECEIPT).await;
    let broken = [
        (RECEIPT.replace("{{ event.order }}", "{{ event.order"), "message"),
        (
            "
id: cmp_receipt
name: Loop
kind: workflow
trigger: {event: Bought}
from: a@larkspur.example
messages: {one: {subject: a, text: b}}
steps:
  - {name: again, send: one, next: again}
"
            .to_owned(),
            "steps",
        ),
        (
            "
id: cmp_receipt
name: Missing
kind: workflow
trigger: {event: Bought}
from: a@larkspur.example
messages: {one: {subject: a, text: b}}
steps:
  - {send: oen}
"
            .to_owned(),
            "steps[0]",
        ),
    ];
    for (yaml, place) in broken {
        let (status, answer) = stage.try_publish(&yaml).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{yaml}: {answer}");
        let problems = answer["problems"].as_array().cloned().unwrap_or_default();
        assert!(problems.iter().any(|p| p["path"].as_str().is_some_and(|path| path.contains(place))), "{answer}");
        assert!(problems.iter().all(|p| p["mend"].as_str().is_some_and(|mend| !mend.is_empty())), "{answer}");
    }
    assert_eq!(stage.show("/campaigns/cmp_receipt").await["version"], json!(1));
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    stage.world.settle().await;
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn a_paused_campaign_holds_its_runs_and_takes_no_entries_until_it_is_resumed() {
    let stage = Stage::new(4).await;
    stage.publish(&reminder("held")).await;
    stage.track("ann@example.com", "Go", json!({})).await;
    stage.pass(DAY).await;
    let path = format!("/projects/{}/campaigns/cmp_reminder", stage.project);
    stage.manage(Method::POST, &format!("{path}/pause"), &Value::Null).await;
    stage.pass(SignedDuration::from_secs(6)).await;
    stage.track("bob@example.com", "Go", json!({})).await;
    stage.pass(5 * DAY).await;
    assert_eq!(stage.sent(), []);
    stage.manage(Method::POST, &format!("{path}/resume"), &Value::Null).await;
    stage.pass(SignedDuration::from_mins(20)).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "held".to_owned())]);
}

#[tokio::test]
async fn an_outage_of_the_campaigns_source_changes_nothing_for_campaigns_that_are_held() {
    let stage = Stage::new(5).await;
    stage.publish(RECEIPT).await;
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    stage.world.settle().await;
    // Queries are how campaigns are listed; nothing else on this road lists.
    stage
        .world
        .cloud()
        .faults()
        .set(vec![Fault::new(FaultKind::ServerError, When::Chance(1.0)).at(Service::DynamoDb).on("Query")]);
    stage.world.cloud().clock().advance_to(dunlin_tests::start() + DAY);
    stage.track("bob@example.com", "Bought", json!({"order": "2"})).await;
    stage.world.settle().await;
    assert_eq!(stage.sent().len(), 2);
}

#[tokio::test]
async fn a_version_is_never_written_over_even_when_a_publisher_died_before_its_head() {
    let mut stage = Stage::new(6).await;
    stage.publish(&reminder("first")).await;
    // It reads the project, the head and the newest version, writes the new version, and dies before its head.
    stage.world.cloud().faults().crash_at(5, Side::Before);
    let (crashed, orphan) = (stage.world.cloud().faults().crashed(), reminder("orphan"));
    tokio::select! {
        biased;
        () = crashed => {}
        _ = stage.try_publish(&orphan) => {}
    }
    assert!(stage.world.cloud().faults().has_crashed());
    stage.restart();
    assert_eq!(stage.show("/campaigns/cmp_reminder").await["version"], json!(1));
    stage.publish(&reminder("second")).await;
    assert_eq!(stage.show("/campaigns/cmp_reminder").await["version"], json!(3));
    stage.track("ann@example.com", "Go", json!({})).await;
    stage.pass(3 * DAY).await;
    assert_eq!(stage.sent(), [("ann@example.com".to_owned(), "second".to_owned())]);
}
