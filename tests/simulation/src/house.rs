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

/// A project that is simulated.
#[derive(Clone, Debug)]
pub struct House {
    /// Its id.
    pub id: ProjectId,
    /// A token for its calls.
    pub token: String,
}

impl House {
    /// An operator's request that publishes a campaign nothing starts.
    ///
    /// # Errors
    /// [`Unbuilt`]
    pub fn publishing(&self, id: &str, name: &str) -> Result<Request<Bytes>, Unbuilt> {
        let text = format!(
            "{{id: {id}, name: {name}, kind: behavioural, trigger: {{event: {name}}}, message: {{subject: a, text: b}}}}"
        );
        let body = serde_json::to_vec(&parse(&text)?).unwrap_or_default();
        let request = Request::put(format!("/manage/v1/projects/{}/campaigns/{id}", self.id));
        let request = request.header("authorization", format!("Bearer {ADMIN_KEY}"));
        Ok(request.header("content-type", "application/json").body(body.into())?)
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
    let state = Project { id: id.clone(), name: name.to_owned(), from, created_at: now, tokens: 0 };
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
