//! The whole front door over the real SDK, whose requests are answered in process.

mod house;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dunlin_core::call::{Action, Call};
use dunlin_core::task::{self, Calls};
use dunlin_core::token::Revocations;
use http_body::Frame;
use serde_json::{Value, json};

use self::house::{House, Mood, NEW, NOON, OLD, event, token, token_of};
use super::*;

#[tokio::test]
async fn every_endpoint_takes_its_methods_in_every_encoding() {
    let cases = [
        (
            "POST",
            "users/track",
            json!({"id": 7, "email": "a@b.co", "data": {"a": "ü"}, "channels": [], "extras": {"source": "s"}}),
            "identify",
        ),
        ("PUT", "users/edit", json!({"id": "7", "changes": {"a": [1, null]}}), "edit"),
        ("PUT", "users/tags/edit", json!({"id": "7", "add": ["x"], "remove": ["y"]}), "tags"),
        ("POST", "users/unsubscribe", json!({"email": "a@b.co"}), "unsubscribe"),
        ("POST", "users/resubscribe", json!({"id": "7"}), "resubscribe"),
        ("PUT", "users/reidentify", json!({"id": "7", "new_id": "8"}), "reidentify"),
        ("POST", "users/reidentify", json!({"id": "7", "new_id": "8"}), "reidentify"),
        ("POST", "users/delete", json!({"id": "7"}), "delete"),
        ("DELETE", "users/delete", json!({"id": "7"}), "delete"),
        (
            "POST",
            "events/track",
            json!({"identity": {"id": 7}, "event_name": "Paid", "data": {"a": {"b": 1}}, "extras": {}}),
            "track",
        ),
    ];
    let ok = (200, json!({"status": 200, "message": "Success."}));
    for (method, path, body, kind) in cases {
        let house = House::open(OLD);
        let mut with_token = body.clone();
        with_token["auth_token"] = json!(token(OLD));
        let texts: Value = with_token
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                (
                    name.clone(),
                    match value {
                        Value::Object(_) | Value::Array(_) => json!(value.to_string()),
                        other => other.clone(),
                    },
                )
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in texts.as_object().into_iter().flatten() {
            form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
        }
        let path = format!("/api/v2/{path}");
        assert_eq!(house.json(method, &path, &with_token).await, ok, "{path}");
        assert_eq!(house.json(method, &format!("{path}.json"), &texts).await, ok, "{path} as texts");
        let (head, _) =
            house.send(method, &path, &[("content-type", "application/x-www-form-urlencoded")], form.finish()).await;
        assert_eq!(head.status, 200, "{path} as a form");
        let (head, _) = house
            .send(method, &path, &[("content-type", "application/x-www-form-urlencoded")], with_token.to_string())
            .await;
        assert_eq!(head.status, 200, "{path} mislabelled");
        assert_eq!(
            house.json(method, &format!("{path}?tracking_api_key={}", token(OLD)), &body).await,
            ok,
            "{path}, token in the query"
        );
        let calls = house.calls();
        let actions: Vec<&Action> = calls.iter().map(|call| &call.action).collect();
        assert_eq!(actions.len(), 5);
        assert!(actions.iter().all(|action| **action == calls[0].action), "{path}: {actions:?}");
        assert_eq!(serde_json::to_value(&calls[0].action).expect("JSON")["kind"], kind);
        for call in &calls {
            assert_eq!((call.project.as_str(), call.at), ("prj_demo", call.accepted_at), "{path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_revoked_or_foreign_token_is_401_and_nothing_is_queued() {
    let house = House::open(&format!("{NEW},{OLD}"));
    let call = |token: Value| json!({"id": "7", "auth_token": token});
    let refused =
        json!({"status": 401, "message": "`auth_token` is missing, wrong or revoked: use a token of this project"});
    let foreign = token("k1:ffffffffffffffffffffffffffffffff");
    for bad in [json!("x"), json!(null), json!(foreign), json!(7), json!(token(OLD).to_uppercase())] {
        assert_eq!(house.json("POST", "/api/v2/users/track", &call(bad)).await, (401, refused.clone()));
    }
    assert_eq!(
        house.json("POST", "/api/v2/users/track", &json!({})).await.0,
        400,
        "parameters are checked before the credential"
    );
    assert_eq!(house.json("POST", "/v1/track", &json!({"writeKey": "x"})).await.0, 401);
    assert!(house.entries().is_empty());
    for good in [token(OLD), token(NEW)] {
        assert_eq!(
            house.json("POST", "/api/v2/users/track", &call(json!(good))).await.0,
            200,
            "both keys of a rotation are live"
        );
    }
    let mut revoked = Revocations::default();
    revoked.revoke(ProjectId::parse("prj_demo").expect("an id"), 3);
    house.revoked.replace(revoked);
    assert_eq!(house.json("POST", "/api/v2/users/track", &call(json!(token(NEW)))).await, (401, refused));
}

#[tokio::test]
async fn a_credential_is_never_queued() {
    let house = House::open(OLD);
    let secret = token(OLD);
    let body = json!({"auth_token": secret, "tracking_api_key": secret, "identity": {"id": "7", "auth_token": secret}, "event_name": "Paid"});
    assert_eq!(house.json("POST", &format!("/api/v2/events/track?auth_token={secret}"), &body).await.0, 200);
    let as_text = json!({"auth_token": secret, "identity": json!({"id": "8", "tracking_api_key": secret}).to_string(), "event_name": "Paid"});
    assert_eq!(house.json("POST", "/api/v2/events/track", &as_text).await.0, 200);
    let batch = json!({"writeKey": secret, "batch": [{"type": "identify", "userId": "9", "writeKey": secret}]});
    assert_eq!(house.json("POST", "/v1/batch", &batch).await.0, 200);
    assert_eq!(house.entries().len(), 3);
    assert!(!Value::Array(house.entries()).to_string().contains(&secret));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_apis_shape() {
    let house = House::open(OLD);
    for path in ["/", "/api/v2", "/api/v2/", "/api/v2/nonsense", "/api/v3/users/track", "/api/v2/users/track.xml"] {
        let (status, body) = house.json("POST", path, &json!({})).await;
        assert_eq!((status, &body["status"]), (404, &json!(404)), "{path}");
    }
    assert_eq!(house.json("POST", "/v1/nonsense", &json!({})).await.1["success"], json!(false));
    for (method, path, allow) in [
        ("GET", "/api/v2/users/track", "POST, OPTIONS"),
        ("POST", "/api/v2/users/edit", "PUT, OPTIONS"),
        ("PATCH", "/api/v2/users/delete.json", "POST, DELETE, OPTIONS"),
        ("POST", "/api/v2/heartbeat", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/track", "POST, OPTIONS"),
    ] {
        let (head, body) = house.send(method, path, &[], "").await;
        assert_eq!(
            (head.status.as_u16(), head.headers.get("allow").and_then(|v| v.to_str().ok())),
            (405, Some(allow)),
            "{path}"
        );
        assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON")["message"], format!("this path takes {allow}"));
    }
}

#[tokio::test]
async fn the_heartbeat_beats_and_preflights_are_answered() {
    let house = House::open(OLD);
    for path in ["/api/v2/heartbeat", "/api/v2/heartbeat.json"] {
        assert_eq!(house.send("GET", path, &[], "").await.1, r#"{"status":200,"message":"Success."}"#);
        let (head, body) = house.send("HEAD", path, &[], "").await;
        assert_eq!((head.status.as_u16(), body.as_str()), (200, ""));
    }
    for path in ["/api/v2/users/track", "/api/v2/events/track.json", "/api/v2/anything", "/v1/batch"] {
        let (head, _) = house
            .send("OPTIONS", path, &[("origin", "https://shop.example"), ("access-control-request-method", "PUT")], "")
            .await;
        assert_eq!(head.status, 204);
        assert_eq!(head.headers["access-control-allow-methods"], "GET, POST, PUT, DELETE, OPTIONS");
        assert!(
            head.headers["access-control-allow-headers"].to_str().is_ok_and(|names| names.contains("content-type"))
        );
    }
}

#[tokio::test]
async fn bodies_over_a_limit_are_413_before_they_are_read_while_read_and_after() {
    let house = House::open(OLD);
    let unread = Body::new(Never);
    let (head, _) = house.send("POST", "/api/v2/users/track", &[("content-length", "600000")], unread).await;
    assert_eq!(head.status, 413, "refused by its header");
    let (status, body) =
        house.json("POST", "/api/v2/events/track", &event(json!({"a": "x".repeat(1024 * 1024)}))).await;
    assert_eq!(
        (status, body["message"].as_str()),
        (413, Some("the body is larger than 512000 bytes: send less at a time"))
    );
    let (status, body) = house.json("POST", "/api/v2/events/track", &event(json!({"a": "x".repeat(33 * 1024)}))).await;
    assert_eq!(
        (status, body["message"].as_str()),
        (413, Some("`data` makes the call larger than 32768 bytes: send less in it"))
    );
    let large =
        json!({"writeKey": token(OLD), "userId": "7", "event": "a", "properties": {"a": "x".repeat(33 * 1024)}});
    assert_eq!(house.json("POST", "/v1/track", &large).await.0, 400, "Segment knows no 413");
    assert!(house.entries().is_empty());
}

/// A body that never comes.
struct Never;

impl axum::body::HttpBody for Never {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<bytes::Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn repeated_events_share_a_deduplication_id_and_identifies_do_not() {
    let house = House::open(OLD);
    for seconds in [0, 299] {
        house.clock.advance_to(NOON + jiff::SignedDuration::from_secs(seconds));
        assert_eq!(house.json("POST", "/api/v2/events/track", &event(json!({"a": 1, "b": 2}))).await.0, 200);
        assert_eq!(
            house.json("POST", "/api/v2/users/track", &json!({"id": "7", "auth_token": token(OLD)})).await.0,
            200
        );
    }
    let dedup: Vec<String> = house.entries().iter().map(|entry| entry["MessageDeduplicationId"].to_string()).collect();
    assert_eq!(dedup.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(dedup[0], dedup[2]);
    let calls = house.calls();
    assert_eq!(calls[0].id, calls[2].id);
    let groups: BTreeSet<String> = house.entries().iter().map(|entry| entry["MessageGroupId"].to_string()).collect();
    assert_eq!(groups.len(), 1, "one user, one group");
}

#[tokio::test]
async fn every_unicode_text_survives_the_queue() {
    let house = House::open(OLD);
    let odd: String = ('\0'..='\u{ff}')
        .chain(['\u{2028}', '\u{d7ff}', '\u{e000}', '\u{fffd}', '\u{fffe}', '\u{ffff}', '\u{10ffff}'])
        .collect();
    let data = json!({ odd.clone(): odd });
    assert_eq!(house.json("POST", "/api/v2/events/track", &event(data.clone())).await.0, 200);
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    assert!(house.entries()[0]["MessageBody"].as_str().is_some_and(|text| text.chars().all(legal)));
    assert!(matches!(&house.calls()[0].action, Action::Track { data: got, .. } if json!(got) == data));
}

#[tokio::test]
async fn a_batch_becomes_as_few_requests_as_the_limits_allow() {
    let house = House::open(OLD);
    let item = |n: usize| json!({"type": "track", "userId": n % 5, "event": "Paid", "messageId": format!("m{n}")});
    let batch = json!({"batch": (0..500).map(item).collect::<Vec<_>>()});
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:", token(OLD))));
    for _ in 0..2 {
        let (head, body) = house.send("POST", "/v1/batch", &[("authorization", &basic)], batch.to_string()).await;
        assert_eq!((head.status.as_u16(), body.as_str()), (200, r#"{"success":true}"#));
    }
    let entries = house.entries();
    assert_eq!(entries.len(), 50, "20 calls a message");
    let of = |entries: &[Value]| {
        entries.iter().map(|entry| entry["MessageDeduplicationId"].to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(&entries[..25]), of(&entries[25..]), "the same batch again is the same messages");
    let first: Vec<Call> = house.calls().into_iter().filter(|call| call.user.as_str() == "3").take(100).collect();
    let want: Vec<String> = (0..100).map(|n| digest_of(n * 5 + 3)).collect();
    assert_eq!(first.iter().map(|call| call.id.to_string()).collect::<Vec<_>>(), want, "one user's calls in order");
}

fn digest_of(n: usize) -> String {
    let key = dunlin_core::ids::digest(&["message", "prj_demo", &format!("m{n}"), "main"]);
    dunlin_core::ids::EventId::derive(&[&key]).to_string()
}

#[tokio::test]
async fn a_batch_of_nothing_but_rejects_still_succeeds() {
    let house = House::open(OLD);
    let body = json!({"writeKey": token(OLD), "batch": [{"type": "track"}, {}]});
    assert_eq!(house.json("POST", "/v1/batch", &body).await, (200, json!({"success": true})));
    assert_eq!(
        house.json("POST", "/v1/track", &json!({"writeKey": token(OLD)})).await,
        (200, json!({"success": true}))
    );
    assert!(house.entries().is_empty());
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_spilled_and_then_503() {
    let house = House::open(OLD);
    house.wire.sqs.lock().expect("no panic").0 = Mood::Unavailable;
    assert_eq!(house.json("POST", "/api/v2/events/track", &event(json!({"a": 1}))).await.0, 200);
    let objects = house.wire.s3.lock().expect("no panic").1.clone();
    let (path, content) = &objects[0];
    assert!(path.contains("/dunlin-store/spill/1772366400000-") && path.contains(".json"), "{path}");
    let messages: Vec<Outgoing> = serde_json::from_slice(content).expect("messages");
    let calls = task::from_text::<Calls>(&messages[0].body).expect("a task").calls;
    assert_eq!((messages.len(), calls[0].user.as_str()), (1, "7"));

    house.wire.s3.lock().expect("no panic").0 = Mood::Unavailable;
    let (head, body) = house.send("POST", "/api/v2/events/track", &[], event(json!({"a": 2})).to_string()).await;
    assert_eq!((head.status.as_u16(), head.headers["retry-after"].to_str().ok()), (503, Some("5")));
    assert_eq!(body, r#"{"message":"the call is not stored: send it again","status":503}"#);

    house.wire.sqs.lock().expect("no panic").0 = Mood::RefusesEntries;
    assert_eq!(
        house.json("POST", "/api/v2/events/track", &event(json!({"a": 3}))).await.0,
        500,
        "never a 200 for what is nowhere"
    );
}

/// Items of a batch, each of a person of its own.
fn batch(project: &str, calls: usize) -> Value {
    let item = |n: usize| json!({"type": "track", "userId": n, "event": "Paid", "messageId": format!("{project}-{n}")});
    json!({"writeKey": token_of(project), "batch": (0..calls).map(item).collect::<Vec<_>>()})
}

fn lanes(house: &House) -> Vec<(String, usize)> {
    let mut lanes = BTreeMap::new();
    for entry in house.entries() {
        let queue = entry["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).expect("a queue").to_owned();
        let calls = task::from_text::<Calls>(entry["MessageBody"].as_str().expect("text")).expect("a task").calls.len();
        *lanes.entry(queue).or_default() += calls;
    }
    lanes.into_iter().collect()
}

#[tokio::test]
async fn a_project_over_its_soft_quota_takes_the_second_lane_and_comes_back_when_it_is_calm() {
    let house = House::open(OLD);
    for project in ["prj_a", "prj_b", "prj_c"] {
        assert_eq!(house.json("POST", "/v1/batch", &batch(project, 1)).await.0, 200);
    }
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_demo", 60)).await.0, 200);
    assert_eq!(house.json("POST", "/api/v2/events/track", &event(json!({"a": 1}))).await.0, 200);
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_a", 2)).await.0, 200);
    assert_eq!(lanes(&house), [("backlog.fifo".to_owned(), 61), ("events.fifo".to_owned(), 5)]);
    house.clock.advance_to(NOON + jiff::SignedDuration::from_secs(70));
    assert_eq!(house.json("POST", "/api/v2/events/track", &event(json!({"a": 2}))).await.0, 200);
    assert_eq!(lanes(&house), [("backlog.fifo".to_owned(), 61), ("events.fifo".to_owned(), 6)]);
}

#[tokio::test]
async fn who_unsubscribes_or_is_deleted_does_not_wait_behind_the_flood_of_their_project() {
    let house = House::open(OLD);
    for project in ["prj_a", "prj_b", "prj_c"] {
        assert_eq!(house.json("POST", "/v1/batch", &batch(project, 1)).await.0, 200);
    }
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_demo", 60)).await.0, 200);
    let mut last = BTreeMap::new();
    for (method, path, more) in [
        ("POST", "unsubscribe", json!({})),
        ("POST", "delete", json!({})),
        ("DELETE", "delete", json!({})),
        ("POST", "resubscribe", json!({})),
        ("PUT", "tags/edit", json!({"add": ["unsubscribed"]})),
        ("PUT", "edit", json!({"changes": {"plan": "pro"}})),
    ] {
        let mut body = json!({"auth_token": token(OLD), "id": "7"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(house.json(method, &format!("/api/v2/users/{path}"), &body).await.0, 200, "{path}");
        let entry = house.entries().pop().expect("an entry");
        last.insert((path, method), entry["QueueUrl"].as_str().is_some_and(|url| url.ends_with("/events.fifo")));
    }
    let first: Vec<_> = last.iter().filter(|(_, is_first)| **is_first).map(|(call, _)| *call).collect();
    assert_eq!(first, [("delete", "DELETE"), ("delete", "POST"), ("unsubscribe", "POST")]);
}

#[tokio::test]
async fn a_project_over_its_hard_quota_is_told_to_come_back_later_in_the_apis_shape_and_others_are_not() {
    let house = House::open(OLD);
    for _ in 0..8 {
        assert_eq!(house.json("POST", "/v1/batch", &batch("prj_demo", 2_500)).await.0, 200);
    }
    let before = house.entries().len();
    let (head, body) = house.send("POST", "/v1/batch", &[], batch("prj_demo", 1).to_string()).await;
    assert_eq!((head.status.as_u16(), head.headers["retry-after"].to_str().ok()), (429, Some("5")));
    let message = "this project sends too many calls: send this again later";
    assert_eq!(body, json!({"success": false, "status": 429, "message": message}).to_string());
    let refused = house.json("POST", "/api/v2/events/track", &event(json!({"a": 1}))).await;
    assert_eq!(refused, (429, json!({"status": 429, "message": message})));
    assert_eq!(house.entries().len(), before, "what is refused is nowhere");
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_a", 1)).await.0, 200);
    house.clock.advance_to(NOON + jiff::SignedDuration::from_secs(15));
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_demo", 1)).await.0, 200);
}

#[tokio::test]
async fn a_flood_that_its_queue_does_not_take_is_spilled_for_its_own_lane() {
    let house = House::open(OLD);
    for project in ["prj_a", "prj_b", "prj_c"] {
        assert_eq!(house.json("POST", "/v1/batch", &batch(project, 1)).await.0, 200);
    }
    house.wire.sqs.lock().expect("no panic").0 = Mood::Unavailable;
    assert_eq!(house.json("POST", "/v1/batch", &batch("prj_demo", 60)).await.0, 200);
    let path = house.wire.s3.lock().expect("no panic").1[0].0.clone();
    assert!(path.contains("/dunlin-store/spill/backlog/1772366400000-"), "{path}");
}
