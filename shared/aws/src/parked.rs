//! Parked tasks: poison, kept with its reason until somebody looks at it.

use dunlin_core::ids::{ParkedId, ProjectId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::Result;
use crate::item::{expires, parse};
use crate::resources;
use crate::table::{Table, versioned};

/// How long a parked task is kept: a quarter, so that a holiday does not lose it.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// The partition: parked tasks are few, and one after the other.
const PARTITION: &str = "parked";

/// A task that cannot be done as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedTask {
    /// Its id: the same message of the same queue is the same parked task.
    pub id: ParkedId,
    /// The stem of the queue it came from and goes back to.
    pub queue: String,
    /// The project, where the text still tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The text as it was on the queue.
    pub body: String,
    /// Why it cannot be done.
    pub reason: String,
    /// Since when it is parked.
    pub at: Timestamp,
}

impl ParkedTask {
    /// Parks the text of a message.
    #[must_use]
    pub fn new(queue: &str, message: &str, body: &str, reason: &str, at: Timestamp) -> Self {
        let id = ParkedId::derive(&[queue, message]);
        Self {
            id,
            queue: queue.to_owned(),
            project: project(body),
            body: body.to_owned(),
            reason: reason.to_owned(),
            at,
        }
    }
}

/// The project a text names: its own, or that of its first call.
fn project(body: &str) -> Option<ProjectId> {
    let task: serde_json::Value = serde_json::from_str(body).ok()?;
    let name = task.get("project").or_else(|| task.pointer("/calls/0/project"))?;
    ProjectId::parse(name.as_str()?).ok()
}

/// The table of parked tasks.
#[derive(Clone, Debug)]
pub struct Parked {
    table: Table,
}

impl Parked {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::PARKED) }
    }

    /// Parks a task; the same one again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(&self, task: &ParkedTask) -> Result<()> {
        self.table.put_item(versioned(PARTITION, task.id.as_str(), 0, task, vec![expires(task.at + KEPT)])?).await
    }

    /// A parked task.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, id: &ParkedId) -> Result<Option<ParkedTask>> {
        Ok(self.table.get(PARTITION, id.as_str()).await?.map(|stored| stored.state))
    }

    /// A page of at most `limit` parked tasks behind the id `behind`, in the order of their ids, which is none of time.
    /// Fewer than `limit` are the last ones.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self, behind: Option<&ParkedId>, limit: usize) -> Result<Vec<ParkedTask>> {
        // No id has a character behind `~`.
        let (first, last) = (ParkedId::PREFIX, format!("{}~", ParkedId::PREFIX));
        let items = self.table.range(PARTITION, first, &last, limit, behind.map(ParkedId::as_str)).await?;
        items.iter().map(parse).collect()
    }

    /// Forgets a task that was redriven or discarded.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, id: &ParkedId) -> Result<()> {
        self.table.delete(PARTITION, id.as_str()).await
    }
}
