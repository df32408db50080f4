//! The front door: what API Gateway does in AWS.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Redirect, Response};
use axum::routing::{any, get};
use dunlin_aws::{Clients, Settings};
use dunlin_core::quota::Quota;
use dunlin_intake::{Intake, RevocationList};
use dunlin_link::Link;
use dunlin_manage::Manage;

use crate::Cloud;

/// The functions that API Gateway calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// `intake`: `/api/v2/` and `/v1/`.
    Intake,
    /// `link`: `/l/`.
    Link,
    /// `manage`: `/manage/v1/` and `/status`.
    Manage,
}

impl Door {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Link => "link",
            Self::Manage => "manage",
        }
    }

    /// Starts one environment of the function, as a cold start does.
    pub fn start(self, clients: &Clients, settings: &Settings) -> Router {
        match self {
            Self::Intake => dunlin_intake::router(Intake::of(clients, settings)),
            Self::Link => dunlin_link::router(Link::new(clients, settings)),
            Self::Manage => dunlin_manage::router(Manage::new(clients, settings)),
        }
    }
}

/// The routes of all functions with a door, and the outbox; and `intake`'s list of revoked tokens.
pub(super) fn router(
    cloud: &Cloud,
    clients: &impl Fn(&'static str) -> Clients,
    settings: &Settings,
) -> (Router, RevocationList) {
    let intake = Intake::of(&clients("intake"), settings).within(Quota::of_process());
    let revocations = intake.revocations();
    let functions = Router::new()
        .merge(dunlin_intake::router(intake))
        .merge(dunlin_link::router(Link::new(&clients("link"), settings)))
        .merge(dunlin_manage::router(Manage::new(&clients("manage"), settings)))
        .route("/manage/{*path}", any(dunlin_manage::elsewhere))
        .layer(from_fn_with_state(cloud.clone(), count));
    let outbox = Router::new().route("/", get(async || Redirect::to("/outbox"))).merge(cloud.outbox_router());
    (functions.merge(outbox).fallback(dunlin_intake::elsewhere), revocations)
}

/// Counts what a call costs in AWS: a request at the gateway, and an invocation.
async fn count(State(cloud): State<Cloud>, request: Request, next: Next) -> Response {
    let started = cloud.clock().now();
    let answer = next.run(request).await;
    cloud.meter().add_api_requests(1);
    cloud.meter().add_lambda("front", 1, super::poll::gigabyte_seconds(started, cloud.clock().now()));
    answer
}
