#![doc = include_str!("../README.md")]

mod asked;
mod body;
mod credential;
pub mod dry;
mod edge;
mod fields;
mod item;
mod json;
mod pack;
mod reply;
mod segment;
mod track;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use dunlin_aws::calls::Queue;
use dunlin_aws::clients::Warm;
use dunlin_aws::control::Control;
use dunlin_aws::settings::Setting;
use dunlin_aws::spill::Spill;
use dunlin_aws::{Chance, Clients, Clock, Settings, resources};
use dunlin_core::ids::ProjectId;
use dunlin_core::quota::{Quota, Standing, Traffic};
use dunlin_core::token::{Keyring, Revocations};
use jiff::Timestamp;

use crate::credential::Credential;
pub use crate::edge::elsewhere;

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] =
    &[Setting::Region, Setting::Prefix, Setting::Queues, Setting::Bucket, Setting::SigningKeys];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: None, queue: Some(resources::EVENTS) };

/// What intake needs: the two lanes of calls, the spill, and nothing that reads a table.
#[derive(Debug)]
pub struct Intake {
    keyring: Keyring,
    revocations: RevocationList,
    traffic: Mutex<Traffic>,
    queue: Queue,
    backlog: Queue,
    spill: Spill,
    clock: Clock,
    chance: Chance,
    last: AtomicI64,
}

/// The list of revoked tokens, shared with whoever refreshes it. Empty until the first refresh: answering
/// never waits for it.
#[derive(Clone, Debug, Default)]
pub struct RevocationList(Arc<RwLock<Revocations>>);

impl RevocationList {
    /// Replaces the list.
    pub fn replace(&self, revoked: Revocations) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = revoked;
    }

    /// Reads the list anew; when that fails, it stays what it was.
    pub async fn refresh(&self, control: &Control) {
        match control.revocations().await {
            Ok(revoked) => self.replace(revoked),
            Err(error) => tracing::warn!(error = %error, "revoked tokens not refreshed"),
        }
    }
}

impl Intake {
    /// The function over a stage's queue and bucket, built once at cold start.
    #[must_use]
    pub fn of(clients: &Clients, settings: &Settings) -> Self {
        let lane = |queue| Queue::new(clients.sqs.clone(), settings.queue_url(queue));
        let lanes = [lane(resources::EVENTS), lane(resources::BACKLOG)];
        let spill = Spill::new(clients.s3.clone(), settings.bucket.clone());
        Self::new(settings.keyring.clone(), lanes, spill, clients.clock.clone(), clients.chance.clone())
    }

    /// An intake that verifies with `keyring` and whose revocation list is empty, with its first and second lane and the
    /// quota of one environment.
    #[must_use]
    pub fn new(keyring: Keyring, lanes: [Queue; 2], spill: Spill, clock: Clock, chance: Chance) -> Self {
        let [queue, backlog] = lanes;
        let traffic = Mutex::new(Traffic::new(Quota::of_environment()));
        let (revocations, last) = (RevocationList::default(), AtomicI64::new(0));
        Self { keyring, revocations, traffic, queue, backlog, spill, clock, chance, last }
    }

    /// The same, with another quota, and nothing counted yet.
    #[must_use]
    pub fn within(self, quota: Quota) -> Self {
        Self { traffic: Mutex::new(Traffic::new(quota)), ..self }
    }

    /// Counts a request with so many calls against its project's quota.
    fn standing(&self, project: &ProjectId, calls: usize) -> Standing {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let (standing, changed) = traffic.take(project, calls, self.clock.now());
        if changed {
            tracing::warn!(project.id = %project, quota.standing = ?standing, "project changes its lane");
        }
        standing
    }

    /// The revocation list, for a refresher.
    #[must_use]
    pub fn revocations(&self) -> RevocationList {
        self.revocations.clone()
    }

    /// When a call is accepted: the present microsecond, or the one after the last call's. So the calls of one client, one
    /// after the other, stay in order even where the clock stands still or goes back.
    fn accept(&self) -> Timestamp {
        let now = self.clock.now().as_microsecond();
        let last = self.last.fetch_max(now, Ordering::SeqCst);
        let micros = if now > last { now } else { self.last.fetch_add(1, Ordering::SeqCst) + 1 };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
    }

    fn project(&self, credential: Option<&Credential>) -> Option<ProjectId> {
        let revoked = self.revocations.0.read().unwrap_or_else(PoisonError::into_inner);
        credential?.project(&self.keyring, &revoked)
    }
}

/// How often revoked tokens are read: how long a revocation may take.
const REFRESH: Duration = Duration::from_secs(5);

/// Keeps a list of revoked tokens fresh, beside the answering and never in its way. While the table does not answer,
/// the list stays what it was.
pub async fn refresh(list: RevocationList, clients: Clients, settings: Settings) {
    let control = Control::new(&clients, &settings.prefix);
    let mut interval = tokio::time::interval(REFRESH);
    loop {
        interval.tick().await;
        list.refresh(&control).await;
    }
}

/// The two APIs under `/api/v2/` and `/v1/`; other paths are left to a router it is merged with.
pub fn router(intake: Intake) -> Router {
    Router::new()
        .route("/api/v2/{*path}", any(edge::track))
        .route("/v1/{*path}", any(edge::segment))
        .with_state(Arc::new(intake))
}

/// [`router`] by itself: every other path is answered with 404 in the API's shape.
pub fn service(intake: Intake) -> Router {
    router(intake).fallback(edge::elsewhere)
}
