//! Profiles in their table: one item a person, loaded and stored whole; aliases of renamed ids; activity chunks;
//! addresses that may not be mailed.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use dunlin_core::email::Email;
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::{self, EventId, ProjectId, UserId, digest};
use dunlin_core::limits::{ACTIVITY_DAYS, ALIAS_HOPS};
use dunlin_core::profile::rename::Renamed;
use dunlin_core::profile::{Activity, Profile};
use dunlin_core::task::TriggerEvent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result, kind_of_transaction};
use crate::item::{self, expires, text};
use crate::resources;
use crate::table::{self, Order, Stored, Table, conditional_put, versioned};

/// The sort key of a profile's item.
const PROFILE: &str = "profile";
/// The sort key of a suppressed address.
const SUPPRESSION: &str = "suppression";
/// The attribute of an alias: the id it became.
const ALIAS: &str = "alias";
/// The attribute a marketing claim checks.
pub(crate) const SUBSCRIBED: &str = "is_subscribed";
/// The attribute every claim checks.
pub(crate) const EXISTS: &str = "is_known";
/// How long the trace of a profile that does not exist is kept: as long as a call about it may still be on its way.
const TRACE: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The profiles table.
#[derive(Clone, Debug)]
pub struct Profiles {
    table: Table,
}

/// Why an address may not be mailed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    /// What the address did.
    pub reason: SuppressionReason,
    /// Since when.
    pub at: Timestamp,
}

/// What the sort keys of chunks of activity begin with.
const ACTIVITY: &str = "activity#";

/// The partition of a person.
fn person(project: &ProjectId, user: &UserId) -> String {
    format!("{project}#{}", ids::person(project, user))
}

fn address(project: &ProjectId, email: &Email) -> String {
    format!("{project}#{}", digest(&["address", &email.as_str().to_lowercase()]))
}

impl Profiles {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::PROFILES) }
    }

    /// The profile that an id means now, through renames; an empty one where there is none. One read unit for each
    /// 4 KB, and one for each rename in between.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, project: &ProjectId, user: &UserId) -> Result<Stored<Profile>> {
        let mut id = user.clone();
        for _ in 0..=ALIAS_HOPS {
            let Some(item) = self.table.get_item(&person(project, &id), PROFILE).await? else {
                return Ok(Stored { state: Profile::new(id), version: 0 });
            };
            match item::string(&item, ALIAS) {
                Some(next) => {
                    id = UserId::parse(next).map_err(|what| Error::new(Kind::Invalid, "follow a rename", what))?
                }
                None => return Ok(Stored { state: item::parse(&item)?, version: item::version(&item) }),
            }
        }
        Err(Error::bare(Kind::Invalid, "follow a rename"))
    }

    /// Stores a profile as the version after the one loaded. One write unit for each KB.
    ///
    /// # Errors
    /// A conflict when somebody else stored it since.
    pub async fn put(&self, project: &ProjectId, loaded: &Stored<Profile>, now: Timestamp) -> Result<()> {
        let (profile, pk) = (&loaded.state, person(project, &loaded.state.id));
        self.table.put(&pk, PROFILE, loaded.version, profile, beside(profile, now)).await
    }

    /// Stores what a rename made of two profiles, all or nothing. Two write units for each KB.
    ///
    /// # Errors
    /// A conflict when somebody else stored one of them since.
    pub async fn rename(
        &self,
        project: &ProjectId,
        versions: &[(UserId, u64)],
        renamed: &Renamed,
        now: Timestamp,
    ) -> Result<()> {
        let seen = |id: &UserId| versions.iter().find(|(known, _)| known == id).map_or(0, |(_, version)| *version);
        let profile = &renamed.profile;
        let version = seen(&profile.id);
        let item = versioned(&person(project, &profile.id), PROFILE, version, profile, beside(profile, now))?;
        let mut writes = vec![conditional_put(&self.table.name, item, version)?];
        for alias in &renamed.aliases {
            let version = seen(alias);
            let target = vec![(ALIAS.to_owned(), text(profile.id.as_str()))];
            let item = versioned(&person(project, alias), PROFILE, version, &(), target)?;
            writes.push(conditional_put(&self.table.name, item, version)?);
        }
        let request = self.table.client.transact_write_items().set_transact_items(Some(writes));
        let result = request.send().await;
        result.map(drop).map_err(|error| Error::new(kind_of_transaction(&error), "rename a profile", error))
    }

    /// The version of the very item of an id, alias or not; zero where there is none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn version(&self, project: &ProjectId, user: &UserId) -> Result<u64> {
        Ok(self.table.get_item(&person(project, user), PROFILE).await?.map_or(0, |item| item::version(&item)))
    }

    /// Writes a chunk of activity; the same chunk again changes nothing. Goes after [`ACTIVITY_DAYS`].
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_activity(
        &self,
        project: &ProjectId,
        user: &UserId,
        chunk: &[Activity],
        now: Timestamp,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else { return Ok(()) };
        // Found by the latest acceptance in it. Named by both its ends: who is slower, and stores no profile, writes a
        // shorter one beside it and not over it.
        let latest = chunk.iter().map(Activity::accepted_at).max().unwrap_or(now);
        let sk = format!("{ACTIVITY}{:013}#{}#{}", latest.as_millisecond(), first.id, last.id);
        let until = now + SignedDuration::from_hours(24 * i64::from(ACTIVITY_DAYS));
        self.table.put_item(versioned(&person(project, user), &sk, 0, &chunk, vec![expires(until)])?).await
    }

    /// The latest chunks of a person's activity, newest first: at most `limit` chunks.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list_activity(&self, project: &ProjectId, user: &UserId, limit: usize) -> Result<Vec<Activity>> {
        let chunks: Vec<Vec<Activity>> =
            self.table.list(&person(project, user), ACTIVITY, Order::NewestFirst, limit).await?;
        let mut known = BTreeSet::new();
        let all = chunks.into_iter().flat_map(|chunk| chunk.into_iter().rev());
        Ok(all.filter(|activity| known.insert(activity.id.clone())).collect())
    }

    /// The person's events since `since`, oldest first, as far back as activity goes: what rides in the profile, and what is
    /// in chunks. Half a read unit for each 4 KB of them; nothing, where everything rides.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn past(&self, project: &ProjectId, profile: &Profile, since: Timestamp) -> Result<Vec<TriggerEvent>> {
        let mut activity = profile.riding().to_vec();
        for user in std::iter::once(&profile.id).chain(profile.former()) {
            activity.extend(self.activity_since(project, user, since).await?);
        }
        Ok(Activity::events(&activity, since))
    }

    /// The chunks with what was accepted at `since` or later, oldest first.
    async fn activity_since(&self, project: &ProjectId, user: &UserId, since: Timestamp) -> Result<Vec<Activity>> {
        let first = format!("{ACTIVITY}{:013}", since.as_millisecond());
        let last = format!("{ACTIVITY}~");
        let items = self.table.range(&person(project, user), &first, &last, usize::MAX, None).await?;
        let chunks: Vec<Vec<Activity>> = items.iter().map(item::parse).collect::<Result<_>>()?;
        Ok(chunks.into_iter().flatten().collect())
    }

    /// The ids of the calls in a person's activity, of all that were accepted at `since` or later and of some before: asked
    /// only when the profile itself may have forgotten one.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn recorded(
        &self,
        project: &ProjectId,
        profile: &Profile,
        since: Timestamp,
    ) -> Result<BTreeSet<EventId>> {
        let mut ids: BTreeSet<EventId> = profile.riding().iter().map(|activity| activity.id.clone()).collect();
        for user in std::iter::once(&profile.id).chain(profile.former()) {
            ids.extend(self.activity_since(project, user, since).await?.into_iter().map(|activity| activity.id));
        }
        Ok(ids)
    }

    /// Erases the activity of a deleted person that happened up to `upto`.
    ///
    /// # Errors
    /// When the table cannot be read or written; the whole may be repeated.
    pub async fn erase_activity(&self, project: &ProjectId, user: &UserId, upto: Timestamp) -> Result<()> {
        let pk = person(project, user);
        let mut writes = Vec::new();
        for item in self.table.list_items(&pk, ACTIVITY, Order::OldestFirst, usize::MAX).await? {
            let chunk: Vec<Activity> = item::parse(&item)?;
            let kept: Vec<Activity> = chunk.iter().filter(|activity| activity.at > upto).cloned().collect();
            if kept.is_empty() {
                writes.push(table::delete(&item)?);
            } else if kept.len() < chunk.len() {
                let mut rest = item.clone();
                rest.insert(item::BODY.to_owned(), item::body(&kept)?);
                writes.push(table::put(rest)?);
            }
        }
        self.table.write(writes).await
    }

    /// Forbids an address.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn suppress(&self, project: &ProjectId, email: &Email, suppression: &Suppression) -> Result<()> {
        self.table.put_item(versioned(&address(project, email), SUPPRESSION, 0, suppression, vec![])?).await
    }

    /// Why an address may not be mailed.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn suppression(&self, project: &ProjectId, email: &Email) -> Result<Option<Suppression>> {
        Ok(self.table.get(&address(project, email), SUPPRESSION).await?.map(|stored| stored.state))
    }

    /// Allows an address again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn allow(&self, project: &ProjectId, email: &Email) -> Result<()> {
        self.table.delete(&address(project, email), SUPPRESSION).await
    }

    pub(crate) fn table_name(&self) -> &str {
        &self.table.name
    }

    pub(crate) fn profile_key(project: &ProjectId, user: &UserId) -> item::Item {
        item::key(&person(project, user), PROFILE)
    }

    pub(crate) fn suppression_key(project: &ProjectId, email: &Email) -> item::Item {
        item::key(&address(project, email), SUPPRESSION)
    }
}

/// What conditions and the TTL read.
fn beside(profile: &Profile, now: Timestamp) -> Vec<(String, AttributeValue)> {
    let mut beside = vec![
        (SUBSCRIBED.to_owned(), AttributeValue::Bool(profile.subscribed())),
        (EXISTS.to_owned(), AttributeValue::Bool(profile.exists())),
    ];
    if !profile.exists() && profile.subscribed() {
        beside.push(expires(now + TRACE));
    }
    beside
}
