//! Waiters: which runs of a person are to be told of a topic. A row for each, in the partition of the person, under the
//! topic: so a call finds those that it concerns by key, and costs nothing for the others, however many wait.
//!
//! Who listens writes the row, and looks at the person's past after that; who takes a call stores the profile, and reads the
//! rows after that. Whichever comes first, one of the two sees the other.

use std::collections::BTreeSet;

use dunlin_core::ids::{self, ProjectId, RunId, UserId};
use dunlin_core::run::Run;
use dunlin_core::topic::Topic;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::Result;
use crate::item::expires;
use crate::resources;
use crate::table::{Order, Table, delete_key, put, versioned};

/// How long a row outlives its wait: who takes it away may have died.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// What the sort keys of all waiters begin with.
const WAITER: &str = "waiter#";

/// A run that is to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiter {
    /// The run.
    pub run: RunId,
    /// Its count of moves while it listens: told later, it does not care.
    pub moves: u32,
}

/// The waiters, in the runs table.
#[derive(Clone, Debug)]
pub struct Waiters {
    table: Table,
}

impl Waiters {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::RUNS) }
    }

    /// Has a run told of these topics; the same again changes nothing. One write unit for each.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(&self, run: &Run, topics: &BTreeSet<Topic>, moves: u32, until: Timestamp) -> Result<()> {
        let (pk, waiter) = (person(&run.project, &run.user), Waiter { run: run.id.clone(), moves });
        let until = expires(until.checked_add(KEPT).unwrap_or(Timestamp::MAX));
        let row = |topic: &Topic| put(versioned(&pk, &key(topic, &run.id), 0, &waiter, vec![until.clone()])?);
        self.table.write(topics.iter().map(row).collect::<Result<_>>()?).await
    }

    /// Has a run told of these topics no longer. One write unit for each.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn remove(&self, run: &Run, topics: &BTreeSet<Topic>) -> Result<()> {
        let pk = person(&run.project, &run.user);
        let row = |topic: &Topic| delete_key(&pk, &key(topic, &run.id));
        self.table.write(topics.iter().map(row).collect::<Result<_>>()?).await
    }

    /// The runs of a person that are to be told of a topic, or all that listen. One read unit for about 25.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self, project: &ProjectId, user: &UserId, topic: Option<&Topic>) -> Result<BTreeSet<Waiter>> {
        let prefix = topic.map_or_else(|| WAITER.to_owned(), |topic| format!("{WAITER}{}#", topic.as_str()));
        let found = self.table.list(&person(project, user), &prefix, Order::OldestFirst, usize::MAX).await?;
        Ok(found.into_iter().collect())
    }
}

fn person(project: &ProjectId, user: &UserId) -> String {
    format!("{project}#{}", ids::person(project, user))
}

fn key(topic: &Topic, run: &RunId) -> String {
    format!("{WAITER}{}#{run}", topic.as_str())
}
