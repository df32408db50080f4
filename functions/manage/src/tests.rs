//! The whole room over the real SDK, whose requests are answered in process.

mod wire;

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use dunlin_aws::parked::ParkedTask;
use dunlin_aws::profiles::Suppression;
use dunlin_aws::{Chance, Stored};
use dunlin_core::call::{Action, Call};
use dunlin_core::delivery::{self, Delivery, Reason};
use dunlin_core::email::Email;
use dunlin_core::event_name::EventName;
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::{CampaignId, DeliveryId, EventId, ProjectId, UserId, digest};
use dunlin_core::profile::Profile;
use dunlin_core::token::Revocations;
use http::{HeaderMap, Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use wire::Wire;

const KEY: &str = "an-admin-key-of-thirty-two-characters";
const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

struct House {
    router: Router,
    wire: Wire,
    clients: Clients,
    keyring: Keyring,
}

impl House {
    fn open() -> Self {
        let wire = Wire::default();
        let clients = Clients::in_process(wire.http(), Clock::virtual_at(NOON), Chance::seeded(7));
        let settings = Settings::read(|name| {
            Some(match name {
                "DUNLIN_PREFIX" => "dunlin-".into(),
                "DUNLIN_SIGNING_KEYS" => "k1:0123456789abcdef0123456789abcdef".into(),
                "DUNLIN_ADMIN_KEY" => KEY.into(),
                _ => "http://aws.local/0".into(),
            })
        });
        let settings = settings.expect("settings");
        Self { router: service(Manage::new(&clients, &settings)), wire, clients, keyring: settings.keyring }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: String,
    ) -> (StatusCode, HeaderMap, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = key.into_iter().fold(request, |request, key| request.header("authorization", key));
        let (head, body) = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).expect("a request"))
            .await
            .expect("an answer")
            .into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        (head.status, head.headers, body)
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) =
            self.send(method, &format!("{BASE}{path}"), Some(&format!("Bearer {KEY}")), body).await;
        (status.as_u16(), answer)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, body).await
    }

    async fn with_project() -> Self {
        let house = Self::open();
        let (status, _) = house.post("/projects", json!({"id": "prj_demo", "name": "Demo"})).await;
        assert_eq!(status, 201);
        house
    }
}

fn project() -> ProjectId {
    ProjectId::parse("prj_demo").expect("an id")
}

fn user(text: &str) -> UserId {
    UserId::parse(text).expect("an id")
}

fn campaign() -> Value {
    json!({
        "id": "cmp_welcome", "name": "Welcome", "kind": "transactional", "trigger": {"event": "Signed up"},
        "message": {"subject": "Hello", "text": "Hello"}
    })
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn nothing_is_answered_without_the_admin_key() {
    let house = House::with_project().await;
    let other = "an-admin-key-of-thirty-two-character5";
    let keys =
        [None, Some("Bearer".to_owned()), Some("Bearer ".into()), Some(KEY.into()), Some(format!("Basic {KEY}"))];
    for key in keys.into_iter().chain([Some(format!("Bearer {other}")), Some(format!("Bearer {}", &KEY[1..]))]) {
        for (method, path) in [(Method::GET, "/projects"), (Method::DELETE, "/parked/prk_1")] {
            let (status, headers, body) =
                house.send(method, &format!("{BASE}{path}"), key.as_deref(), String::new()).await;
            assert_eq!((status, code(&body)), (StatusCode::UNAUTHORIZED, "unauthorized"), "{key:?} {path}");
            assert_eq!(headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(house.get("/projects").await.0, 200);
    assert_eq!(
        house.send(Method::GET, "/manage/v1/projects", Some(&format!("bearer {KEY}")), String::new()).await.0,
        200
    );
}

#[tokio::test]
async fn an_unknown_path_or_method_is_answered_in_our_shape() {
    let house = House::open();
    for path in ["/", "/manage/v1", "/manage/v1/nothing", "/manage/v2/projects"] {
        let (status, _, body) = house.send(Method::GET, path, None, String::new()).await;
        assert_eq!((status, code(&body)), (StatusCode::NOT_FOUND, "unknown_path"), "{path}");
    }
    let (status, answer) = house.ask(Method::PATCH, "/projects", Value::Null).await;
    assert_eq!((status, code(&answer)), (405, "unknown_method"));
}

#[tokio::test]
async fn the_document_in_docs_is_the_one_of_the_routes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let same = kept == document();
    assert!(same, "write it again: cargo run -q -p dunlin-manage --example openapi > docs/openapi.json");
    let (status, _, served) = House::open().send(Method::GET, "/manage/v1/openapi.json", None, String::new()).await;
    assert_eq!(
        (status, served.to_string()),
        (StatusCode::OK, serde_json::from_str::<Value>(&kept).expect("JSON").to_string())
    );
}

/// Every operation of the document, with ids in its path.
fn operations() -> Vec<(Method, String, Value)> {
    let document: Value = serde_json::from_str(&document()).expect("JSON");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let ids = [
                ("{project}", "prj_demo"),
                ("{campaign}", "cmp_1"),
                ("{user}", "42"),
                ("{serial}", "1"),
                ("{parked}", "prk_1"),
                ("{delivery}", "dlv_1"),
                ("{email}", "ann@example.com"),
            ];
            let path = ids.iter().fold(path.clone(), |path, (name, id)| path.replace(name, id));
            operations.push((method.to_uppercase().parse().expect("a method"), path, operation.clone()));
        }
    }
    operations
}

#[tokio::test]
async fn every_documented_operation_is_routed_and_says_what_it_answers() {
    let house = House::open();
    house.wire.fail();
    let operations = operations();
    let names: BTreeSet<&str> =
        operations.iter().filter_map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!((operations.len(), names.len()), (25, 25));
    for (method, path, operation) in operations {
        let (status, headers, _) = house.send(method.clone(), &path, Some(&format!("Bearer {KEY}")), "{}".into()).await;
        let status = status.as_u16();
        assert!(status != 404 && status != 405, "{method} {path} {status}");
        let documented = operation["responses"].as_object().expect("answers");
        assert!(documented.contains_key(&status.to_string()), "{method} {path} {status} is not documented");
        assert!(documented.values().all(|answer| answer["description"].is_string()), "{method} {path}");
        assert_eq!(headers.contains_key("retry-after"), status == 503, "{method} {path}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&document()).expect("JSON");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn a_project_is_created_once_shown_listed_and_changed() {
    let house = House::with_project().await;
    let (status, answer) = house.post("/projects", json!({"id": "prj_demo", "name": "Again"})).await;
    assert_eq!((status, code(&answer)), (409, "conflict"));
    let (_, other) = house.post("/projects", json!({"name": "Other", "from": "Ann <ann@example.com>"})).await;
    let id = other["id"].as_str().expect("an id");
    assert_eq!(house.get(&format!("/projects/{id}")).await, (200, other.clone()));
    let change = json!({"name": "New", "from": "x@example.com"});
    let (status, changed) = house.ask(Method::PUT, "/projects/prj_demo", change).await;
    assert_eq!((status, &changed["name"], &changed["from"]), (200, &json!("New"), &json!("x@example.com")));
    let (_, listed) = house.get("/projects").await;
    assert_eq!(listed["projects"].as_array().map(Vec::len), Some(2));
    assert_eq!(house.get("/projects/prj_none").await.0, 404);
}

#[tokio::test]
async fn a_request_that_does_not_read_is_refused_with_its_reason() {
    let house = House::with_project().await;
    for (path, body, reason) in [
        ("/projects", json!({}), "missing field `name`"),
        ("/projects", json!({"name": " "}), "the name is empty"),
        ("/projects", json!({"name": "x".repeat(201)}), "more than 200 bytes"),
        ("/projects", json!({"name": "x", "nmae": "y"}), "unknown field `nmae`"),
        ("/projects", json!({"name": "x", "id": "shop"}), "not a project id"),
        ("/projects", json!({"name": "x", "from": "nobody"}), "`from` is not"),
        ("/projects/demo/tokens", json!({"label": "x"}), "not a project id"),
        ("/projects/prj_demo/tokens", json!({"label": ""}), "the name is empty"),
        ("/projects/prj_demo/tokens/x/revoke", Value::Null, "u32"),
        ("/parked/evt_1/redrive", Value::Null, "not a parked task id"),
    ] {
        let (status, answer) = house.post(path, body).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(reason), "{path} {status} {message}");
    }
    for path in ["/projects/prj_demo/suppressions/nobody", "/parked?limit=x", "/projects/prj_demo/profiles/%20"] {
        assert_eq!(house.get(path).await.0, 400, "{path}");
    }
    let key = format!("Bearer {KEY}");
    let (status, ..) = house.send(Method::POST, "/manage/v1/projects", Some(&key), " ".repeat(BODY_BYTES + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_is_issued_shown_rotated_and_revoked() {
    let house = House::with_project().await;
    let (status, first) = house.post("/projects/prj_demo/tokens", json!({"label": "shop"})).await;
    let text = first["token"].as_str().expect("a token");
    let claim = house.keyring.verify(text, &Revocations::default()).expect("ours");
    assert_eq!((status, claim.project, claim.serial), (201, project(), 1));
    assert_eq!(house.get("/projects/prj_demo/tokens/1").await, (200, first.clone()));
    let (status, rotated) = house.post("/projects/prj_demo/tokens/1/rotate", Value::Null).await;
    assert_eq!((status, &rotated["issued"]["serial"], &rotated["issued"]["label"]), (201, &json!(2), &json!("shop")));
    assert!(rotated["former"].get("revoked_at").is_none());
    let (_, rotated) = house.post("/projects/prj_demo/tokens/2/rotate?revoke=true", Value::Null).await;
    assert_eq!((&rotated["issued"]["serial"], &rotated["former"]["revoked_at"]), (&json!(3), &json!(NOON.to_string())));
    assert_eq!(house.post("/projects/prj_demo/tokens/2/rotate", Value::Null).await.0, 409);
    assert_eq!(house.post("/projects/prj_demo/tokens/1/revoke", Value::Null).await.0, 200);
    assert_eq!(house.post("/projects/prj_demo/tokens/9/revoke", Value::Null).await.0, 404);
    assert_eq!(house.post("/projects/prj_none/tokens", json!({"label": "x"})).await.0, 404);
    let revoked = Control::new(&house.clients, "dunlin-").revocations().await.expect("a list");
    assert!(house.keyring.verify(text, &revoked).is_err());
    let (_, listed) = house.get("/projects/prj_demo/tokens").await;
    let live: Vec<bool> =
        listed["tokens"].as_array().expect("a list").iter().map(|token| token.get("revoked_at").is_none()).collect();
    assert_eq!(live, [false, false, true]);
    assert!(
        house.get("/projects/prj_demo/tokens/1").await.1.get("token").is_none() && !listed.to_string().contains("dl.")
    );
}

#[tokio::test]
async fn a_campaign_is_published_in_versions_paused_and_resumed() {
    let house = House::with_project().await;
    let path = "/projects/prj_demo/campaigns/cmp_welcome";
    let (status, put) = house.ask(Method::PUT, path, campaign()).await;
    assert_eq!((status, &put["version"], &put["problems"]), (200, &json!(1), &json!([])), "{put}");
    let mut second = campaign();
    second["name"] = json!("Welcome!");
    second.as_object_mut().expect("an object").remove("id");
    for _ in 0..2 {
        assert_eq!(house.ask(Method::PUT, path, second.clone()).await.1["version"], 2);
    }
    let (_, shown) = house.get(path).await;
    assert_eq!((&shown["shown_version"], &shown["content"]["name"]), (&json!(2), &json!("Welcome!")));
    let (_, first) = house.get(&format!("{path}?version=1")).await;
    assert_eq!((&first["shown_version"], &first["content"]["name"]), (&json!(1), &json!("Welcome")));
    assert_eq!(
        house.ask(Method::PUT, path, first["content"].clone()).await.1["version"],
        3,
        "what is shown can be put"
    );
    for (version, status) in [("0", 404), ("4", 404), ("x", 400)] {
        assert_eq!(house.get(&format!("{path}?version={version}")).await.0, status);
    }
    assert_eq!(house.post(&format!("{path}/pause"), Value::Null).await.1["paused"], true);
    assert_eq!(house.get("/projects/prj_demo/campaigns").await.1["campaigns"][0]["paused"], true);
    assert_eq!(house.post(&format!("{path}/resume"), Value::Null).await.1["paused"], false);
    assert_eq!(house.post("/projects/prj_demo/campaigns/cmp_none/pause", Value::Null).await.0, 404);
    assert_eq!(house.ask(Method::PUT, "/projects/prj_none/campaigns/cmp_welcome", campaign()).await.0, 404);
}

#[tokio::test]
async fn a_bad_campaign_is_refused_with_file_and_path_and_the_published_version_stays() {
    let house = House::with_project().await;
    let path = "/projects/prj_demo/campaigns/cmp_welcome";
    house.ask(Method::PUT, path, campaign()).await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut campaign = campaign();
        change(&mut campaign);
        campaign
    };
    let workflow = |steps: Value| {
        json!({
            "name": "Loop", "kind": "workflow", "trigger": {"event": "a"},
            "messages": {"hello": {"subject": "a", "text": "b"}}, "steps": steps
        })
    };
    let bad = [
        ("unknown field", with(&|c| c["subjct"] = json!("x"))),
        ("no object", json!([])),
        ("another id", with(&|c| c["id"] = json!("cmp_other"))),
        ("a template that does not parse", with(&|c| c["message"]["subject"] = json!("{{ user.name"))),
        ("a missing partial", with(&|c| c["message"]["text"] = json!("{% render 'none' %}"))),
        ("a loop for ever", workflow(json!([{"name": "a", "send": "hello", "next": "a"}]))),
        ("a missing message", workflow(json!([{"send": "goodbye"}]))),
    ];
    for (what, campaign) in bad {
        let (status, answer) = house.ask(Method::PUT, &format!("{path}?file=welcome.yaml"), campaign).await;
        assert_eq!((status, code(&answer)), (422, "campaign_refused"), "{what}");
        let problem = &answer["problems"][0];
        assert!(problem["severity"] == "error" && problem["file"].is_string(), "{what}: {problem}");
        for field in ["path", "what", "mend"] {
            let text = problem[field].as_str().expect("a text");
            assert!(!text.is_empty() || what == "no object", "{what}: {problem}");
        }
    }
    let (_, shown) = house.get(path).await;
    assert_eq!((&shown["version"], &shown["content"]["name"]), (&json!(1), &json!("Welcome")));
}

fn call(id: &str, second: i64, action: Action) -> Call {
    let at = NOON + SignedDuration::from_secs(second);
    Call {
        id: EventId::parse(id).expect("an id"),
        project: project(),
        user: user("a/b@example.com"),
        at,
        accepted_at: at,
        action,
    }
}

fn track(name: &str) -> Action {
    let (name, data) =
        (EventName::parse(name).expect("a name"), json!({"name": name}).as_object().cloned().expect("an object"));
    Action::Track { name, email: None, properties: serde_json::Map::new(), data, source: None, conversion: None }
}

#[tokio::test]
async fn a_profile_is_shown_with_its_activity_in_order() {
    let house = House::with_project().await;
    let profiles = Profiles::new(&house.clients, "dunlin-");
    let mut profile = Profile::new(user("a/b@example.com"));
    for (n, action) in [track("Old"), track("Bought"), Action::Tags { add: vec!["vip".into()], remove: vec![] }]
        .into_iter()
        .enumerate()
    {
        profile.apply(&call(&format!("evt_{n}"), n as i64, action));
    }
    let old = profile.riding().get(..1).expect("one").to_vec();
    profiles.put_activity(&project(), &profile.id, &old, NOON).await.expect("stored");
    profiles.put(&project(), &Stored { state: profile, version: 0 }, NOON).await.expect("stored");
    let email = Email::parse("a/b@example.com").expect("an address");
    let suppression = Suppression { reason: SuppressionReason::Complaint, at: NOON };
    profiles.suppress(&project(), &email, &suppression).await.expect("stored");

    let path = "/projects/prj_demo/profiles/a%2Fb%40example.com";
    let (status, shown) = house.get(path).await;
    assert_eq!((status, &shown["id"], &shown["email"]), (200, &json!("a/b@example.com"), &json!("a/b@example.com")));
    assert_eq!((&shown["tags"], &shown["suppression"]["reason"]), (&json!(["vip"]), &json!("complaint")));
    assert_eq!(shown["events"].as_array().map(Vec::len), Some(2));
    let what = async |query: &str| {
        let (_, listed) = house.get(&format!("{path}/activity{query}")).await;
        listed["activity"].as_array().expect("a list").iter().map(|entry| entry["what"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(what("").await, ["tagged", "Bought", "Old"]);
    assert_eq!(what("?limit=2").await, ["tagged", "Bought"]);
    for path in ["/projects/prj_demo/profiles/nobody", "/projects/prj_demo/profiles/nobody/activity"] {
        assert_eq!(house.get(path).await.0, 404);
    }
    let path = "/projects/prj_demo/suppressions/a%2Fb%40example.com";
    assert_eq!(house.get(path).await.1["reason"], "complaint");
    assert_eq!(house.ask(Method::DELETE, path, Value::Null).await.0, 204);
    assert_eq!(house.get(path).await.0, 404);
}

#[tokio::test]
async fn a_delivery_says_why_it_was_not_sent() {
    let house = House::with_project().await;
    let deliveries = Deliveries::new(&house.clients, "dunlin-", &Profiles::new(&house.clients, "dunlin-"));
    let mail = |part: &str, state| Delivery {
        id: DeliveryId::to(&project(), &user("42"), &[part]),
        project: project(),
        user: user("42"),
        campaign: CampaignId::parse("cmp_1").expect("an id"),
        version: 3,
        step: "message".into(),
        run: None,
        trigger: (EventId::derive(&["e"]), EventName::parse("Signed up").expect("a name")),
        to: None,
        subject: String::new(),
        state,
        attempts: 1,
        history: vec![delivery::Entry { at: NOON, what: "sent".into(), detail: String::new() }],
    };
    let later = NOON + SignedDuration::from_secs(1);
    let sent = mail("a", delivery::State::Sent { at: later, ses_id: Some("ses-1".into()) });
    let not_sent = mail("b", delivery::State::NotSent { at: NOON, reason: Reason::Condition("tag vip".into()) });
    for state in [&sent, &not_sent] {
        deliveries.put(&Stored { state: state.clone(), version: 0 }, NOON).await.expect("stored");
    }
    let (status, shown) = house.get(&format!("/projects/prj_demo/deliveries/{}", not_sent.id)).await;
    assert_eq!((status, &shown["state"], &shown["event"]["name"]), (200, &json!("not_sent"), &json!("Signed up")));
    assert_eq!(
        shown["reason"],
        json!({"code": "condition", "text": "a condition was not met: tag vip", "is_failure": false})
    );
    assert_eq!(shown["history"], json!([{"at": NOON.to_string(), "what": "sent"}]));
    let (_, listed) = house.get("/projects/prj_demo/profiles/42/deliveries").await;
    let states: Vec<&Value> =
        listed["deliveries"].as_array().expect("a list").iter().map(|mail| &mail["state"]).collect();
    assert_eq!(states, ["sent", "not_sent"]);
    assert_eq!(house.get("/projects/prj_other/deliveries/dlv_1").await.0, 404);
}

#[tokio::test]
async fn a_parked_task_goes_back_to_its_queue_as_it_was() {
    let house = House::with_project().await;
    let parked = Parked::new(&house.clients, "dunlin-");
    let calls = r#"{ "v":1, "calls":[{"project":"prj_demo","user":"42"}] }"#;
    let send = r#"{"project":"prj_demo","v":7}"#;
    let tasks = [("events", calls), ("sends", send), ("feedback", "{"), ("gone", "{}")];
    let tasks = tasks.map(|(queue, body)| ParkedTask::new(queue, "m1", body, "the task does not parse", NOON));
    for task in &tasks {
        parked.put(task).await.expect("stored");
    }
    let [events, sends, feedback, gone] = &tasks;
    let count = async |query: &str| house.get(&format!("/parked{query}")).await.1["parked"].as_array().map(Vec::len);
    assert_eq!((count("").await, count("?limit=2").await), (Some(4), Some(2)));
    assert_eq!((count("?queue=sends").await, count("?project=prj_demo").await), (Some(1), Some(2)));
    let (_, shown) = house.get(&format!("/parked/{}", events.id)).await;
    assert_eq!((&shown["body"], &shown["reason"]), (&json!(calls), &json!("the task does not parse")));
    for task in [events, sends, feedback] {
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 200, "{}", task.queue);
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 404);
    }
    let [event] = house.wire.queued("dunlin-events.fifo").try_into().expect("one");
    assert_eq!((&event["MessageBody"], &event["MessageGroupId"]), (&json!(calls), &json!(digest(&["prj_demo", "42"]))));
    assert!(event["MessageDeduplicationId"].as_str().is_some_and(|dedup| dedup.starts_with(events.id.as_str())));
    let [sent] = house.wire.queued("dunlin-sends").try_into().expect("one");
    assert_eq!((&sent["MessageBody"], &sent["MessageGroupId"]), (&json!(send), &json!("prj_demo")));
    assert_eq!(house.wire.queued("dunlin-feedback").len(), 1);
    assert_eq!(house.post(&format!("/parked/{}/redrive", gone.id), Value::Null).await.0, 409);
    assert_eq!(house.ask(Method::DELETE, &format!("/parked/{}", gone.id), Value::Null).await.0, 204);
    assert_eq!(count("").await, Some(0));
}

#[tokio::test]
async fn a_task_that_the_queue_does_not_take_stays_parked() {
    let house = House::with_project().await;
    for queue in ["events", "sends"] {
        let task = ParkedTask::new(queue, "m1", "{}", "poison", NOON);
        Parked::new(&house.clients, "dunlin-").put(&task).await.expect("stored");
        house.wire.fail_queues();
        assert_eq!(house.post(&format!("/parked/{}/redrive", task.id), Value::Null).await.0, 503);
        assert_eq!(house.get(&format!("/parked/{}", task.id)).await.0, 200);
    }
}
