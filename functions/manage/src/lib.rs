#![doc = include_str!("../README.md")]
#![recursion_limit = "256"]

mod access;
mod activity;
mod answer;
mod campaigns;
mod deliveries;
mod input;
mod migrate;
mod openapi;
mod parked;
mod profiles;
mod projects;
mod redrive;
mod runs;
mod status;
mod suppressions;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use dunlin_aws::catalog::Catalog;
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::control::Control;
use dunlin_aws::deliveries::Deliveries;
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::runs::Runs;
use dunlin_aws::settings::Setting;
use dunlin_aws::status::Histories;
use dunlin_aws::timers::Timers;
use dunlin_aws::{Clients, Clock, Settings, resources};
use dunlin_core::token::Keyring;
use utoipa_axum::router::OpenApiRouter;

use crate::access::AdminKey;
use crate::redrive::Queues;
use crate::status::Seen;

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] =
    &[Setting::Region, Setting::Prefix, Setting::Queues, Setting::Bucket, Setting::SigningKeys, Setting::AdminKey];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::CONTROL), queue: None };

/// Where all paths begin.
const BASE: &str = "/manage/v1";
/// Bytes of a request's body: a campaign with its bodies as escaped JSON, three times over.
const BODY_BYTES: usize = 1024 * 1024;

/// What manage needs: the tables, the queues that parked tasks go back to, what runs that are moved are told by, the history of the status.
#[derive(Debug)]
pub struct Manage {
    control: Control,
    profiles: Profiles,
    deliveries: Deliveries,
    parked: Parked,
    queues: Queues,
    runs: Runs,
    timers: Timers,
    commands: Commands,
    catalog: Catalog,
    status: Seen,
    keyring: Keyring,
    admin_key: AdminKey,
    clock: Clock,
}

impl Manage {
    /// The control plane of the stage that `settings` name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        let control = Control::new(clients, &settings.prefix);
        let profiles = Profiles::new(clients, &settings.prefix);
        Self {
            control: control.clone(),
            catalog: Catalog::new(control, clients.clock.clone()),
            runs: Runs::new(clients, &settings.prefix),
            timers: Timers::new(clients, &settings.prefix),
            commands: Commands::new(clients, settings),
            deliveries: Deliveries::new(clients, &settings.prefix, &profiles),
            profiles,
            parked: Parked::new(clients, &settings.prefix),
            queues: Queues::new(clients, settings),
            status: Seen::new(Histories::new(clients.s3.clone(), settings.bucket.clone())),
            admin_key: AdminKey::new(&settings.keyring, settings.admin_key.as_deref()),
            keyring: settings.keyring.clone(),
            clock: clients.clock.clone(),
        }
    }
}

/// What every handler shares.
type Shared = Arc<Manage>;

/// The routes under `/manage/v1`, and `/status`; other paths are left to a router it is merged with.
pub fn router(manage: Manage) -> Router {
    let shared = Arc::new(manage);
    let (guarded, _) = OpenApiRouter::new().nest(BASE, guarded()).split_for_parts();
    let guarded = guarded.route_layer(from_fn_with_state(Arc::clone(&shared), access::check));
    let (open, _) = OpenApiRouter::new().nest(BASE, openapi::routes()).split_for_parts();
    guarded
        .merge(open)
        .merge(status::routes())
        .method_not_allowed_fallback(async || answer::method())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(shared)
}

/// [`router`] by itself: every other path is answered with 404 in the API's shape.
pub fn service(manage: Manage) -> Router {
    router(manage).fallback(elsewhere)
}

/// What is answered to a path under `/manage` that there is not.
pub async fn elsewhere() -> impl IntoResponse {
    answer::path()
}

/// The OpenAPI document, as JSON text.
#[must_use]
pub fn document() -> String {
    openapi::document()
}

/// Everything behind the admin key.
fn guarded() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(projects::routes())
        .merge(tokens::routes())
        .merge(campaigns::routes())
        .merge(runs::routes())
        .merge(migrate::routes())
        .merge(profiles::routes())
        .merge(activity::routes())
        .merge(deliveries::routes())
        .merge(suppressions::routes())
        .merge(parked::routes())
}

#[cfg(test)]
mod tests;
