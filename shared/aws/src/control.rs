//! What operators make: projects, their tokens, their campaigns and the versions of these.

use std::collections::BTreeSet;
use std::sync::Arc;

use dunlin_core::campaign::Campaign;
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::run::Resumed;
use dunlin_core::token::{Claim, Revocations};
use dunlin_core::topic::Subject;
use dunlin_core::trigger::Published;
use dunlin_core::wait::Zone;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::resources;
use crate::table::{Order, Stored, Table};

/// The partition with the list of projects.
const PROJECTS: &str = "projects";
/// The partition with the list of revoked tokens, which `intake` reads whole.
const REVOKED: &str = "revoked";
/// The most of anything that is listed at once.
const MANY: usize = 10_000;

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// What people call it.
    pub name: String,
    /// The sender of campaigns that name none: `Name <address>` or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The zone of people of whom none is known; UTC where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Tokens issued so far: the last serial.
    pub tokens: u32,
}

/// A token, as far as it is kept: the token itself is derived from the signing key, not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The project it belongs to.
    pub project: ProjectId,
    /// Its number within the project.
    pub serial: u32,
    /// What it is for.
    pub label: String,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// A campaign as far as it changes: which version is the newest, and whether it is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The campaign.
    pub id: CampaignId,
    /// Its name in the newest version.
    pub name: String,
    /// The newest version.
    pub version: u32,
    /// When the first version was published.
    pub published_at: Timestamp,
    /// When the newest was.
    pub updated_at: Timestamp,
    /// Takes no entries; runs hold.
    pub paused: bool,
    /// When it was resumed last, and how fast the runs go on that were due by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Resumed>,
    /// When it was deleted last: runs that began before end when they are woken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// What runs of any version may have to be told of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub subjects: BTreeSet<Subject>,
}

/// The control table.
#[derive(Clone, Debug)]
pub struct Control {
    table: Table,
}

impl Control {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::CONTROL) }
    }

    /// A project.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn project(&self, id: &ProjectId) -> Result<Option<Stored<Project>>> {
        self.table.get(PROJECTS, id.as_str()).await
    }

    /// All projects.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn projects(&self) -> Result<Vec<Project>> {
        self.table.list(PROJECTS, "", Order::OldestFirst, MANY).await
    }

    /// Stores a project as the version after the one loaded.
    ///
    /// # Errors
    /// A conflict when it was stored since (or is there already, for version 0).
    pub async fn put_project(&self, project: &Stored<Project>) -> Result<()> {
        self.table.put(PROJECTS, project.state.id.as_str(), project.version, &project.state, vec![]).await
    }

    /// Records the next token of a project and returns what it claims.
    ///
    /// # Errors
    /// When the project is not there, or two tokens are issued at once.
    pub async fn issue(&self, project: &ProjectId, label: &str, now: Timestamp) -> Result<Claim> {
        let Some(mut stored) = self.project(project).await? else {
            return Err(Error::bare(Kind::NotFound, "issue a token"));
        };
        stored.state.tokens += 1;
        let serial = stored.state.tokens;
        self.put_project(&stored).await?;
        let token =
            Token { project: project.clone(), serial, label: label.to_owned(), created_at: now, revoked_at: None };
        self.table.put(project.as_str(), &token_key(serial), 0, &token, vec![]).await?;
        Ok(Claim { project: project.clone(), serial })
    }

    /// The tokens of a project.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn tokens(&self, project: &ProjectId) -> Result<Vec<Token>> {
        self.table.list(project.as_str(), "token#", Order::OldestFirst, MANY).await
    }

    /// A token.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn token(&self, project: &ProjectId, serial: u32) -> Result<Option<Token>> {
        Ok(self.table.get(project.as_str(), &token_key(serial)).await?.map(|stored| stored.state))
    }

    /// Revokes a token; `intake` hears of it within a refresh of its list.
    ///
    /// # Errors
    /// When there is no such token.
    pub async fn revoke(&self, project: &ProjectId, serial: u32, now: Timestamp) -> Result<Token> {
        let Some(mut stored) = self.table.get::<Token>(project.as_str(), &token_key(serial)).await? else {
            return Err(Error::bare(Kind::NotFound, "revoke a token"));
        };
        if stored.state.revoked_at.is_none() {
            stored.state.revoked_at = Some(now);
            self.table.put(project.as_str(), &token_key(serial), stored.version, &stored.state, vec![]).await?;
        }
        let listed = crate::table::versioned(REVOKED, &format!("{project}#{serial}"), 0, &(project, serial), vec![])?;
        self.table.put_item(listed).await?;
        Ok(stored.state)
    }

    /// All revoked tokens.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn revocations(&self) -> Result<Revocations> {
        let listed: Vec<(ProjectId, u32)> = self.table.list(REVOKED, "", Order::OldestFirst, usize::MAX).await?;
        let mut revocations = Revocations::default();
        for (project, serial) in listed {
            revocations.revoke(project, serial);
        }
        Ok(revocations)
    }

    /// Publishes a campaign as its next version; the same content again is no new version. Returns its head.
    ///
    /// # Errors
    /// A conflict when two publish at once.
    pub async fn publish(&self, project: &ProjectId, campaign: &Campaign, now: Timestamp) -> Result<Head> {
        let stored = self.head(project, &campaign.id).await?;
        if let Some(stored) = stored.as_ref().filter(|stored| !stored.state.is_deleted())
            && self.version(project, &campaign.id, stored.state.version).await?.as_ref() == Some(campaign)
        {
            return Ok(stored.state.clone());
        }
        let (seen, last) = stored.map_or((0, None), |stored| (stored.version, Some(stored.state)));
        let mut subjects = campaign.subjects();
        subjects.extend(last.iter().flat_map(|head| head.subjects.clone()));
        let version = self.put_version(project, campaign, last.as_ref().map_or(1, |head| head.version + 1)).await?;
        // What was deleted and is published again begins anew.
        let there = last.as_ref().filter(|head| !head.is_deleted());
        let head = Head {
            id: campaign.id.clone(),
            name: campaign.name.clone(),
            version,
            published_at: there.map_or(now, |head| head.published_at),
            updated_at: now,
            resumed: there.and_then(|head| head.resumed),
            deleted_at: last.as_ref().and_then(|head| head.deleted_at),
            paused: there.is_some_and(|head| head.paused),
            subjects,
        };
        self.table.put(project.as_str(), &head_key(&campaign.id), seen, &head, vec![]).await?;
        Ok(head)
    }

    /// Writes a version under the first free number. A version is never written over: one that is there already was left
    /// behind by a publisher that died before its head, or belongs to one that is at it now.
    async fn put_version(&self, project: &ProjectId, campaign: &Campaign, first: u32) -> Result<u32> {
        let mut version = first;
        loop {
            let key = version_key(&campaign.id, version);
            match self.table.put(project.as_str(), &key, 0, campaign, vec![]).await {
                Ok(()) => return Ok(version),
                Err(error) if error.kind == Kind::Conflict => version += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The head of a campaign.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn head(&self, project: &ProjectId, campaign: &CampaignId) -> Result<Option<Stored<Head>>> {
        self.table.get(project.as_str(), &head_key(campaign)).await
    }

    /// The heads of all campaigns of a project, deleted ones too.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn heads(&self, project: &ProjectId) -> Result<Vec<Head>> {
        self.table.list(project.as_str(), "head#", Order::OldestFirst, MANY).await
    }

    /// Deletes a campaign: it takes no entries, its runs end, and it is listed no more. Published again, it begins anew.
    ///
    /// # Errors
    /// When there is no such campaign, or somebody else changed it at once.
    pub async fn delete(&self, project: &ProjectId, campaign: &CampaignId, now: Timestamp) -> Result<Head> {
        let stored = self.head(project, campaign).await?.filter(|stored| !stored.state.is_deleted());
        let Some(mut stored) = stored else { return Err(Error::bare(Kind::NotFound, "delete a campaign")) };
        stored.state.deleted_at = Some(now.max(stored.state.updated_at));
        self.table.put(project.as_str(), &head_key(campaign), stored.version, &stored.state, vec![]).await?;
        Ok(stored.state)
    }

    /// A version of a campaign; it never changes.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn version(&self, project: &ProjectId, campaign: &CampaignId, version: u32) -> Result<Option<Campaign>> {
        let stored: Option<Stored<Campaign>> =
            self.table.get(project.as_str(), &version_key(campaign, version)).await?;
        Ok(stored.map(|stored| stored.state))
    }

    /// Pauses a campaign, or resumes it (`resumed`). One that is as it should be stays as it is.
    ///
    /// # Errors
    /// When there is no such campaign, or somebody else changed it at once.
    pub async fn pause(&self, project: &ProjectId, campaign: &CampaignId, resumed: Option<Resumed>) -> Result<Head> {
        let Some(mut stored) = self.head(project, campaign).await?.filter(|stored| !stored.state.is_deleted()) else {
            return Err(Error::bare(Kind::NotFound, "pause a campaign"));
        };
        let paused = resumed.is_none();
        if stored.state.paused != paused {
            stored.state.paused = paused;
            stored.state.resumed = resumed.or(stored.state.resumed);
            self.table.put(project.as_str(), &head_key(campaign), stored.version, &stored.state, vec![]).await?;
        }
        Ok(stored.state)
    }
}

impl Head {
    /// Whether it is deleted, and was not published since.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some_and(|deleted_at| deleted_at >= self.updated_at)
    }

    /// The head with its newest version's content.
    #[must_use]
    pub fn with(&self, campaign: Arc<Campaign>) -> Published {
        Published { campaign, version: self.version, published_at: self.published_at, paused: self.paused }
    }
}

fn token_key(serial: u32) -> String {
    format!("token#{serial:010}")
}

fn head_key(campaign: &CampaignId) -> String {
    format!("head#{campaign}")
}

fn version_key(campaign: &CampaignId, version: u32) -> String {
    format!("version#{campaign}#{version:010}")
}
