//! The events queue, from the side that fills it. Whoever calls at the same moment shares requests:
//! ten messages cost what one costs. Nobody waits for company: a lone message leaves at once, and what
//! arrives while requests are under way leaves together.
//!
//! Order: the messages of one group leave in the order in which they were put, and never in two requests
//! at the same time. Only a failure loosens that (what failed comes later, or from the spill).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use dunlin_core::limits::{SQS_BATCH, SQS_BYTES};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::error::{Error, Kind};

/// Requests under way while which a lone message still leaves at once. Beyond them only full requests
/// start, so that load makes requests fuller and not more numerous.
const EAGER: usize = 4;
/// Requests under way at most: 640 messages in 64 requests cover 100,000 messages/s at 6 ms each.
const FLIGHTS: usize = 64;
/// The operation, for errors.
const OPERATION: &str = "put calls";

/// A message on its way to the events queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// `MessageGroupId`: messages of one group stay in order.
    pub group: String,
    /// `MessageDeduplicationId`: the queue takes one of those that share it within five minutes.
    pub dedup: String,
    /// The text, in characters SQS takes (`dunlin_core::task::to_text`).
    pub body: String,
}

/// Messages that did not reach the queue, each with its reason; the others of the same `put` did.
#[derive(Debug, thiserror::Error)]
#[error("{} messages did not reach the events queue", messages.len())]
pub struct Unsent {
    /// What is left, in the order in which it failed.
    pub messages: Vec<(Outgoing, Error)>,
}

/// The events queue. Clones share one line.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sqs: aws_sdk_sqs::Client,
    url: String,
    waiting: Mutex<Waiting>,
}

impl Queue {
    /// The queue behind `url`, as `GetQueueUrl` or the function's settings name it.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, url: String) -> Self {
        Self(Arc::new(Shared { sqs, url, waiting: Mutex::default() }))
    }

    /// Puts messages in line, at once: those of one group leave in the order of the calls of this function. The future
    /// is ready when each is on the queue or has failed. What was begun goes on even if the caller stops waiting.
    ///
    /// # Errors
    /// The messages that did not arrive. The SDK has retried what a retry can mend.
    pub fn put(&self, messages: Vec<Outgoing>) -> impl Future<Output = Result<(), Unsent>> + use<> {
        let expected = messages.len();
        let (receipt, mut receipts) = unbounded_channel();
        {
            let mut waiting = self.0.waiting();
            for message in messages {
                waiting.add(Entry { message, receipt: receipt.clone() });
            }
        }
        drop(receipt);
        self.0.launch();
        async move {
            let (mut arrived, mut unsent) = (0, Vec::new());
            while let Some(receipt) = receipts.recv().await {
                arrived += 1;
                if let Err(failure) = receipt {
                    unsent.push(*failure);
                }
            }
            if arrived < expected {
                let lost = || Outgoing { group: String::new(), dedup: String::new(), body: String::new() };
                unsent.extend((arrived..expected).map(|_| (lost(), Error::bare(Kind::Invalid, OPERATION))));
            }
            if unsent.is_empty() { Ok(()) } else { Err(Unsent { messages: unsent }) }
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every request that may start now.
    fn launch(self: &Arc<Self>) {
        loop {
            let Some(batch) = self.waiting().take() else { return };
            drop(tokio::spawn(Arc::clone(self).fly(batch)));
        }
    }

    async fn fly(self: Arc<Self>, batch: Vec<Entry>) {
        let groups = batch.iter().map(|entry| entry.message.group.clone()).collect();
        let _landing = Landing { shared: Arc::clone(&self), groups };
        let failed = self.send(batch).await;
        // SDK retries see whole requests only; one more pass is for entries that failed alone.
        let (again, for_ever): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(_, failure)| failure.again);
        let again = again.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>();
        let still = if again.is_empty() { Vec::new() } else { self.send(again).await };
        for (entry, failure) in for_ever.into_iter().chain(still) {
            entry.failed(failure.error);
        }
    }

    /// One request. Who arrived has heard of it; the others come back.
    async fn send(&self, batch: Vec<Entry>) -> Vec<(Entry, Failure)> {
        let entries =
            batch.iter().enumerate().map(|(n, entry)| entry.message.request(n)).collect::<Result<Vec<_>, _>>();
        let sent = match entries {
            Ok(entries) => {
                let request = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
                request.send().await.map_err(Error::of(OPERATION))
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(answer) => {
                let mut batch: Vec<Option<Entry>> = batch.into_iter().map(Some).collect();
                let mut take = |id: &str| id.parse().ok().and_then(|n: usize| batch.get_mut(n)).and_then(Option::take);
                for arrived in answer.successful() {
                    if let Some(entry) = take(arrived.id()) {
                        entry.arrived();
                    }
                }
                let mut failed: Vec<(Entry, Failure)> = Vec::new();
                for refused in answer.failed() {
                    failed.extend(take(refused.id()).map(|entry| (entry, Failure::of(refused))));
                }
                failed.extend(batch.into_iter().flatten().map(|entry| (entry, Failure::unmentioned())));
                failed
            }
            Err(error) => {
                let (kind, cause) = (error.kind, Arc::new(error));
                let failure = || Failure { error: Error::new(kind, OPERATION, Arc::clone(&cause)), again: false };
                batch.into_iter().map(|entry| (entry, failure())).collect()
            }
        }
    }
}

/// Lets the groups of a request leave again, however the request ended.
struct Landing {
    shared: Arc<Shared>,
    groups: Vec<String>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.shared.waiting().land(&self.groups);
        // Without a runtime the process is ending.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.shared.launch();
        }
    }
}

impl Outgoing {
    fn request(&self, number: usize) -> Result<SendMessageBatchRequestEntry, Error> {
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_group_id(&self.group)
            .message_deduplication_id(&self.dedup)
            .message_body(&self.body)
            .build()
            .map_err(|error| Error::new(Kind::Invalid, OPERATION, error))
    }
}

/// Why one entry failed, and whether one more pass may mend it.
struct Failure {
    error: Error,
    again: bool,
}

impl Failure {
    /// Codes: SQS `BatchResultErrorEntry`. The sender's fault stays one, whoever repeats it.
    fn of(refused: &BatchResultErrorEntry) -> Self {
        let kind = match refused.code() {
            "InvalidMessageContents" | "InvalidParameterValue" | "MessageTooLong" => Kind::Invalid,
            "RequestThrottled" | "ThrottlingException" | "OverLimit" => Kind::Throttled,
            _ if refused.sender_fault() => Kind::Internal,
            _ => Kind::Unavailable,
        };
        Self { error: Error::new(kind, OPERATION, refused.code()), again: !refused.sender_fault() }
    }

    fn unmentioned() -> Self {
        Self { error: Error::bare(Kind::Unavailable, OPERATION), again: true }
    }
}

type Receipt = Result<(), Box<(Outgoing, Error)>>;

/// A message and who waits for it.
#[derive(Debug)]
struct Entry {
    message: Outgoing,
    receipt: UnboundedSender<Receipt>,
}

impl Entry {
    fn arrived(self) {
        // Nobody listens any more when the caller gave up: then nobody needs the receipt.
        drop(self.receipt.send(Ok(())));
    }

    fn failed(self, error: Error) {
        drop(self.receipt.send(Err(Box::new((self.message, error)))));
    }
}

/// What has not left yet: a line for each group, and the groups of which nothing is under way.
#[derive(Debug, Default)]
struct Waiting {
    lines: HashMap<String, Line>,
    ready: VecDeque<String>,
    ready_entries: usize,
    flights: usize,
}

#[derive(Debug, Default)]
struct Line {
    entries: VecDeque<Entry>,
    under_way: bool,
}

impl Waiting {
    fn add(&mut self, entry: Entry) {
        let line = self.lines.entry(entry.message.group.clone()).or_default();
        if !line.under_way {
            self.ready_entries += 1;
            if line.entries.is_empty() {
                self.ready.push_back(entry.message.group.clone());
            }
        }
        line.entries.push_back(entry);
    }

    /// The next request's entries, when one may start.
    fn take(&mut self) -> Option<Vec<Entry>> {
        let full = self.ready_entries >= SQS_BATCH;
        if self.ready.is_empty() || self.flights >= FLIGHTS || (self.flights >= EAGER && !full) {
            return None;
        }
        let (mut batch, mut bytes) = (Vec::with_capacity(SQS_BATCH.min(self.ready_entries)), 0);
        while let Some(group) = self.ready.pop_front() {
            let Some(line) = self.lines.get_mut(&group) else { continue };
            let (before, waiting) = (batch.len(), line.entries.len());
            while batch.len() < SQS_BATCH {
                let fits = |entry: &&Entry| bytes == 0 || bytes + entry.message.body.len() <= SQS_BYTES;
                let Some(size) = line.entries.front().filter(fits).map(|entry| entry.message.body.len()) else { break };
                bytes += size;
                batch.extend(line.entries.pop_front());
            }
            if batch.len() == before {
                self.ready.push_front(group);
                break;
            }
            line.under_way = true;
            self.ready_entries -= waiting;
        }
        self.flights += 1;
        Some(batch)
    }

    /// A request is over: its groups may leave again.
    fn land(&mut self, groups: &[String]) {
        self.flights -= 1;
        for group in groups {
            let Some(line) = self.lines.get_mut(group).filter(|line| line.under_way) else { continue };
            line.under_way = false;
            if line.entries.is_empty() {
                self.lines.remove(group);
            } else {
                self.ready_entries += line.entries.len();
                self.ready.push_back(group.clone());
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
