//! The claim is the last word: whatever was committed before it holds, however late it came.

use dunlin_aws::deliveries::{Claimed, Deliveries};
use dunlin_aws::profiles::{Profiles, Suppression};
use dunlin_aws::{Settings, Stored};
use dunlin_core::delivery::{Delivery, State};
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::{CampaignId, DeliveryId, EventId, UserId};
use dunlin_tests::Stage;
use http::Method;
use serde_json::json;

fn ann() -> UserId {
    UserId::parse("ann").expect("an id")
}

fn address() -> Email {
    Email::parse("ann@example.com").expect("an address")
}

/// A mail that was decided and rendered, and is about to be claimed.
fn decided(stage: &Stage, name: &str) -> Stored<Delivery> {
    let state = Delivery {
        id: DeliveryId::to(&stage.project, &ann(), &[name]),
        project: stage.project.clone(),
        user: ann(),
        campaign: CampaignId::derive(&["c"]),
        version: 1,
        step: "message".into(),
        run: None,
        trigger: (EventId::derive(&[name]), EventName::parse("Looked").expect("a name")),
        to: Some(address()),
        subject: String::new(),
        state: State::Claimed { at: dunlin_tests::start() },
        attempts: 1,
        history: vec![],
    };
    Stored { state, version: 0 }
}

async fn claim(stage: &Stage, name: &str, marketing: bool) -> Claimed {
    let Settings { prefix, .. } = dunlin_tests::settings();
    let profiles = Profiles::new(stage.world.clients(), &prefix);
    let deliveries = Deliveries::new(stage.world.clients(), &prefix, &profiles);
    let now = stage.world.cloud().clock().now();
    deliveries.claim(&decided(stage, name), &ann(), &address(), marketing, now).await.expect("an answer")
}

async fn known(seed: u64) -> Stage {
    let stage = Stage::new(seed).await;
    stage.identify("ann", json!({})).await;
    stage.world.settle().await;
    stage
}

#[tokio::test]
async fn a_mail_is_claimed_once() {
    let stage = known(1).await;
    assert_eq!(claim(&stage, "a", true).await, Claimed::Yes);
    assert_eq!(claim(&stage, "a", true).await, Claimed::Changed);
}

#[tokio::test]
async fn an_unsubscribe_committed_after_the_decision_wins_over_marketing_and_not_over_a_receipt() {
    let stage = known(2).await;
    stage.call(Method::POST, "/users/unsubscribe", json!({"id": "ann"})).await;
    stage.world.settle().await;
    assert_eq!(claim(&stage, "a", true).await, Claimed::Changed);
    assert_eq!(claim(&stage, "b", false).await, Claimed::Yes);
}

#[tokio::test]
async fn a_suppression_committed_after_the_decision_wins() {
    let stage = known(3).await;
    let profiles = Profiles::new(stage.world.clients(), "dunlin-");
    let suppression = Suppression { reason: SuppressionReason::Complaint, at: dunlin_tests::start() };
    profiles.suppress(&stage.project, &address(), &suppression).await.expect("suppressed");
    assert_eq!(claim(&stage, "a", false).await, Claimed::Changed);
}

#[tokio::test]
async fn a_delete_or_a_rename_committed_after_the_decision_wins() {
    for (path, body) in
        [("/users/delete", json!({"id": "ann"})), ("/users/reidentify", json!({"id": "ann", "new_id": "anna"}))]
    {
        let stage = known(4).await;
        stage.call(Method::POST, path, body).await;
        stage.world.settle().await;
        assert_eq!(claim(&stage, "a", false).await, Claimed::Changed, "{path}");
    }
}
