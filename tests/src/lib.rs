#![doc = include_str!("../README.md")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a builder that fails fails the test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::body::Body;
use dunlin_aws::control::{Control, Project};
use dunlin_aws::settings::Setting;
use dunlin_aws::{Clock, Settings, Stored};
use dunlin_core::campaign;
use dunlin_core::ids::ProjectId;
use dunlin_local::{Cloud, Mail, World, folder};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::EnvFilter;

/// The admin key of every stage.
pub const ADMIN_KEY: &str = "an-admin-key-for-tests-of-32-characters";

/// Dunlin in virtual time, with one project; everything goes through the front door.
pub struct Stage {
    /// The functions and the cloud.
    pub world: World,
    /// The project's id.
    pub project: ProjectId,
    /// A token of the project.
    pub token: String,
    seed: u64,
}

/// Settings as a template would give them.
#[must_use]
pub fn settings() -> Settings {
    Settings::read(&Setting::ALL, |name| {
        Some(match name {
            "AWS_REGION" => "us-east-1".to_owned(),
            "DUNLIN_PREFIX" => "dunlin-".to_owned(),
            "DUNLIN_QUEUES" => "http://aws.local/000000000000".to_owned(),
            "DUNLIN_BUCKET" => "dunlin-store".to_owned(),
            "DUNLIN_PUBLIC" => "https://mail.example.com".to_owned(),
            "DUNLIN_SIGNING_KEYS" => "k1:0123456789abcdef0123456789abcdef".to_owned(),
            "DUNLIN_ADMIN_KEY" => ADMIN_KEY.to_owned(),
            _ => return None,
        })
    })
    .expect("complete settings")
}

/// A Monday morning.
#[must_use]
pub fn start() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().expect("an instant")
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent").to_owned()
}

impl Stage {
    /// A stage with an empty project.
    pub async fn new(seed: u64) -> Self {
        let lines = tracing_subscriber::fmt().with_test_writer().with_env_filter(EnvFilter::from_default_env());
        drop(lines.try_init());
        let cloud = Cloud::in_memory(Clock::virtual_at(start()), seed).expect("a cloud");
        Self::over(World::new(cloud, settings(), seed), seed).await
    }

    /// A stage with an empty project in a world that is there already.
    pub async fn over(world: World, seed: u64) -> Self {
        Self::of(world, "larkspur", seed).await
    }

    /// Another project in the same world, with nothing in it.
    pub async fn beside(&self, name: &str) -> Self {
        Self::of(self.world.clone(), name, self.seed).await
    }

    async fn of(world: World, name: &str, seed: u64) -> Self {
        let project = ProjectId::derive(&[name]);
        let control = Control::new(world.clients(), "dunlin-");
        let from = Some("Larkspur <hello@larkspur.example>".to_owned());
        let state = Project {
            id: project.clone(),
            name: "Larkspur".to_owned(),
            from,
            created_at: start(),
            timezone: None,
            tokens: 0,
        };
        control.put_project(&Stored { state, version: 0 }).await.expect("a project");
        let claim = control.issue(&project, "tests", start()).await.expect("a token");
        let token = world.settings().keyring.issue(&claim);
        Self { world, project, token, seed }
    }

    /// A stage with the example campaigns.
    pub async fn with_examples(seed: u64) -> Self {
        let stage = Self::new(seed).await;
        let folder = folder::read(&root().join("examples")).expect("a folder");
        assert!(folder.is_publishable(), "{:?}", folder.problems);
        let control = Control::new(stage.world.clients(), "dunlin-");
        for campaign in &folder.campaigns {
            control.publish(&stage.project, campaign, start()).await.expect("published");
        }
        stage.pass(SignedDuration::from_secs(6)).await;
        stage
    }

    /// The process dies and starts again: every function is built anew over the same cloud.
    pub fn restart(&mut self) {
        self.world.cloud().faults().clear();
        self.world = World::new(self.world.cloud().clone(), settings(), self.seed);
    }

    /// Lets time pass.
    pub async fn pass(&self, time: SignedDuration) {
        self.world.advance(time).await;
    }

    /// One HTTP request through the front door, with a JSON body.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_string())).expect("a request");
        let answer = self.world.router().oneshot(request).await.expect("an answer");
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// One call of the Track API, which must be accepted.
    pub async fn call(&self, method: Method, path: &str, mut body: Value) {
        body.as_object_mut().expect("an object").insert("auth_token".to_owned(), json!(self.token));
        let (status, answer) = self.request(method, &format!("/api/v2{path}"), &[], &body).await;
        assert_eq!((status, &answer["status"]), (StatusCode::OK, &json!(200)), "{answer}");
    }

    /// `/users/track`: identify.
    pub async fn identify(&self, id: &str, data: Value) {
        let email = format!("{id}@example.com");
        self.call(Method::POST, "/users/track", json!({"id": id, "email": email, "data": data})).await;
    }

    /// `/events/track`: an event.
    pub async fn track(&self, id: &str, event: &str, data: Value) {
        self.call(Method::POST, "/events/track", json!({"identity": {"id": id}, "event_name": event, "data": data}))
            .await;
    }

    /// `/v1/batch`: calls of the Segment API, which must be accepted.
    pub async fn batch(&self, items: &[Value]) {
        let body = json!({"writeKey": self.token, "batch": items});
        let (status, answer) = self.request(Method::POST, "/v1/batch", &[], &body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    /// Makes the project a flood beside three others: from here on its calls take the second lane.
    pub async fn flood(&self) {
        for name in ["first", "second", "third"] {
            self.beside(name).await.track("neighbour", "Looked", json!({})).await;
        }
        let looked = |n: usize| json!({"type": "track", "userId": format!("looker-{n}"), "event": "Looked"});
        self.batch(&(0..60).map(looked).collect::<Vec<_>>()).await;
    }

    /// Publishes a campaign written as in a file, through `manage`.
    pub async fn publish(&self, yaml: &str) {
        let (status, answer) = self.try_publish(yaml).await;
        assert!(status.is_success(), "{status}: {answer}");
        self.pass(SignedDuration::from_secs(6)).await;
    }

    /// Publishes a campaign as `dunlin push` does; it may be refused.
    pub async fn try_publish(&self, yaml: &str) -> (StatusCode, Value) {
        let parsed = campaign::parse("campaign.yaml", yaml, &BTreeMap::new()).expect("a campaign");
        let path = format!("/projects/{}/campaigns/{}", self.project, parsed.id);
        self.manage(Method::PUT, &path, &serde_json::to_value(&parsed).expect("json")).await
    }

    /// One request to `manage`, with the admin key.
    pub async fn manage(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let key = format!("Bearer {ADMIN_KEY}");
        self.request(method, &format!("/manage/v1{path}"), &[("authorization", &key)], body).await
    }

    /// What `manage` shows under a path of the project.
    pub async fn show(&self, path: &str) -> Value {
        let (status, answer) =
            self.manage(Method::GET, &format!("/projects/{}{path}", self.project), &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// The deliveries to a person: step, state and the reason's word, oldest first.
    pub async fn deliveries(&self, id: &str) -> Vec<(String, String, String)> {
        let shown = self.show(&format!("/profiles/{id}/deliveries")).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let one =
            |delivery: &Value| (text(&delivery["step"]), text(&delivery["state"]), text(&delivery["reason"]["code"]));
        let mut deliveries: Vec<_> = shown["deliveries"].as_array().into_iter().flatten().map(one).collect();
        deliveries.reverse();
        deliveries
    }

    /// Nothing is left anywhere: every queue is empty, dead letters included, and nothing is parked.
    pub async fn assert_at_rest(&self) {
        let sqs = self.world.cloud().sqs();
        for queue in sqs.names() {
            assert_eq!(sqs.depth(&queue).total(), 0, "{queue} is not empty");
        }
        let (_, parked) = self.manage(Method::GET, "/parked", &Value::Null).await;
        assert_eq!(parked["parked"], json!([]));
    }

    /// The mails that left, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let mut mails = self.world.cloud().outbox().list(10_000, 0);
        mails.reverse();
        mails
    }

    /// Who got which subject, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<(String, String)> {
        self.mails().into_iter().map(|mail| (mail.to.join(","), mail.subject)).collect()
    }
}

/// The path of the first link of a kind in a mail's HTML: `c` click, `o` open, `u` unsubscribe, `v` view online.
#[must_use]
pub fn link(mail: &Mail, kind: &str) -> String {
    let parsed = mailparse::parse_mail(&mail.raw).expect("a mail");
    let html = parsed.parts().find(|part| part.ctype.mimetype == "text/html").expect("html");
    let html = html.get_body().expect("a body");
    let start =
        html.find(&format!("https://mail.example.com/l/{kind}/")).unwrap_or_else(|| panic!("no {kind}: {html}"));
    html[start..].split('"').next().expect("its end").replace("https://mail.example.com", "")
}
