//! A profile as an operator sees it.

use axum::Json;
use axum::extract::State;
use dunlin_core::call;
use dunlin_core::ids::{ProjectId, UserId};
use dunlin_core::profile::{self, Statistics};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures};
use crate::input::Person;
use crate::suppressions::Suppression;
use crate::{Manage, Shared};

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A person we mail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// What the client calls them now.
    id: String,
    /// The address to mail, where there is a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether marketing mail may be sent.
    subscribed: bool,
    /// Why the address may not be mailed at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<Suppression>,
    /// From when on the profile exists.
    created_at: Option<Timestamp>,
    /// The properties that are set.
    properties: Map<String, Value>,
    /// The tags they carry.
    tags: Vec<String>,
    /// The push channels.
    channels: Vec<Channel>,
    /// How often what happened, by event.
    events: Vec<EventCount>,
    /// Ids that were renamed to this one.
    former_ids: Vec<String>,
}

/// A push channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    /// `push`, so far.
    #[serde(rename = "type")]
    kind: String,
    /// The device's address.
    address: String,
    /// `android` or `ios`.
    platform: String,
}

impl From<&call::Channel> for Channel {
    fn from(channel: &call::Channel) -> Self {
        let call::Channel { kind, address, platform } = channel.clone();
        Self { kind, address, platform }
    }
}

/// How often an event happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventCount {
    /// Its name as first written.
    name: String,
    /// How often, ever.
    count: u64,
    /// When first.
    first_at: Timestamp,
    /// When last.
    last_at: Timestamp,
}

impl From<&Statistics> for EventCount {
    fn from(statistics: &Statistics) -> Self {
        let (first_at, last_at) = (statistics.first_at(), statistics.last_at());
        Self { name: statistics.name.to_string(), count: statistics.count, first_at, last_at }
    }
}

/// Show a profile; a former id shows the profile that carries it now
#[utoipa::path(
    get,
    operation_id = "show_profile",
    path = "/projects/{project}/profiles/{user}",
    tag = "profiles",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("user" = String, Path, description = "The user's id, percent-encoded"),
        ("id" = Option<String>, Query, description = "The user's id, in place of the path's: for one with `/`, `?` or `%`")
    ),
    responses((status = 200, body = Profile, description = "Done"), Failures)
)]
async fn show(State(manage): State<Shared>, Person { project, user }: Person) -> Answer<Profile> {
    let profile = manage.profile(&project, &user).await?;
    let email = profile.email();
    let suppression = match &email {
        Some(email) => manage.profiles.suppression(&project, email).await?,
        None => None,
    };
    Ok(Json(Profile {
        id: profile.id.to_string(),
        email: email.map(String::from),
        subscribed: profile.subscribed(),
        suppression: suppression.map(Suppression::from),
        created_at: profile.created_at(),
        properties: profile.properties().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
        tags: profile.tags().map(str::to_owned).collect(),
        channels: profile.channels().map(Channel::from).collect(),
        events: profile.events().map(EventCount::from).collect(),
        former_ids: profile.former().map(UserId::to_string).collect(),
    }))
}

impl Manage {
    /// The profile that an id means now; it must exist.
    pub(crate) async fn profile(&self, project: &ProjectId, user: &UserId) -> Result<profile::Profile, Failure> {
        let profile = self.profiles.get(project, user).await?.state;
        if profile.exists() { Ok(profile) } else { Err(Failure::missing("profile")) }
    }
}

/// All ids under which things of a person are stored: the present one and the former ones.
pub(crate) fn ids(profile: &profile::Profile) -> impl Iterator<Item = &UserId> {
    std::iter::once(&profile.id).chain(profile.former())
}
