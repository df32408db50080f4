//! Pulses: each function's signs of life at its queues, and SES's last word. One write a minute and environment, only
//! when something was done; a pulse that cannot be written is left out, and never fails a batch.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_smithy_types::retry::RetryConfig;
use dunlin_core::status::{Mailing, Provider, Pulse};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::batch::source;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::item::{self, Item};
use crate::mailer::Outcome;
use crate::outage::TELLING;
use crate::queues::DUE_AT;
use crate::resources::{PARKED, Queue, SORT_KEY};
use crate::table::{Order, Table, versioned};

/// The partition: in the table of parked tasks, where every function that reads a queue may write already.
const PARTITION: &str = "pulses";
/// Where SES's last word is; no queue is called so.
const PROVIDER: &str = "ses";
/// How often one environment writes one of them.
const OFTEN: SignedDuration = SignedDuration::from_mins(1);

/// The pulses of one environment.
#[derive(Clone, Debug)]
pub struct Pulses {
    table: Table,
    clock: Clock,
    told: Arc<Mutex<Told>>,
}

/// What this environment wrote last, and what it heard.
#[derive(Debug, Default)]
struct Told {
    queues: HashMap<&'static str, Timestamp>,
    provider: Option<(Timestamp, Mailing)>,
    heard: Option<Provider>,
}

/// What was read of all environments' pulses.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The last pulse at each queue, by stem.
    pub queues: HashMap<String, Pulse>,
    /// SES's last word.
    pub provider: Option<Provider>,
}

impl Pulses {
    /// The pulses behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        let table = Table::new(&clients.dynamodb, prefix, PARKED);
        Self { table, clock: clients.clock.clone(), told: Arc::default() }
    }

    /// Handles a batch, then tells how late the tasks were that were done.
    pub async fn around<F: Future<Output = SqsBatchResponse>>(
        &self,
        event: SqsEvent,
        work: impl FnOnce(SqsEvent) -> F,
    ) -> SqsBatchResponse {
        let (now, queue) = (self.clock.now(), source(&event));
        let late: Vec<(Option<String>, i64)> =
            event.records.iter().map(|message| (message.message_id.clone(), late_millis(message, now))).collect();
        // Boxed: a batch in all its branches is a large future to carry through another.
        let response = Box::pin(work(event)).await;
        let comes_back = |id: &Option<String>| {
            response.batch_item_failures.iter().any(|failure| Some(&failure.item_identifier) == id.as_ref())
        };
        let oldest = late.into_iter().filter(|(id, _)| !comes_back(id)).map(|(_, millis)| millis).max();
        // The batch is done: telling of it may not make it time out.
        Box::pin(self.clock.timeout(TELLING, self.tell(queue.zip(oldest), self.clock.now()))).await;
        response
    }

    /// Keeps what SES said, for the end of the batch. Over a limit is what it says when it has taken none for a minute.
    pub fn heard(&self, outcome: &Outcome) {
        let said = match outcome {
            Outcome::Sent(_) | Outcome::Refused(_) => Mailing::Taken,
            // No answer is as bad as a refusal: nobody is mailed for sure.
            Outcome::Later(_) | Outcome::Unreached | Outcome::Unknown(_) => Mailing::Later,
            Outcome::Paused(_) => Mailing::Paused,
        };
        let (now, mut told) = (self.clock.now(), self.told());
        let before = told.heard;
        let takes = before.is_some_and(|word| word.said == Mailing::Taken && now < word.at + OFTEN);
        if said == Mailing::Later && takes {
            return;
        }
        // What was heard long ago says nothing of the time between.
        let lately = before.filter(|word| word.said == said && now < word.at + 2 * OFTEN);
        let since = lately.map_or(now, |word| word.since);
        told.heard = Some(Provider { at: now, said, since });
    }

    /// Writes what is due: how late the oldest task of a queue was, and what SES said.
    async fn tell(&self, done: Option<(Queue, i64)>, now: Timestamp) {
        let (pulse, provider) = {
            let mut told = self.told();
            let is_due = |at: Option<&Timestamp>| at.is_none_or(|at| now >= *at + OFTEN);
            let done = done.filter(|(queue, _)| is_due(told.queues.get(queue.stem)));
            let pulse = done.map(|(queue, late_millis)| (queue.stem, Pulse { at: now, late_millis }));
            if let Some((stem, _)) = pulse {
                told.queues.insert(stem, now);
            }
            let last = told.provider;
            let is_news = |word: &Provider| {
                last.is_none_or(|(at, said)| word.said != said || (word.at > at && now >= at + OFTEN))
            };
            let provider = told.heard.filter(is_news);
            if let Some(word) = provider {
                told.provider = Some((now, word.said));
            }
            (pulse, provider)
        };
        let results = [
            match pulse {
                Some((stem, pulse)) => self.put(stem, &pulse).await,
                None => Ok(()),
            },
            match provider {
                Some(word) => self.put(PROVIDER, &word).await,
                None => Ok(()),
            },
        ];
        for error in results.into_iter().filter_map(Result::err) {
            tracing::debug!(error = %error, "pulse not written");
        }
    }

    /// One attempt: a batch does not wait for a table that is away.
    async fn put<T: Serialize>(&self, name: &str, state: &T) -> Result<()> {
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        let request = self.table.client.put_item().table_name(&self.table.name);
        let request = request.set_item(Some(versioned(PARTITION, name, 0, state, vec![])?));
        request.customize().config_override(once).send().await.map(drop).map_err(Error::of("put a pulse"))
    }

    /// The last pulses of all environments.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn read(&self) -> Result<Read> {
        let mut read = Read::default();
        for item in self.table.list_items(PARTITION, "", Order::OldestFirst, usize::MAX).await? {
            match name(&item) {
                PROVIDER => read.provider = Some(item::parse(&item)?),
                stem => drop(read.queues.insert(stem.to_owned(), item::parse(&item)?)),
            }
        }
        Ok(read)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(item: &Item) -> &str {
    item::string(item, SORT_KEY).unwrap_or_default()
}

/// Milliseconds since a message was sent, or since it was due where it was held back on purpose.
fn late_millis(message: &SqsMessage, now: Timestamp) -> i64 {
    let sent = message.attributes.get("SentTimestamp").and_then(|millis| millis.parse().ok());
    let due = message.message_attributes.get(DUE_AT).and_then(|due| due.string_value.as_deref()?.parse().ok());
    let from: Option<i64> = due.into_iter().chain(sent).max();
    from.map_or(0, |from| (now.as_millisecond() - from).max(0))
}
