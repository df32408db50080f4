//! Runs in their table: the row is the truth, a queue message only a hint.

use std::collections::BTreeSet;

use dunlin_core::ids::{ProjectId, RunId};
use dunlin_core::run::{Passed, Run, RunState, Transition, codes};
use jiff::SignedDuration;

use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::item::{self, expires};
use crate::planted;
use crate::resources;
use crate::table::{Stored, Table, versioned};

/// The sort key of a run's item.
const RUN: &str = "run";
/// How long a run is kept after its end: as long as a duplicate of what started it may come.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// The runs table: a partition a run.
#[derive(Clone, Debug)]
pub struct Runs {
    table: Table,
}

impl Runs {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::RUNS) }
    }

    /// A run. One read unit for each 4 KB.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn get(&self, project: &ProjectId, run: &RunId) -> Result<Option<Stored<Run>>> {
        self.table.get(&partition(project, run), RUN).await
    }

    /// Stores a run as the version after `seen` (0: it must not be there). One write unit for each KB.
    ///
    /// # Errors
    /// A conflict when somebody else moved it since.
    pub async fn put(&self, run: &Run, seen: u64) -> Result<()> {
        let beside = match run.state {
            RunState::Waiting { .. } => vec![],
            RunState::Ended { at, .. } => vec![expires(at + KEPT)],
        };
        let key = partition(&run.project, &run.id);
        if planted!(TimerPutUnconditional) {
            return self.table.put_item(versioned(&key, RUN, seen, run, beside)?).await;
        }
        self.table.put(&key, RUN, seen, run, beside).await
    }

    /// Of these runs, those that exist, once each and in no order: one request for each hundred, half a read unit for each 4 KB
    /// (read without consistency: who looks for overdue runs looks long after their last write). What DynamoDB leaves
    /// unprocessed is asked for again, as long as it gets less each time.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self, runs: &[(ProjectId, RunId)]) -> Result<Vec<Run>> {
        // A run has more than one timer on a page when it waited twice; DynamoDB refuses a key that is asked for twice.
        let keys: BTreeSet<String> = runs.iter().map(|(project, run)| partition(project, run)).collect();
        let keys: Vec<String> = keys.into_iter().collect();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(100) {
            let keys = chunk.iter().map(|key| item::key(key, RUN)).collect();
            let keys = aws_sdk_dynamodb::types::KeysAndAttributes::builder().set_keys(Some(keys)).build();
            let mut asked = Some(keys.map_err(|error| Error::new(Kind::Invalid, "list runs", error))?);
            while let Some(keys) = asked {
                let count = keys.keys().len();
                let request = self.table.client.batch_get_item().request_items(&self.table.name, keys);
                let answer = request.send().await.map_err(Error::of("list runs"))?;
                for item in answer.responses.unwrap_or_default().remove(&self.table.name).iter().flatten() {
                    found.push(item::parse(item)?);
                }
                asked = answer.unprocessed_keys.unwrap_or_default().remove(&self.table.name);
                if asked.as_ref().is_some_and(|left| left.keys().len() >= count) {
                    return Err(Error::bare(Kind::Throttled, "list runs"));
                }
            }
        }
        Ok(found)
    }
}

/// The log of a move: a warning where a person's zone was not understood (codes, never the value), and at the level `debug`
/// each step with what came of it.
pub fn tell(moved: &Transition) {
    let Transition { run, misread, passed, .. } = moved;
    if let Some(goal) = run.goal.as_ref().filter(|_| moved.reached) {
        tracing::info!(project.id = %run.project, run.id = %run.id, campaign.id = %run.campaign, goal.event = %goal.event, "goal reached");
    }
    if !misread.is_empty() {
        tracing::warn!(project.id = %run.project, run.id = %run.id, zone.misread = codes(misread), "zone not understood");
    }
    for Passed { step, what } in passed {
        tracing::debug!(project.id = %run.project, run.id = %run.id, step.name = step, step.outcome = what, "step taken");
    }
}

fn partition(project: &ProjectId, run: &RunId) -> String {
    format!("{project}#{run}")
}
