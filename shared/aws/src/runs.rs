//! Runs in their table: the row is the truth, a queue message only a hint.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use dunlin_core::ids::{CampaignId, EventId, ProjectId, RunId};
use dunlin_core::run::{EndReason, Passed, Run, RunState, Transition, codes};
use jiff::SignedDuration;

use crate::clients::Clients;
use crate::error::{Error, Kind, Result, kind_of_transaction};
use crate::item::{self, expires};
use crate::planted;
use crate::resources;
use crate::table::{Stored, Table, conditional_put, versioned};

/// The sort key of a run's item.
const RUN: &str = "run";
/// The sort key of the count of a campaign's runs.
const ENTRIES: &str = "entries";
/// The attribute of the count.
const COUNT: &str = "n";
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
        let key = partition(&run.project, &run.id);
        if planted!(TimerPutUnconditional) {
            return self.table.put_item(versioned(&key, RUN, seen, run, beside(run))?).await;
        }
        self.table.put(&key, RUN, seen, run, beside(run)).await
    }

    /// Stores the first version of a run of a campaign that begins at most `total` runs, and counts it. Two write units for
    /// each KB, and two for the count, which all runs of the campaign share.
    ///
    /// # Errors
    /// A conflict when the run is there, or somebody else counts one at once; none where the campaign is full: then the answer
    /// is `false`.
    pub async fn put_counted(&self, run: &Run, total: u64) -> Result<bool> {
        let key = partition(&run.project, &run.id);
        let put = conditional_put(&self.table.name, versioned(&key, RUN, 0, run, beside(run))?, 0)?;
        let count = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::key(&format!("{}#{}", run.project, run.campaign), ENTRIES)))
            .update_expression("ADD n :one")
            .condition_expression("attribute_not_exists(n) OR n < :total")
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":total", item::number(total))
            .build()
            .map_err(|error| Error::new(Kind::Invalid, "count a run", error))?;
        let count = TransactWriteItem::builder().update(count).build();
        let request = self.table.client.transact_write_items().transact_items(put).transact_items(count);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if refused(&error, 1) && !refused(&error, 0) => Ok(false),
            Err(error) => Err(Error::new(kind_of_transaction(&error), "count a run", error)),
        }
    }

    /// How many runs of a campaign [`Runs::put_counted`] has counted. One read unit.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn counted(&self, project: &ProjectId, campaign: &CampaignId) -> Result<u64> {
        let counted = self.table.get_item(&format!("{project}#{campaign}"), ENTRIES).await?;
        Ok(counted.and_then(|item| item::count(&item, COUNT)).unwrap_or_default())
    }

    /// A page of a project's runs: the whole table is read, at most `limit` items a page, each of them behind `behind`, in no
    /// order. Half a read unit for each 4 KB of the table, whosever they are: this is for an operator who asks for it, and
    /// for no other (`docs/adr/0014-migrate.md`). Without consistency: who moves a run stores it under its `v`.
    ///
    /// # Errors
    /// When the table cannot be read, or `behind` is no [`Page::next`].
    pub async fn scan(&self, project: &ProjectId, behind: Option<&str>, limit: i32) -> Result<Page> {
        let behind = behind.map(|behind| behind.split_once(' ').ok_or_else(|| Error::bare(Kind::Invalid, "scan runs")));
        let behind = behind.transpose()?.map(|(pk, sk)| item::key(pk, sk));
        let request = self.table.client.scan().table_name(&self.table.name).limit(limit);
        let request = request.filter_expression("begins_with(pk, :project) AND sk = :run");
        let request = request.expression_attribute_values(":project", item::text(format!("{project}#")));
        let request = request.expression_attribute_values(":run", item::text(RUN)).set_exclusive_start_key(behind);
        let answer = request.send().await.map_err(Error::of("scan runs"))?;
        let last = answer.last_evaluated_key.unwrap_or_default();
        let mut page = Page { runs: Vec::new(), unreadable: 0, next: None };
        for found in answer.items.unwrap_or_default() {
            match item::parse(&found) {
                Ok(state) => page.runs.push(Stored { state, version: item::version(&found) }),
                Err(_) => page.unreadable += 1,
            }
        }
        let keys = [resources::HASH_KEY, resources::SORT_KEY].map(|name| item::string(&last, name));
        page.next = if let [Some(pk), Some(sk)] = keys { Some(format!("{pk} {sk}")) } else { None };
        Ok(page)
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
                // One that does not decode must not keep the others: whoever wakes it parks its hint.
                let items = answer.responses.unwrap_or_default().remove(&self.table.name);
                for item in items.iter().flatten() {
                    match item::parse(item) {
                        Ok(run) => found.push(run),
                        Err(error) => tracing::error!(error = %error, "a run does not decode"),
                    }
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

/// A page of a scan.
#[derive(Clone, Debug)]
pub struct Page {
    /// The runs, waiting or over.
    pub runs: Vec<Stored<Run>>,
    /// Rows that do not decode.
    pub unreadable: usize,
    /// Behind what the next page begins, when there may be one: opaque text, without anything personal.
    pub next: Option<String>,
}

/// What the TTL reads.
fn beside(run: &Run) -> Vec<(String, AttributeValue)> {
    match run.state {
        RunState::Waiting { .. } | RunState::Placed { .. } | RunState::Expected { .. } => vec![],
        RunState::Ended { at, .. } => vec![expires(at + KEPT)],
    }
}

/// Whether the condition of the write at that place refused a transaction.
fn refused<R>(error: &SdkError<TransactWriteItemsError, R>, place: usize) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let reason = cancelled.cancellation_reasons().get(place);
    reason.is_some_and(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

/// Behind what a page begins that follows a run.
#[must_use]
pub fn behind(run: &Run) -> String {
    format!("{} {RUN}", partition(&run.project, &run.id))
}

/// The log of a move: why a run ended before its last step (conditions and names, never a value); a warning where a person's zone was not understood (codes, never the value), and at the level `debug`
/// each step with what came of it.
pub fn tell(moved: &Transition) {
    let Transition { run, misread, passed, .. } = moved;
    if let Some(goal) = run.goal.as_ref().filter(|_| moved.reached) {
        tracing::info!(project.id = %run.project, run.id = %run.id, campaign.id = %run.campaign, goal.event = goal.event.as_ref().map(EventId::as_str), "goal reached");
    }
    if let RunState::Ended { reason, .. } = &run.state
        && !matches!(reason, EndReason::Completed | EndReason::Exited { .. })
    {
        tracing::info!(project.id = %run.project, run.id = %run.id, campaign.id = %run.campaign, end.reason = %reason, "run ended early");
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
