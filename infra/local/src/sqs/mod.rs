//! SQS: standard and FIFO queues with their real rules, following the injected clock.

mod admin;
mod attributes;
mod batch;
pub(crate) mod change;
pub(crate) mod engine;
mod faulty;
mod line;
mod message;
mod protocol;
mod receiving;
pub(crate) mod rows;
mod sending;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dunlin_aws::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, oneshot};

pub use message::{Depth, Message, MessageAttribute};
pub(crate) use message::{Millis, hex};
pub(crate) use protocol::{queue_of, refuse};

use crate::error::{CloudError, lock};
use crate::faults::{Asked, Faults, Kind};
use crate::journal::{Journal, Work};
use crate::meter::{Count, Meter, Service};
use engine::Engine;

/// What SQS bills a request by: every 64 KiB of payload (aws.amazon.com/sqs/pricing).
const BILLED_CHUNK: usize = 64 * 1024;
/// Messages in one `ReceiveMessage`, entries in one batch (SQS quotas).
pub(crate) const BATCH: usize = 10;

/// The name of a queue as policies and attributes give it.
pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{}:{}:{name}", crate::REGION, crate::ACCOUNT)
}

/// One bell per queue, rung whenever a message may have become visible.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bells {
    bells: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
}

impl Bells {
    fn of(&self, queue: &str) -> Arc<Notify> {
        Arc::clone(lock(&self.bells).entry(queue.to_owned()).or_default())
    }

    pub(crate) fn ring(&self, queue: &str) {
        if let Some(bell) = lock(&self.bells).get(queue) {
            bell.notify_waiters();
        }
    }
}

struct Shared {
    engine: Arc<Mutex<Engine>>,
    journal: Option<Journal>,
    bells: Bells,
    clock: Clock,
    meter: Meter,
    faults: Faults,
}

/// The queues; clones share them.
#[derive(Clone)]
pub struct Sqs {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Sqs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sqs").finish_non_exhaustive()
    }
}

impl Sqs {
    pub(crate) fn new(
        engine: Arc<Mutex<Engine>>,
        journal: Option<Journal>,
        bells: Bells,
        clock: Clock,
        meter: Meter,
        faults: Faults,
    ) -> Self {
        Self { shared: Arc::new(Shared { engine, journal, bells, clock, meter, faults }) }
    }

    /// Receives up to `max` messages as Lambda's pollers do, by the rules of `ReceiveMessage`. The
    /// meter counts one request for each ten messages. Empty if there is no such queue, or if a
    /// fault strikes.
    #[must_use]
    pub fn receive(&self, queue: &str, max: usize) -> Vec<Message> {
        let service = self.service_of(queue);
        let asked = Asked::new(self.shared.clock.now(), service, "ReceiveMessage");
        if let Some(strike) = self.shared.faults.at_the_door(&asked) {
            if matches!(strike.kind, Kind::TimeoutApplied | Kind::ResetApplied) {
                drop(self.take(queue, max, None));
            }
            return Vec::new();
        }
        let messages = self.take(queue, max, None);
        let requests = messages.len().div_ceil(BATCH).max(1);
        self.count_payload(
            service,
            "ReceiveMessage",
            requests,
            messages.iter().map(|message| message.body.len()).sum(),
        );
        messages
    }

    /// Deletes received messages. Receipts that are not the latest of their message are ignored.
    pub fn delete(&self, queue: &str, receipts: &[String]) {
        let service = self.service_of(queue);
        self.change(|engine, now| {
            for receipt in receipts {
                // A receipt that has lost its message is the queue's way: it is delivered again.
                let _ = self.erase(engine, queue, "DeleteMessageBatch", receipt, now);
            }
        });
        self.shared.bells.ring(queue);
        self.count_payload(service, "DeleteMessageBatch", receipts.len().div_ceil(BATCH).max(1), 0);
    }

    /// Makes messages in flight visible `after_seconds` from now (`ChangeMessageVisibility`).
    pub fn make_visible(&self, queue: &str, receipts: &[String], after_seconds: u32) {
        let service = self.service_of(queue);
        self.change(|engine, now| {
            for receipt in receipts {
                let _ = engine.change_visibility(queue, receipt, after_seconds, now);
            }
        });
        self.shared.bells.ring(queue);
        self.count_payload(service, "ChangeMessageVisibilityBatch", receipts.len().div_ceil(BATCH).max(1), 0);
    }

    /// How much a queue holds; nothing if there is no such queue.
    #[must_use]
    pub fn depth(&self, queue: &str) -> Depth {
        let now = self.now();
        let mut engine = lock(&self.shared.engine);
        let Some(queue) = engine.queue(queue, now) else { return Depth::default() };
        let (visible, delayed, in_flight, oldest) = queue.line.counts();
        let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Depth {
            visible: wide(visible),
            delayed: wide(delayed),
            in_flight: wide(in_flight),
            oldest_age: oldest.map(|at| SignedDuration::from_millis(now - at)),
        }
    }

    /// The names of all queues, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        lock(&self.shared.engine).names().map(ToString::to_string).collect()
    }

    /// Moves what a dead-letter queue holds back to where it came from, as `StartMessageMoveTask`
    /// does, at once; returns how many messages that were.
    pub async fn redrive(&self, dead_letter_queue: &str) -> Result<usize, CloudError> {
        self.commit(|engine, now| {
            let moved = engine.redrive(dead_letter_queue, None, now);
            let arrivals: Vec<_> = moved.into_iter().map(|(queue, key)| (Arc::from(queue), key)).collect();
            (arrivals.len(), arrivals)
        })
        .await
    }

    /// Resolves when a message of the queue can be received. With a virtual clock somebody else
    /// moves time, so it looks again every 5 ms of the machine's time.
    pub async fn wait_for_message(&self, queue: &str) {
        loop {
            let bell = self.shared.bells.of(queue);
            let rung = bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let wait = {
                let now = self.now();
                let mut engine = lock(&self.shared.engine);
                match engine.queue(queue, now) {
                    Some(queue) if queue.line.can_give() => return,
                    Some(queue) => queue.line.next_due().map_or(1000, |due| (due - now).clamp(1, 1000)),
                    None => 1000,
                }
            };
            let wait = if self.shared.clock.is_virtual() { 5 } else { wait };
            let wait = Duration::from_millis(wait.unsigned_abs());
            let _ = tokio::time::timeout(wait, rung).await;
        }
    }

    /// The next instant at which any message of any queue becomes visible.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let due = lock(&self.shared.engine).next_due()?;
        Timestamp::from_millisecond(due).ok()
    }

    pub(crate) fn now(&self) -> Millis {
        self.shared.clock.now().as_millisecond()
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.shared.journal.is_some()
    }

    /// Changes the queues without waiting for the disk.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Engine, Millis) -> T) -> T {
        let now = self.now();
        let mut engine = lock(&self.shared.engine);
        let result = work(&mut engine, now);
        if let Some(journal) = &self.shared.journal {
            let changes = engine.take_changes();
            if !changes.is_empty() {
                journal.note(Work { changes, ..Work::default() });
            }
        }
        result
    }

    /// Changes the queues and waits until that is on the disk. `work` returns the messages that it
    /// reserved; they are shown after the commit.
    pub(crate) async fn commit<T>(
        &self,
        work: impl FnOnce(&mut Engine, Millis) -> (T, Vec<(Arc<str>, u64)>),
    ) -> Result<T, CloudError> {
        let (result, safe) = {
            let now = self.now();
            let mut engine = lock(&self.shared.engine);
            let (result, arrivals) = work(&mut engine, now);
            if let Some(journal) = &self.shared.journal {
                let (done, safe) = oneshot::channel();
                journal.note(Work { changes: engine.take_changes(), arrivals, done: Some(done) });
                (result, Some(safe))
            } else {
                for (queue, key) in &arrivals {
                    engine.arrive(queue, &[*key], now);
                }
                drop(engine);
                arrivals.iter().for_each(|(queue, _)| self.shared.bells.ring(queue));
                (result, None)
            }
        };
        if let Some(safe) = safe {
            safe.await.map_err(|_| CloudError::JournalClosed)??;
        }
        Ok(result)
    }

    pub(crate) fn service_of(&self, queue: &str) -> Service {
        if queue.ends_with(".fifo") { Service::SqsFifo } else { Service::SqsStandard }
    }

    fn count_payload(&self, service: Service, operation: &str, requests: usize, bytes: usize) {
        let chunks = bytes.div_ceil(BILLED_CHUNK).max(requests);
        let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.shared.meter.add(service, operation, &Count::of(wide(requests), wide(chunks)));
    }
}
