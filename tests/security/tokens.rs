//! Tokens and links: forged, truncated, foreign, replayed.

use axum::body::Body;
use dunlin_core::ids::{DeliveryId, ProjectId, UserId};
use dunlin_core::link::{Kind, Link, PREFIX, Purpose, Target};
use dunlin_core::token::{Claim, Keyring};
use dunlin_tests::{ADMIN_KEY, Stage, link};
use http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{ask, assert_nothing_stored, send};

/// A campaign whose mail has every kind of link.
const LINKED: &str = "
id: cmp_linked
name: Linked
kind: behavioural
trigger: {event: Looked}
from: shop@larkspur.example
message:
  subject: Look
  html: '<body><a href=\"https://shop.example/a?b=c\">a</a> {{ url.unsubscribe }} {{ url.permalink }}</body>'
";

/// Every text that differs from `whole` by an end cut off or by one character.
fn near(whole: &str) -> impl Iterator<Item = String> {
    let cut = (0..whole.len()).map(|at| whole[..at].to_owned());
    let changed = (0..whole.len()).map(|at| {
        let mut text = whole.to_owned();
        let other = if whole.as_bytes()[at] == b'A' { "B" } else { "A" };
        text.replace_range(at..=at, other);
        text
    });
    let longer = ["A", ".", "=", " x"].map(|end| format!("{whole}{end}"));
    cut.chain(changed).chain(longer)
}

fn foreign(stage: &Stage) -> Vec<String> {
    let other = Keyring::parse("k1:another-secret-another-secret-42").expect("a keyring");
    let claim = Claim { project: stage.project.clone(), serial: 1 };
    let unknown = Keyring::parse("k9:0123456789abcdef0123456789abcdef").expect("a keyring");
    let ring = &stage.world.settings().keyring;
    let body = format!("dl.{}.1.k1", stage.project);
    let neighbour = ProjectId::derive(&["neighbour"]);
    vec![
        other.issue(&claim),
        unknown.issue(&claim),
        format!("{body}.{}", ring.sign("link/open", &body)),
        format!("{body}.{}", ring.sign("admin", &body)),
        stage.token.replace(stage.project.as_str(), neighbour.as_str()),
        stage.token.replacen(".1.", ".2.", 1),
        stage.token.replacen(".1.", ".01.", 1),
        stage.token.replacen(".1.", ".+1.", 1),
        ADMIN_KEY.to_owned(),
    ]
}

/// The same secret in every place in which the APIs take one.
async fn knock(stage: &Stage, secret: &str) -> Vec<StatusCode> {
    let post = |path: &str, body: Value, headers: &[(&str, String)]| {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(body.to_string())).expect("a request")
    };
    let query = format!("/api/v2/users/track?auth_token={}", secret.replace(['+', ' '], "%20"));
    let identify = json!({"id": "ann"});
    let event = json!({"userId": "ann", "event": "Looked"});
    let mut statuses = Vec::new();
    for request in [
        post("/api/v2/users/track", json!({"id": "ann", "auth_token": secret}), &[]),
        post(&query, identify, &[]),
        post("/v1/track", json!({"userId": "ann", "event": "Looked", "writeKey": secret}), &[]),
        post("/v1/track", event, &[("authorization", format!("Bearer {secret}"))]),
    ] {
        let answer = send(stage, request).await;
        let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(secret.len() < 3 || !message.contains(secret), "an answer quotes {secret}");
        statuses.push(answer.status);
    }
    statuses
}

#[tokio::test]
async fn a_token_that_is_forged_truncated_or_signed_for_something_else_opens_no_door() {
    let stage = Stage::new(1).await;
    let bad: Vec<String> =
        near(&stage.token).filter(|text| text.trim() != stage.token).chain(foreign(&stage)).collect();
    for secret in bad {
        let statuses = knock(&stage, &secret).await;
        assert!(statuses.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{secret}: {statuses:?}");
    }
    assert_nothing_stored(&stage).await;
    assert!(knock(&stage, &stage.token).await.iter().all(|status| *status == StatusCode::OK));
}

#[tokio::test]
async fn a_revoked_token_opens_no_door() {
    let stage = Stage::new(2).await;
    let (status, _) =
        stage.manage(Method::POST, &format!("/projects/{}/tokens/1/revoke", stage.project), &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    stage.pass(SignedDuration::from_secs(6)).await;
    assert!(knock(&stage, &stage.token).await.iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_nothing_stored(&stage).await;
}

#[tokio::test]
async fn only_the_admin_key_opens_manage() {
    let stage = Stage::new(3).await;
    let shout = ADMIN_KEY.to_uppercase();
    let secrets: Vec<String> = near(ADMIN_KEY).filter(|text| text.trim() != ADMIN_KEY).chain([shout]).collect();
    let document = ask(&stage, Method::GET, "/manage/v1/openapi.json").await.json();
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    assert!(paths.len() > 15);
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{project}", stage.project.as_str()).replace(['{', '}'], "");
        let path = if path.starts_with("/manage") { path } else { format!("/manage/v1{path}") };
        if path.ends_with("openapi.json") {
            continue;
        }
        for method in methods.as_object().expect("methods").keys() {
            for header in [None, Some(format!("Bearer {}", stage.token)), Some(format!("Basic {ADMIN_KEY}"))] {
                let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
                if let Some(header) = header {
                    request = request.header("authorization", header);
                }
                let answer = send(&stage, request.body(Body::empty()).expect("a request")).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(answer.json()["error"]["code"], json!("unauthorized"), "{method} {path}");
            }
        }
    }
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        let header = [("authorization", format!("Bearer {secret}"))];
        let headers = header.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (status, _) = stage.request(Method::GET, "/manage/v1/projects", &headers, &Value::Null).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{secret}");
    }
}

#[tokio::test]
async fn a_link_that_is_forged_truncated_or_of_another_kind_or_key_does_nothing() {
    let stage = Stage::new(4).await;
    let other = Keyring::parse("k1:another-secret-another-secret-42").expect("a keyring");
    let purposes = [
        Purpose::Open,
        Purpose::View,
        Purpose::Unsubscribe(UserId::parse("ann").expect("an id")),
        Purpose::Click(Target::parse("https://shop.example/").expect("a target")),
    ];
    let delivery = DeliveryId::derive(&["d"]);
    for purpose in purposes {
        let link = Link { project: stage.project.clone(), delivery: delivery.clone(), purpose };
        let whole = link.path(&stage.world.settings().keyring);
        let letter = link.kind().letter();
        let text = whole.strip_prefix(&format!("{PREFIX}{letter}/")).expect("its text");
        let mut bad: Vec<String> = near(text)
            .filter(|text| !text.contains([' ', '=']))
            .map(|text| format!("{PREFIX}{letter}/{text}"))
            .collect();
        bad.extend(
            Kind::ALL
                .into_iter()
                .filter(|kind| *kind != link.kind())
                .map(|kind| format!("{PREFIX}{}/{text}", kind.letter())),
        );
        bad.extend([link.path(&other), format!("{PREFIX}{letter}/{}", stage.token)]);
        for path in bad {
            for method in [Method::GET, Method::POST] {
                let answer = ask(&stage, method, &path).await;
                assert!(answer.status.is_client_error() && answer.header("location").is_empty(), "{path}");
            }
        }
    }
    assert_nothing_stored(&stage).await;
}

#[tokio::test]
async fn a_link_that_is_followed_again_does_what_it_did_and_nothing_more() {
    let stage = Stage::new(5).await;
    stage.publish(LINKED).await;
    stage.identify("ann", json!({})).await;
    stage.track("ann", "Looked", json!({})).await;
    stage.world.settle().await;
    let mail = stage.mails().remove(0);
    for _ in 0..3 {
        let click = ask(&stage, Method::GET, &link(&mail, "c")).await;
        assert!(click.header("location").starts_with("https://shop.example/a?b=c"), "{}", click.header("location"));
        let opened = ask(&stage, Method::GET, &link(&mail, "o")).await;
        assert_eq!(opened.header("content-type"), "image/gif");
        assert_eq!(ask(&stage, Method::GET, &link(&mail, "u")).await.status, StatusCode::OK);
        stage.world.settle().await;
    }
    let shown = stage.show("/profiles/ann").await;
    assert_eq!(shown["subscribed"], json!(true), "looking at the page unsubscribes nobody");
    for _ in 0..3 {
        assert_eq!(ask(&stage, Method::POST, &link(&mail, "u")).await.status, StatusCode::OK);
        stage.pass(SignedDuration::from_mins(1)).await;
        assert_eq!(stage.show("/profiles/ann").await["subscribed"], json!(false));
    }
    assert_eq!(stage.mails().len(), 1);
    stage.assert_at_rest().await;
}

#[tokio::test]
async fn a_replayed_request_is_one_event_and_one_mail() {
    let stage = Stage::new(6).await;
    stage.publish(LINKED).await;
    stage.identify("ann", json!({})).await;
    let item = json!({"type": "track", "userId": "ann", "event": "Looked", "messageId": "m-1"});
    let bearer = format!("Bearer {}", stage.token);
    for _ in 0..3 {
        stage.track("ann", "Looked", json!({"n": 1})).await;
        let body = json!({"batch": [item, item]});
        let (status, _) = stage.request(Method::POST, "/v1/batch", &[("authorization", &bearer)], &body).await;
        assert_eq!(status, StatusCode::OK);
        stage.pass(SignedDuration::from_mins(1)).await;
    }
    assert_eq!(stage.mails().len(), 2, "one for each of the two events");
}
