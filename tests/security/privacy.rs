//! Nothing personal leaves by logs, metrics, traces or error texts, whatever goes wrong and however much is logged.
//!
//! Personal is what a client sends about a person: addresses, user ids (they may be addresses), names and values of
//! properties, tags, event names and data, channels, URLs that were clicked, programs that read; what templates make of
//! them; and what mail servers say about them. Not personal are our own ids, digests of user ids, the names that operators
//! give (projects, campaigns, steps), kinds, codes, counts and instants.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use dunlin_aws::log::lines;
use dunlin_aws::resources::{EVENTS, FEEDBACK, SENDS, STEPS};
use dunlin_core::ids::{DeliveryId, UserId, person};
use dunlin_local::{Fault, FaultKind, Service, When};
use dunlin_tests::{Stage, link};
use http::{Method, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::queues::put;
use crate::send;

/// Marks every personal value of the story.
const MARK: &str = "quetzal";
/// What is logged at most, by whoever deploys.
const EVERYTHING: &str = "trace";

/// Mails that work, with every kind of link, and mails whose template fails, is empty, or has no sender, each for the person's
/// own data.
const CAMPAIGNS: [&str; 3] = [
    "
id: cmp_linked
name: Linked
kind: behavioural
trigger: {event: Looked}
from: '{{ user.plan }} <shop@larkspur.example>'
message:
  subject: Order {{ event.order }}
  html: '<body>{{ user.plan }}<a href=\"https://shop.example/{{ event.order }}\">a</a> {{ url.unsubscribe }} {{ url.permalink }}</body>'
",
    "
id: cmp_broken
name: Broken
kind: transactional
trigger: {event: Bought}
from: shop@larkspur.example
message: {subject: Order, text: '{{ 100 | divided_by: event.order }}'}
",
    "
id: cmp_nobody
name: Nobody
kind: transactional
trigger: {event: Bought}
from: '{{ event.order }}'
message: {subject: Order, text: x}
",
];

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the log").clone()).expect("text")
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Logs of this thread into a buffer, as a function writes them, until the guard goes.
fn captured() -> (Captured, tracing::subscriber::DefaultGuard) {
    let kept = Captured::default();
    let writer = kept.clone();
    (kept, tracing::subscriber::set_default(lines(Some(EVERYTHING), move || writer.clone())))
}

fn secret(name: &str) -> String {
    format!("{name}-{MARK}")
}

/// Every endpoint of both APIs, about people of whom everything is marked.
async fn calls(stage: &Stage) {
    let data = || json!({secret("plan"): secret("gold"), "plan": secret("plan"), "order": secret("order")});
    let answered = async |method: Method, path: &str, mut body: Value| {
        body["auth_token"] = json!(stage.token);
        // Under faults some calls are answered with 503; what counts is what is said about them.
        stage.request(method, &format!("/api/v2{path}"), &[("user-agent", MARK)], &body).await;
    };
    for (id, email) in [
        ("ann-quetzal@example.com".to_owned(), "ann-quetzal@example.com"),
        (secret("b"), "bounce+quetzal@simulator.amazonses.com"),
        (secret("c"), "complaint+quetzal@simulator.amazonses.com"),
    ] {
        let channels = json!([{"type": "push", "address": secret("device"), "platform": "ios"}]);
        answered(Method::POST, "/users/track", json!({"id": id, "email": email, "data": data(), "channels": channels}))
            .await;
        let identity = json!({"id": id, "email": email, "plan": secret("plan")});
        for event in ["Bought".to_owned(), "Looked".to_owned(), secret("Event")] {
            let extras = json!({"source": MARK, "check_id": MARK, "vero_conv": MARK});
            let body = json!({"identity": identity, "event_name": event, "data": data(), "extras": extras});
            answered(Method::POST, "/events/track", body).await;
        }
        answered(Method::PUT, "/users/tags/edit", json!({"id": id, "add": [secret("tag")]})).await;
        answered(Method::PUT, "/users/edit", json!({"id": id, "changes": data()})).await;
        let common = json!({"userId": id, "messageId": secret(&id), "traits": data(), "properties": data(), "context": {"traits": {"email": email}, "page": {"url": MARK}}});
        for (kind, more) in [
            ("identify", json!({})),
            ("track", json!({"event": "Looked"})),
            ("page", json!({"name": MARK})),
            ("screen", json!({"name": MARK})),
            ("group", json!({"groupId": MARK})),
            ("alias", json!({"previousId": secret("old")})),
            ("track", json!({"event": 7, "userId": [MARK]})),
            ("identify", json!({"traits": [MARK]})),
            (MARK, json!({})),
        ] {
            let mut item = common.clone();
            item.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
            item["type"] = json!(kind);
            let body = json!({"batch": [item, {"type": "identify", "userId": secret("x"), "traits": {"email": MARK}}, MARK], "writeKey": stage.token});
            stage.request(Method::POST, "/v1/batch", &[], &body).await;
        }
    }
    stage.pass(SignedDuration::from_mins(5)).await;
    answered(Method::POST, "/users/unsubscribe", json!({"id": secret("c")})).await;
    answered(Method::POST, "/users/resubscribe", json!({"id": secret("c")})).await;
    answered(Method::PUT, "/users/reidentify", json!({"id": secret("b"), "new_id": secret("z")})).await;
}

/// Refusals of every kind, and their texts: whoever reads them elsewhere than at the client learns nothing.
async fn refusals(stage: &Stage) -> Vec<String> {
    let mut texts = Vec::new();
    let token = &stage.token;
    for (path, body) in [
        ("/api/v2/users/track", json!({"auth_token": secret("token"), "id": secret("c")}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": secret("c"), "email": MARK}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": MARK.repeat(60)}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": "x", "data": MARK}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": "x", "data": [MARK]}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": "x", "data": {"a": MARK.repeat(9_000)}}).to_string()),
        ("/api/v2/users/track", json!({"auth_token": token, "id": "x", "channels": [MARK]}).to_string()),
        (
            "/api/v2/events/track",
            json!({"auth_token": token, "identity": {"id": "x"}, "event_name": MARK.repeat(60)}).to_string(),
        ),
        (
            "/api/v2/events/track",
            json!({"auth_token": token, "identity": {"id": "x"}, "event_name": "x", "extras": {"created_at": MARK}})
                .to_string(),
        ),
        ("/api/v2/events/track", json!({"auth_token": token, "identity": MARK, "event_name": "x"}).to_string()),
        ("/api/v2/users/quetzal", "{}".to_owned()),
        ("/api/v2/users/edit", "{}".to_owned()),
        ("/v1/quetzal", "{}".to_owned()),
        ("/v1/batch", json!({"writeKey": token, "batch": MARK}).to_string()),
        ("/v1/track", format!("{{\"userId\":\"{MARK}")),
        ("/v1/track?quetzal=quetzal", MARK.to_owned()),
        ("/l/c/quetzal", MARK.to_owned()),
        ("/l/u/quetzal?id=quetzal", MARK.to_owned()),
        ("/l/quetzal", MARK.to_owned()),
    ] {
        let request = Request::post(path).header("user-agent", MARK).header("referer", MARK).header("cookie", MARK);
        let answer = send(stage, request.body(Body::from(body)).expect("a request")).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        texts.push(format!("{path}: {:?} {}", answer.headers, answer.text));
    }
    texts
}

/// What recipients do with their mails.
async fn clicks(stage: &Stage) {
    for mail in stage.mails().iter().take(3) {
        for (kind, method) in
            [("c", Method::GET), ("o", Method::GET), ("v", Method::GET), ("u", Method::GET), ("u", Method::POST)]
        {
            let request = Request::builder().method(method).uri(link(mail, kind)).header("user-agent", MARK);
            send(stage, request.body(Body::from(MARK)).expect("a request")).await;
        }
    }
    stage.pass(SignedDuration::from_mins(1)).await;
}

/// Texts that mail servers and strangers bring to the queues, in records that parse and in records that do not.
async fn arrivals(stage: &Stage) {
    let (nobody, strange) = (DeliveryId::derive(&["nobody"]), secret("Type"));
    let tags = json!({"dunlin_project": [stage.project], "dunlin_delivery": [nobody]});
    for kind in ["Bounce", "Complaint", "Delivery", "Reject", "Rendering Failure", "Click", strange.as_str()] {
        for tags in [tags.clone(), json!({}), json!({"dunlin_project": [MARK]})] {
            let event = json!({
                "eventType": kind,
                "mail": {"messageId": MARK, "tags": tags, "destination": ["ann-quetzal@example.com"], "headers": [{"name": "Subject", "value": MARK}]},
                "bounce": {"bounceType": "Permanent", "bounceSubType": MARK, "bouncedRecipients": [{"emailAddress": "ann-quetzal@example.com", "diagnosticCode": MARK}]},
                "complaint": {"userAgent": MARK, "complainedRecipients": [{"emailAddress": "ann-quetzal@example.com"}]},
                "reject": {"reason": MARK}, "failure": {"errorMessage": MARK}, "click": {"link": MARK},
            });
            put(stage, FEEDBACK, &event.to_string()).await;
            put(stage, FEEDBACK, &json!({"Type": MARK, "Message": MARK}).to_string()).await;
        }
    }
    let poison = [
        format!("{{\"v\":1,\"user\":\"{MARK}\"}}"),
        format!("{{\"v\":\"{MARK}\",\"project\":\"{MARK}\"}}"),
        format!(
            "{{\"v\":1,\"project\":\"{MARK}\",\"run\":\"{MARK}\",\"delivery\":\"{MARK}\",\"calls\":[{{\"id\":\"{MARK}\"}}]}}"
        ),
        format!("{{\"v\":1,\"{MARK}"),
        MARK.to_owned(),
    ];
    for queue in [EVENTS, STEPS, SENDS, FEEDBACK] {
        for text in &poison {
            put(stage, queue, text).await;
        }
    }
    stage.pass(SignedDuration::from_mins(30)).await;
}

/// An operator looks for people, by ids that are addresses; some rows do not decode any more.
async fn operator(stage: &Stage) {
    let spoilt = UserId::parse("spoilt-quetzal@example.com").expect("an id");
    let delivery = DeliveryId::to(&stage.project, &spoilt, &["one"]);
    let key = person(&stage.project, &spoilt);
    let ledger = format!("{}#{key}", stage.project);
    for (table, key, sort) in [("profiles", key, "profile"), ("deliveries", ledger, delivery.as_str())] {
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(key)),
            ("sk".to_owned(), AttributeValue::S(sort.to_owned())),
            ("b".to_owned(), AttributeValue::S(format!("\"{MARK}\""))),
            ("v".to_owned(), AttributeValue::N("1".to_owned())),
        ]);
        let put = stage.world.clients().dynamodb.put_item().table_name(format!("dunlin-{table}"));
        put.set_item(Some(item)).send().await.expect("put");
    }
    let project = format!("/projects/{}", stage.project);
    let mut statuses = Vec::new();
    for path in [
        "/profiles/ann-quetzal@example.com".to_owned(),
        "/profiles/ann-quetzal@example.com/activity".to_owned(),
        "/profiles/ann-quetzal@example.com/deliveries".to_owned(),
        "/profiles/x?id=ann-quetzal@example.com".to_owned(),
        "/suppressions/ann-quetzal@example.com".to_owned(),
        "/suppressions/quetzal".to_owned(),
        "/campaigns/quetzal".to_owned(),
        "/tokens/quetzal".to_owned(),
        "/deliveries/quetzal".to_owned(),
        "/profiles/spoilt-quetzal@example.com".to_owned(),
        format!("/deliveries/{delivery}"),
    ] {
        statuses.push(stage.manage(Method::GET, &format!("{project}{path}"), &Value::Null).await.0.as_u16());
    }
    assert!(statuses.contains(&500), "no row was spoilt: {statuses:?}");
    let body = json!({"name": {MARK: 1}, "from": MARK});
    stage.manage(Method::PUT, &project, &body).await;
    stage.manage(Method::PUT, &project, &json!({"name": "x", "from": MARK})).await;
    stage.manage(Method::PUT, &format!("{project}/campaigns/cmp_x"), &json!({"id": "cmp_x", MARK: MARK})).await;
    let (_, parked) = stage.manage(Method::GET, "/parked?limit=1000", &Value::Null).await;
    for task in parked["parked"].as_array().into_iter().flatten().take(8) {
        let id = task["id"].as_str().expect("an id");
        for (method, path) in [(Method::GET, ""), (Method::POST, "/redrive"), (Method::DELETE, "")] {
            stage.manage(method, &format!("/parked/{id}{path}"), &Value::Null).await;
        }
    }
    stage.track(spoilt.as_str(), "Bought", json!({"order": MARK})).await;
    stage.pass(SignedDuration::from_mins(5)).await;
}

/// The lines, answers and counters that hold what is marked.
fn personal<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    texts.into_iter().filter(|text| text.to_lowercase().contains(MARK)).collect()
}

#[tokio::test]
async fn nothing_personal_is_logged_or_answered_whatever_goes_wrong() {
    let (kept, guard) = captured();
    let kinds = [
        FaultKind::Throttle,
        FaultKind::ServerError,
        FaultKind::TimeoutApplied,
        FaultKind::TimeoutNotApplied,
        FaultKind::Unreachable,
    ];
    let every = kinds.into_iter().map(|kind| Fault::new(kind, When::Chance(0.02))).collect();
    let down = |service| vec![Fault::new(FaultKind::ServerError, When::Chance(1.0)).at(service)];
    let outages = [Service::SqsFifo, Service::SqsStandard, Service::S3, Service::DynamoDb].map(down);
    let stories = [Vec::new(), every].into_iter().chain(outages);
    for (seed, faults) in (0..).zip(stories) {
        let stage = Stage::new(seed).await;
        for campaign in CAMPAIGNS {
            stage.publish(campaign).await;
        }
        calls(&stage).await;
        stage.world.cloud().faults().set(faults);
        calls(&stage).await;
        let refused = refusals(&stage).await;
        assert_eq!(personal(refused.iter().map(|text| text.split_once(": ").map_or("", |(_, said)| said))), [""; 0]);
        clicks(&stage).await;
        stage.world.cloud().faults().clear();
        arrivals(&stage).await;
        operator(&stage).await;
        clicks(&stage).await;
        stage.call(Method::POST, "/users/delete", json!({"id": secret("z")})).await;
        stage.pass(SignedDuration::from_mins(30)).await;
        let counted =
            format!("{:?} {:?}", stage.world.cloud().meter().snapshot(), stage.world.cloud().faults().injected());
        assert_eq!(personal([counted.as_str()]), [""; 0], "the meter or the trace of faults");
    }
    drop(guard);
    let log = kept.text();
    for said in [
        "mail sent",
        "mail not sent",
        "task parked",
        "refused",
        "link refused",
        "not done",
        "taken, not smoothly",
        "call not queued",
        "interaction lost",
        "feedback about no mail of ours",
        "feedback about an unknown mail",
        "task comes back",
    ] {
        assert!(log.contains(said), "the story never came to `{said}`");
    }
    assert_eq!(personal(log.lines()), [""; 0]);
}
