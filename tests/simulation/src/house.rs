//! The house that is simulated: projects, their campaigns, their people.

use std::collections::BTreeMap;

use dunlin_aws::control::{Control, Project};
use dunlin_aws::settings::{Setting, SettingsError};
use dunlin_aws::{Chance, Clients, Clock, Settings, Stored};
use dunlin_core::campaign;
use dunlin_core::ids::ProjectId;
use dunlin_local::{Cloud, http_client};
use jiff::Timestamp;

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
            "DUNLIN_ADMIN_KEY" => "an-admin-key-for-tests-of-32-characters",
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
    let parsed = campaign::parse("campaign.yaml", text, &BTreeMap::new());
    let parsed = parsed.map_err(|problems| Unbuilt::Campaign(text.to_owned(), format!("{problems:?}")))?;
    control.publish(project, &parsed, now).await?;
    Ok(())
}
