//! Projects: whatever is named, under whatever id, stays in its own project.
//!
//! `manage` has one admin key for a whole deployment: who has it is trusted with every project. What these tests hold is
//! that no *path* of one project shows or changes another's, so that a key for one project needs no new check below the
//! route; and that a project's own token, which clients carry, reaches nothing but its own project's calls.

use dunlin_aws::Stored;
use dunlin_aws::control::{Control, Project};
use dunlin_core::ids::{DeliveryId, ProjectId};
use dunlin_tests::{Stage, link, start};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::ask;
use crate::queues::put;

const NUDGE: &str = "
id: cmp_nudge
name: Nudge
kind: behavioural
trigger: {event: Looked}
from: shop@larkspur.example
message:
  subject: 'For {{ user.plan }}'
  html: '<body><a href=\"https://shop.example/\">a</a> {{ url.unsubscribe }} {{ url.permalink }}</body>'
";

/// Two projects that call their people, campaigns and properties the same; a token of the second.
async fn two(seed: u64) -> (Stage, ProjectId, String) {
    let stage = Stage::new(seed).await;
    stage.publish(NUDGE).await;
    let other = ProjectId::derive(&["neighbour"]);
    let control = Control::new(stage.world.clients(), "dunlin-");
    let state = Project {
        id: other.clone(),
        name: "Neighbour".to_owned(),
        from: None,
        created_at: start(),
        timezone: None,
        tokens: 0,
    };
    control.put_project(&Stored { state, version: 0 }).await.expect("a project");
    let claim = control.issue(&other, "tests", start()).await.expect("a token");
    let token = stage.world.settings().keyring.issue(&claim);
    (stage, other, token)
}

/// One call with the other project's token.
async fn call(stage: &Stage, token: &str, method: Method, path: &str, mut body: Value) -> StatusCode {
    body.as_object_mut().expect("an object").insert("auth_token".to_owned(), json!(token));
    stage.request(method, &format!("/api/v2{path}"), &[], &body).await.0
}

#[tokio::test]
async fn no_path_of_one_project_shows_or_changes_anothers() {
    let (stage, other, _) = two(1).await;
    let bounced = json!({"id": "bo", "email": "bounce@simulator.amazonses.com"});
    stage.call(Method::POST, "/users/track", bounced).await;
    stage.identify("ann", json!({"plan": "gold"})).await;
    for id in ["ann", "bo"] {
        stage.track(id, "Looked", json!({})).await;
    }
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    let mails = stage.show("/profiles/ann/deliveries").await;
    let delivery = mails["deliveries"][0]["id"].as_str().expect("a delivery").to_owned();
    let event = mails["deliveries"][0]["event"]["id"].as_str().expect("an event").to_owned();
    let run = mails["deliveries"][0]["run"].as_str().unwrap_or("run_1").to_owned();
    // Each path by itself works in its own project, so that a 404 of the other means something.
    let theirs = [
        "/profiles/ann".to_owned(),
        "/profiles/ann/activity".to_owned(),
        "/profiles/x?id=ann".to_owned(),
        format!("/deliveries/{delivery}"),
        "/campaigns/cmp_nudge".to_owned(),
        "/campaigns/cmp_nudge?version=1".to_owned(),
        "/suppressions/bounce@simulator.amazonses.com".to_owned(),
        "/tokens/1".to_owned(),
    ];
    let control = Control::new(stage.world.clients(), "dunlin-");
    for _ in 0..2 {
        control.issue(&stage.project, "more", start()).await.expect("a token");
    }
    for path in theirs.iter().map(String::as_str).chain(["/tokens/3"]) {
        stage.show(path).await;
        if path == "/tokens/1" {
            continue;
        }
        for stranger in [other.clone(), ProjectId::derive(&["nobody"])] {
            let (status, answer) =
                stage.manage(Method::GET, &format!("/projects/{stranger}{path}"), &Value::Null).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
        }
    }
    let listed = format!("/projects/{other}/profiles/ann/deliveries");
    assert_eq!(stage.manage(Method::GET, &listed, &Value::Null).await.1, json!({"deliveries": []}));
    for (method, path) in [
        (Method::POST, "/campaigns/cmp_nudge/pause"),
        (Method::POST, "/tokens/3/revoke"),
        (Method::POST, "/tokens/3/rotate"),
        (Method::DELETE, "/suppressions/bounce@simulator.amazonses.com"),
    ] {
        let (status, _) = stage.manage(method, &format!("/projects/{other}{path}"), &Value::Null).await;
        assert!(status == StatusCode::NOT_FOUND || status == StatusCode::NO_CONTENT, "{path}: {status}");
    }
    assert_eq!(stage.show("/campaigns/cmp_nudge").await["paused"], json!(false));
    assert_eq!(stage.show("/tokens/3").await.get("revoked_at"), None);
    assert_eq!(stage.show("/suppressions/bounce@simulator.amazonses.com").await["reason"], json!("hard_bounce"));
    // Ids of one kind are not ids of another, and none climbs out of its place.
    for id in [event.as_str(), run.as_str(), delivery.as_str(), "..", "%2e%2e%2f", "x%23y", "%00"] {
        for path in
            [format!("/projects/{id}"), format!("/projects/{}/campaigns/{id}", stage.project), format!("/parked/{id}")]
        {
            let (status, answer) = stage.manage(Method::GET, &path, &Value::Null).await;
            assert!(status.is_client_error(), "{path}: {status} {answer}");
        }
    }
}

#[tokio::test]
async fn a_token_reaches_nothing_of_another_project() {
    let (stage, other, token) = two(2).await;
    stage.identify("ann", json!({"plan": "gold"})).await;
    stage.track("ann", "Looked", json!({})).await;
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    let before = stage.show("/profiles/ann").await;
    let mails = stage.show("/profiles/ann/deliveries").await;
    let delivery = mails["deliveries"][0]["id"].as_str().expect("a delivery").to_owned();
    let named = json!({"project": stage.project, "project_id": stage.project, "projectId": stage.project});
    let with = |mut body: Value| {
        body.as_object_mut().expect("an object").extend(named.as_object().cloned().expect("an object"));
        body
    };
    let person = with(json!({"id": "ann"}));
    for (method, path, body) in [
        (Method::POST, "/users/unsubscribe", person.clone()),
        (Method::PUT, "/users/edit", with(json!({"id": "ann", "changes": {"plan": "stolen"}}))),
        (Method::PUT, "/users/tags/edit", with(json!({"id": "ann", "add": ["stolen"]}))),
        (Method::PUT, "/users/reidentify", with(json!({"id": "ann", "new_id": "eve"}))),
        (Method::POST, "/users/delete", person.clone()),
        (
            Method::POST,
            "/events/track",
            with(json!({"identity": person, "event_name": "Looked", "extras": {"vero_conv": delivery}})),
        ),
    ] {
        assert_eq!(call(&stage, &token, method, path, body).await, StatusCode::OK, "{path}");
        let group = format!("{}/{}", stage.project, path);
        let batch = json!({"batch": [{"type": "track", "userId": "ann", "event": "Unsubscribe", "project": group}], "writeKey": token});
        assert_eq!(stage.request(Method::POST, "/v1/batch", &[], &batch).await.0, StatusCode::OK);
    }
    stage.pass(jiff::SignedDuration::from_mins(10)).await;
    assert_eq!(stage.show("/profiles/ann").await, before);
    assert_eq!(stage.show("/profiles/ann/deliveries").await, mails);
    assert_eq!(stage.mails().len(), 1, "the other project has no such campaign");
    let (status, _) = stage.manage(Method::GET, &format!("/projects/{other}/profiles/eve"), &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "the calls were the other project's own");
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_link_acts_in_the_project_that_it_was_signed_for() {
    let (stage, other, token) = two(3).await;
    assert_eq!(call(&stage, &token, Method::POST, "/users/track", json!({"id": "ann"})).await, StatusCode::OK);
    stage.identify("ann", json!({"plan": "gold"})).await;
    stage.track("ann", "Looked", json!({})).await;
    stage.world.settle().await;
    let mail = stage.mails().remove(0);
    for (kind, method) in [("c", Method::GET), ("o", Method::GET), ("v", Method::GET), ("u", Method::POST)] {
        assert!(!ask(&stage, method, &link(&mail, kind)).await.status.is_client_error(), "{kind}");
    }
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    assert_eq!(stage.show("/profiles/ann").await["subscribed"], json!(false));
    let (_, neighbour) = stage.manage(Method::GET, &format!("/projects/{other}/profiles/ann"), &Value::Null).await;
    assert_eq!(neighbour["subscribed"], json!(true));
}

#[tokio::test]
async fn feedback_with_another_projects_tag_changes_no_mail() {
    let (stage, other, _) = two(4).await;
    stage.identify("ann", json!({"plan": "gold"})).await;
    stage.track("ann", "Looked", json!({})).await;
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    let before = stage.show("/profiles/ann/deliveries").await;
    let delivery = before["deliveries"][0]["id"].as_str().expect("a delivery").to_owned();
    let unknown = DeliveryId::derive(&["nobody"]);
    for (project, delivery) in [(&other, delivery.as_str()), (&stage.project, unknown.as_str())] {
        let tags = json!({"dunlin_project": [project], "dunlin_delivery": [delivery]});
        let bounce = json!({
            "eventType": "Bounce",
            "mail": {"messageId": "m", "tags": tags, "destination": ["someone@example.com"]},
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": []},
        });
        let open = json!({"v": 1, "project": project, "delivery": delivery, "kind": "unsubscribe", "at": start()});
        for text in [bounce, open] {
            put(&stage, dunlin_aws::resources::FEEDBACK, &text.to_string()).await;
        }
    }
    stage.pass(jiff::SignedDuration::from_mins(1)).await;
    assert_eq!(stage.show("/profiles/ann/deliveries").await, before);
    let ann = format!("/projects/{}/suppressions/ann@example.com", stage.project);
    assert_eq!(stage.manage(Method::GET, &ann, &Value::Null).await.0, StatusCode::NOT_FOUND);
    stage.assert_at_rest().await;
}
