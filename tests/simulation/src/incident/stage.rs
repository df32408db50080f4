//! The ground of a replay: dunlin in memory and virtual time, with projects that are called over the front door.

use axum::body::Body;
use dunlin_aws::Clock;
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::resources::{EVENTS, Queue};
use dunlin_core::ids::UserId;
use dunlin_local::{Cloud, Mail, World};
use http::Request;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

use crate::house::{self, House};

/// What stands before every name.
pub(crate) const PREFIX: &str = "dunlin-";
/// Mails read at a time.
const PAGE: usize = 1000;

/// Dunlin, in memory.
pub(crate) struct Stage {
    /// The functions and the cloud.
    pub(crate) world: World,
}

impl Stage {
    /// An empty dunlin in virtual time that begins at `start`.
    pub(crate) fn starting(start: Timestamp, seed: u64) -> Self {
        let cloud = Cloud::in_memory(Clock::virtual_at(start), seed).expect("a cloud in memory");
        Self { world: World::new(cloud, house::settings().expect("settings"), seed) }
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.world.cloud().clock().now()
    }

    /// A project with these campaigns, as marketers write them.
    pub(crate) async fn tenant(&self, name: &str, campaigns: &[String]) -> House {
        house::build(self.world.cloud(), self.world.settings(), name, campaigns).await.expect("a project")
    }

    /// One call of the Track API with a project's token; whether it was answered with 200.
    pub(crate) async fn call(&self, tenant: &House, path: &str, mut body: Value) -> bool {
        body["auth_token"] = Value::from(tenant.token.as_str());
        let request = Request::post(format!("/api/v2{path}")).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).expect("a request");
        let Ok(answer) = self.world.router().oneshot(request).await;
        answer.status() == http::StatusCode::OK
    }

    /// Events of a person that were evaluated, by their profile.
    pub(crate) async fn counted(&self, tenant: &House, user: &str) -> u64 {
        let user = UserId::parse(user).expect("an id");
        let profile = Profiles::new(self.world.clients(), PREFIX).get(&tenant.id, &user).await.expect("a profile");
        profile.state.events().map(|event| event.count).sum()
    }

    /// Messages of a queue, wherever they are in it.
    pub(crate) fn queued(&self, queue: &Queue) -> u64 {
        self.world.cloud().sqs().depth(&self.world.queue_name(queue)).total()
    }

    /// Messages of `events.fifo`.
    pub(crate) fn events_queued(&self) -> u64 {
        self.queued(&EVENTS)
    }

    /// Messages of all queues, dead-letter queues included.
    pub(crate) fn queued_anywhere(&self) -> u64 {
        let sqs = self.world.cloud().sqs();
        sqs.names().iter().map(|queue| sqs.depth(queue).total()).sum()
    }

    /// Tasks that were parked, up to a hundred.
    pub(crate) async fn parked(&self) -> usize {
        let parked = Parked::new(self.world.clients(), PREFIX);
        parked.list(None, 100).await.expect("the parked tasks").len()
    }

    /// Every mail that left, newest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        outbox(self.world.cloud())
    }
}

/// Every mail that left a cloud, newest first.
pub(crate) fn outbox(cloud: &Cloud) -> Vec<Mail> {
    let mut mails = Vec::new();
    loop {
        let page = cloud.outbox().list(PAGE, mails.len());
        let last = page.len() < PAGE;
        mails.extend(page);
        if last {
            return mails;
        }
    }
}
