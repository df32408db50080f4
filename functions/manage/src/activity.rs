//! What a person did lately.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use dunlin_core::profile;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Shared;
use crate::answer::{Answer, Failures};
use crate::input::{Asked, Listing, Person};
use crate::profiles::ids;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// The call it came with.
    #[schema(example = "evt_1")]
    id: String,
    /// When it happened.
    at: Timestamp,
    /// When it was accepted.
    accepted_at: Timestamp,
    /// What it was: `identified`, `edited`, `tagged`, `unsubscribed`, `resubscribed`, `renamed`, an event's name, or
    /// that a campaign was not started.
    what: String,
    /// The properties, changes or tags it came with.
    data: Map<String, Value>,
}

impl From<profile::Activity> for Activity {
    fn from(activity: profile::Activity) -> Self {
        let accepted_at = activity.accepted_at();
        let profile::Activity { id, at, what, data, .. } = activity;
        Self { id: id.into(), at, accepted_at, what, data }
    }
}

/// What happened lately.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activities {
    /// Newest acceptance first.
    activity: Vec<Activity>,
}

/// List a profile's activity of the last 30 days, newest first
#[utoipa::path(
    get,
    operation_id = "list_activity",
    path = "/projects/{project}/profiles/{user}/activity",
    tag = "profiles",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("user" = String, Path, description = "The user's id, percent-encoded"),
        ("id" = Option<String>, Query, description = "The user's id, in place of the path's: for one with `/`, `?` or `%`"),
        Listing
    ),
    responses((status = 200, body = Activities, description = "Done"), Failures)
)]
async fn list(
    State(manage): State<Shared>,
    Person { project, user }: Person,
    Asked(listing): Asked<Listing>,
) -> Answer<Activities> {
    let profile = manage.profile(&project, &user).await?;
    let mut found = profile.riding().to_vec();
    for id in ids(&profile) {
        // A chunk holds one entry or more: so many chunks are enough.
        found.extend(manage.profiles.list_activity(&project, id, listing.limit()).await?);
    }
    let erased_at = profile.erased_at();
    found.retain(|activity| erased_at.is_none_or(|erased_at| activity.at > erased_at));
    found.sort_by(|a, b| (b.accepted_at(), b.at, &b.id).cmp(&(a.accepted_at(), a.at, &a.id)));
    // A chunk may be written, and its entries still ride in the profile.
    let mut seen = BTreeSet::new();
    found.retain(|activity| seen.insert(activity.id.clone()));
    Ok(Json(Activities { activity: found.into_iter().take(listing.limit()).map(Activity::from).collect() }))
}
