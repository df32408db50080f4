//! A front door over the real SDK, and the services behind it, in process.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use axum::Router;
use axum::body::Body;
use dunlin_aws::calls::Queue;
use dunlin_aws::spill::Spill;
use dunlin_aws::{Chance, Clients, Clock};
use dunlin_core::call::Call;
use dunlin_core::task::{self, Calls};
use dunlin_core::token::{Claim, Keyring};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Mutex;
use tower::ServiceExt;

use super::super::*;
use crate::RevocationList;

pub(super) const OLD: &str = "k1:0123456789abcdef0123456789abcdef";
pub(super) const NEW: &str = "k2:fedcba9876543210fedcba9876543210";
pub(super) const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

/// How a service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Takes,
    Unavailable,
    RefusesEntries,
}

/// SQS and S3 as the SDK's HTTP client sees them.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) sqs: Arc<Mutex<(Mood, Vec<Value>)>>,
    pub(super) s3: Arc<Mutex<(Mood, Vec<Object>)>>,
}

/// A stored object's path and content.
pub(super) type Object = (String, Vec<u8>);

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().expect("in memory").to_vec();
        let answer = match request.headers().get("x-amz-target") {
            Some(target) => {
                assert_eq!(target, "AmazonSQS.SendMessageBatch");
                self.sqs(&serde_json::from_slice(&body).expect("JSON"))
            }
            None => self.s3(request.uri(), body),
        };
        let (status, body) = answer;
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
    }
}

impl Wire {
    fn sqs(&self, request: &Value) -> (u16, String) {
        let mut sqs = self.sqs.lock().expect("no panic");
        let entries = request["Entries"].as_array().expect("entries");
        let ids = entries.iter().map(|entry| &entry["Id"]);
        let (successful, failed): (Vec<Value>, Vec<Value>) = match sqs.0 {
            Mood::Unavailable => return (500, r#"{"__type":"InternalFailure"}"#.into()),
            Mood::Takes => {
                (ids.map(|id| json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "x"})).collect(), vec![])
            }
            Mood::RefusesEntries => (
                vec![],
                ids.map(|id| json!({"Id": id, "SenderFault": true, "Code": "InvalidMessageContents"})).collect(),
            ),
        };
        if !successful.is_empty() {
            sqs.1.extend(entries.iter().cloned().map(|mut entry| {
                entry["QueueUrl"] = request["QueueUrl"].clone();
                entry
            }));
        }
        (200, json!({"Successful": successful, "Failed": failed}).to_string())
    }

    fn s3(&self, uri: &str, body: Vec<u8>) -> (u16, String) {
        let mut s3 = self.s3.lock().expect("no panic");
        if s3.0 == Mood::Unavailable {
            return (500, "<Error><Code>InternalError</Code></Error>".into());
        }
        s3.1.push((uri.to_owned(), body));
        (200, String::new())
    }
}

/// A front door, and what is behind it.
pub(super) struct House {
    pub(super) router: Router,
    pub(super) wire: Wire,
    pub(super) clock: Clock,
    pub(super) revoked: RevocationList,
}

impl House {
    pub(super) fn open(keys: &str) -> Self {
        let wire =
            Wire { sqs: Arc::new(Mutex::new((Mood::Takes, vec![]))), s3: Arc::new(Mutex::new((Mood::Takes, vec![]))) };
        let connector = SharedHttpConnector::new(wire.clone());
        let http = SharedHttpClient::new(http_client_fn(move |_: &HttpConnectorSettings, _| connector.clone()));
        let clock = Clock::virtual_at(NOON);
        let clients = Clients::in_process(http, clock.clone(), Chance::seeded(7));
        let lane = |name| Queue::new(clients.sqs.clone(), format!("http://aws.local/000000000000/{name}.fifo"));
        let lanes = [lane("events"), lane("backlog")];
        let spill = Spill::new(clients.s3, "dunlin-store".into());
        let keyring = Keyring::parse(keys).expect("a keyring");
        let intake = Intake::new(keyring, lanes, spill, clock.clone(), clients.chance);
        let revoked = intake.revocations();
        Self { router: crate::service(intake), wire, clock, revoked }
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (http::response::Parts, String) {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let (head, body) = self.router.clone().oneshot(request).await.expect("infallible").into_parts();
        assert_eq!(
            head.headers.get("access-control-allow-origin").map(|v| v.as_bytes()),
            Some(b"*".as_slice()),
            "{path}"
        );
        let body = body.collect().await.expect("a body").to_bytes();
        (head, String::from_utf8(body.to_vec()).expect("text"))
    }

    pub(super) async fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (head, body) = self.send(method, path, &[("content-type", "application/json")], body.to_string()).await;
        (head.status.as_u16(), serde_json::from_str(&body).expect("JSON"))
    }

    pub(super) fn entries(&self) -> Vec<Value> {
        self.wire.sqs.lock().expect("no panic").1.clone()
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        let read = |entry: Value| {
            task::from_text::<Calls>(entry["MessageBody"].as_str().expect("text")).expect("a task").calls
        };
        self.entries().into_iter().flat_map(read).collect()
    }
}

pub(super) fn token(keys: &str) -> String {
    let project = ProjectId::parse("prj_demo").expect("an id");
    Keyring::parse(keys).expect("a keyring").issue(&Claim { project, serial: 3 })
}

/// A token of another project.
pub(super) fn token_of(project: &str) -> String {
    let project = ProjectId::parse(project).expect("an id");
    Keyring::parse(OLD).expect("a keyring").issue(&Claim { project, serial: 3 })
}

pub(super) fn event(data: Value) -> Value {
    json!({"auth_token": token(OLD), "identity": {"id": "7"}, "event_name": "Paid", "data": data})
}
