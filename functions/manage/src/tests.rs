//! The whole room over the real SDK, whose requests are answered in process.

mod made;
mod seen;
mod wire;

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use dunlin_aws::Chance;
use dunlin_core::ids::{ProjectId, UserId};
use http::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
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
        let settings = Settings::read(SETTINGS, |name| {
            Some(match name {
                "AWS_REGION" => "us-east-1".into(),
                "DUNLIN_PREFIX" => "dunlin-".into(),
                "DUNLIN_SIGNING_KEYS" => "k1:0123456789abcdef0123456789abcdef".into(),
                "DUNLIN_ADMIN_KEY" => KEY.into(),
                "DUNLIN_BUCKET" => "dunlin-store".into(),
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
    assert_eq!((operations.len(), names.len()), (30, 30));
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
