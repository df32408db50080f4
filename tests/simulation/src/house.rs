//! The house that is simulated: projects, their campaigns, their people.

use std::collections::BTreeMap;

use bytes::Bytes;
use dunlin_aws::control::{Control, Project};
use dunlin_aws::settings::{Setting, SettingsError};
use dunlin_aws::{Chance, Clients, Clock, Settings, Stored};
use dunlin_core::campaign::{self, Campaign};
use dunlin_core::ids::ProjectId;
use dunlin_local::{Cloud, http_client};
use http::Request;
use jiff::Timestamp;

/// The admin key of every house.
const ADMIN_KEY: &str = "an-admin-key-for-tests-of-32-characters";

/// Why a house could not be set up: a fault of the simulation, not of dunlin.
#[derive(Debug, thiserror::Error)]
pub enum Unbuilt {
    /// The local AWS did not start.
    #[error("the local AWS")]
    Cloud(#[from] dunlin_local::CloudError),
    /// A setting is missing.
    #[error("the settings")]
    Settings(#[from] SettingsError),
    /// A table refused.
    #[error("the tables")]
    Tables(#[from] dunlin_aws::Error),
    /// A campaign does not parse.
    #[error("the campaign {0}: {1}")]
    Campaign(String, String),
    /// A request could not be made.
    #[error("a request")]
    Request(#[from] http::Error),
}

/// Settings as a template would give them.
///
/// # Errors
/// When one is missing.
pub fn settings() -> Result<Settings, SettingsError> {
    Settings::read(&Setting::ALL, |name| {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "DUNLIN_PREFIX" => "dunlin-",
            "DUNLIN_QUEUES" => "http://aws.local/000000000000",
            "DUNLIN_BUCKET" => "dunlin-store",
            "DUNLIN_PUBLIC" => "https://mail.example.com",
            "DUNLIN_SIGNING_KEYS" => "k1:0123456789abcdef0123456789abcdef",
            "DUNLIN_ADMIN_KEY" => ADMIN_KEY,
            _ => return None,
        };
        Some(value.to_owned())
    })
}

/// Clients for looking at the cloud and setting it up, past every fault.
#[must_use]
pub fn clients(cloud: &Cloud) -> Clients {
    let clock = Clock::virtual_at(cloud.clock().now());
    Clients::in_process(http_client(cloud.past_faults()), clock, Chance::seeded(0))
}

/// A series of receipts that keep copies of themselves; the simulation's own campaigns have neither.
const LETTER: &str = "{id: cmp_later, name: Later, kind: workflow, transactional: true, trigger: {event: Later},
  messages: {letter: {subject: 'letter {{ event.n }} {{ user.plan }}', html: '<a href=\"{{ url.permalink }}\">Online</a>'}},
  steps: [{wait: 1 second}, {send: letter}]}";

/// An operator's request to `manage`.
///
/// # Errors
/// [`Unbuilt`]
pub fn operating(method: &str, path: &str, body: &str) -> Result<Request<Bytes>, Unbuilt> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {ADMIN_KEY}"));
    Ok(request.header("content-type", "application/json").body(Bytes::from(body.to_owned()))?)
}

/// A project that is simulated.
#[derive(Clone, Debug)]
pub struct House {
    /// Its id.
    pub id: ProjectId,
    /// A token for its calls.
    pub token: String,
}

impl House {
    /// An operator's request that publishes the letter, a receipt that comes a second later and keeps a copy of itself.
    ///
    /// # Errors
    /// [`Unbuilt`]
    pub fn publishing(&self) -> Result<Request<Bytes>, Unbuilt> {
        let body = serde_json::to_string(&parse(LETTER)?).unwrap_or_default();
        operating("PUT", &format!("/manage/v1/projects/{}/campaigns/cmp_later", self.id), &body)
    }
}

/// Makes a project with campaigns, each as a campaign's file, published at `now`.
///
/// # Errors
/// [`Unbuilt`]
pub async fn build(cloud: &Cloud, settings: &Settings, name: &str, campaigns: &[String]) -> Result<House, Unbuilt> {
    let (clients, now) = (clients(cloud), cloud.clock().now());
    let control = Control::new(&clients, &settings.prefix);
    let id = ProjectId::derive(&[name]);
    let from = Some(format!("{name} <hello@{name}.example>"));
    let state = Project { id: id.clone(), name: name.to_owned(), from, created_at: now, timezone: None, tokens: 0 };
    control.put_project(&Stored { state, version: 0 }).await?;
    let claim = control.issue(&id, "simulation", now).await?;
    for campaign in campaigns {
        publish(&control, &id, campaign, now).await?;
    }
    Ok(House { token: settings.keyring.issue(&claim), id })
}

/// Publishes one campaign, written as its file.
///
/// # Errors
/// [`Unbuilt`]
pub async fn publish(control: &Control, project: &ProjectId, text: &str, now: Timestamp) -> Result<(), Unbuilt> {
    control.publish(project, &parse(text)?, now).await?;
    Ok(())
}

fn parse(text: &str) -> Result<Campaign, Unbuilt> {
    let parsed = campaign::parse("campaign.yaml", text, &BTreeMap::new());
    parsed.map_err(|problems| Unbuilt::Campaign(text.to_owned(), format!("{problems:?}")))
}
