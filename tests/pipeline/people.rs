//! People: what a decision sees, renames, deletes, duplicates.

use dunlin_tests::Stage;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::RECEIPT;

#[tokio::test]
async fn a_mail_is_rendered_with_every_update_accepted_before_its_event() {
    let stage = Stage::new(1).await;
    stage.publish(RECEIPT).await;
    for number in 0..30 {
        stage.identify("ann", json!({"plan": format!("plan {number}")})).await;
        stage.track("ann", "Bought", json!({"order": number})).await;
        stage.pass(SignedDuration::from_millis(3)).await;
        let mail = stage.mails().pop().expect("a mail");
        let text = String::from_utf8_lossy(&mail.raw).into_owned();
        assert!(text.contains(&format!("plan {number}")), "{text}");
    }
}

#[tokio::test]
async fn one_event_sent_twice_within_five_minutes_is_one_event_and_one_mail() {
    let stage = Stage::new(2).await;
    stage.publish(RECEIPT).await;
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    stage.pass(SignedDuration::from_mins(2)).await;
    stage.track("ann@example.com", "bought", json!({"order": "1"})).await;
    stage.track("ann@example.com", "Bought", json!({"order": "2"})).await;
    stage.pass(SignedDuration::from_mins(10)).await;
    stage.track("ann@example.com", "Bought", json!({"order": "1"})).await;
    stage.pass(SignedDuration::from_mins(1)).await;
    let sent: Vec<_> = stage.sent().into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(sent, ["Order 1", "Order 2", "Order 1"]);
    let profile = stage.show("/profiles/ann@example.com").await;
    let bought = profile["events"].as_array().into_iter().flatten().find(|event| event["name"] == "Bought").cloned();
    assert_eq!(bought.expect("counted")["count"], json!(3));
}

/// Together they are more than DynamoDB takes in one item.
#[tokio::test]
async fn many_large_calls_of_one_person_at_once_are_all_taken_and_kept() {
    let stage = Stage::new(2).await;
    let large = "x".repeat(28_000);
    let calls = |number| json!({"type": "track", "userId": "ann", "event": "Wrote", "properties": {"n": number, "text": large}});
    stage.batch(&(0..16).map(calls).collect::<Vec<_>>()).await;
    stage.pass(SignedDuration::from_mins(5)).await;
    let profile = stage.show("/profiles/ann").await;
    assert_eq!(profile["events"][0]["count"], json!(16));
    let activity = stage.show("/profiles/ann/activity?limit=100").await;
    assert_eq!(activity["activity"].as_array().map(Vec::len), Some(16));
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_renamed_person_is_one_person_under_both_ids_and_keeps_their_mails() {
    let stage = Stage::new(3).await;
    stage.publish(RECEIPT).await;
    stage.identify("old", json!({"plan": "pro"})).await;
    stage.track("old", "Bought", json!({"order": "1"})).await;
    stage.pass(SignedDuration::from_secs(10)).await;
    stage.call(Method::PUT, "/users/reidentify", json!({"id": "old", "new_id": "new"})).await;
    stage.track("old", "Bought", json!({"order": "2"})).await;
    stage.track("new", "Bought", json!({"order": "3"})).await;
    stage.pass(SignedDuration::from_secs(10)).await;
    assert_eq!(stage.sent().len(), 3);
    for id in ["old", "new"] {
        let profile = stage.show(&format!("/profiles/{id}")).await;
        assert_eq!((&profile["id"], &profile["properties"]["plan"]), (&json!("new"), &json!("pro")), "{id}");
    }
    assert_eq!(stage.deliveries("new").await.len(), 3);
}

#[tokio::test]
async fn a_deleted_person_leaves_nothing_to_see() {
    let stage = Stage::new(4).await;
    stage.identify("ann", json!({"note": "x".repeat(2_000)})).await;
    for number in 0..20 {
        stage.track("ann", "Looked", json!({"at": number, "secret": "y".repeat(100)})).await;
        stage.pass(SignedDuration::from_secs(1)).await;
    }
    let before = stage.show("/profiles/ann/activity").await;
    assert_eq!(before["activity"].as_array().map(Vec::len), Some(21), "{before}");
    stage.call(Method::DELETE, "/users/delete", json!({"id": "ann"})).await;
    stage.pass(SignedDuration::from_secs(1)).await;
    let path = format!("/projects/{}/profiles/ann", stage.project);
    assert_eq!(stage.manage(Method::GET, &path, &Value::Null).await.0, StatusCode::NOT_FOUND);
    let mut left = String::new();
    for table in ["dunlin-profiles"] {
        let items = stage
            .world
            .clients()
            .dynamodb
            .scan()
            .table_name(table)
            .send()
            .await
            .expect("a scan")
            .items
            .unwrap_or_default();
        left.push_str(&format!("{items:?}"));
    }
    assert!(!left.contains("yyyy") && !left.contains("xxxx") && !left.contains("ann@example.com"), "{left}");
}

#[tokio::test]
async fn projects_never_see_each_other() {
    let stage = Stage::new(5).await;
    stage.identify("ann", json!({})).await;
    stage.world.settle().await;
    let (status, created) = stage.manage(Method::POST, "/projects", &json!({"name": "Other"})).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let other = created["id"].as_str().expect("an id");
    let (status, _) = stage.manage(Method::GET, &format!("/projects/{other}/profiles/ann"), &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_a_refresh_and_the_other_goes_on() {
    let stage = Stage::new(6).await;
    let tokens = format!("/projects/{}/tokens", stage.project);
    let (_, issued) = stage.manage(Method::POST, &tokens, &json!({"label": "web"})).await;
    let token = issued["token"].as_str().expect("a token").to_owned();
    let body = json!({"auth_token": token, "id": "ann"});
    assert_eq!(stage.request(Method::POST, "/api/v2/users/track", &[], &body).await.0, StatusCode::OK);
    stage.manage(Method::POST, &format!("{tokens}/{}/revoke", issued["serial"]), &Value::Null).await;
    stage.pass(SignedDuration::from_secs(6)).await;
    let (status, answer) = stage.request(Method::POST, "/api/v2/users/track", &[], &body).await;
    assert_eq!((status, &answer["status"]), (StatusCode::UNAUTHORIZED, &json!(401)), "{answer}");
    stage.identify("bob", json!({})).await;
}
