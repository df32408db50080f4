//! Batches: the one place that turns an error into a record's fate. A record is done, comes back later, or is poison
//! and gets parked with its reason (or joins the dead letters); its batch-mates go their own way.

use std::error::Error as StdError;
use std::future::Future;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use dunlin_core::task::{TaskError, from_text};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::hold::Hold;
use crate::parked::{Parked, ParkedTask};
use crate::planted;
use crate::queues::{self, Outgoing};
use crate::resources::{QUEUES, Queue, SENDS_TRANSACTIONAL};

/// A record that was read.
#[derive(Clone, Debug)]
pub struct Record<T> {
    /// SQS's id of the message.
    pub message: String,
    /// What gives it back.
    pub receipt: String,
    /// Times SQS has handed it out, this one included.
    pub receives: u32,
    /// Whether it comes back sooner than others when it cannot be done now: a transactional mail waits in it.
    pub urgent: bool,
    /// The text, for parking.
    pub body: String,
    /// The task.
    pub task: T,
}

/// Where a record goes that can never be done as it is.
#[derive(Clone, Copy, Debug)]
pub enum Poison<'a> {
    /// Into the table of parked tasks, with the reason.
    Parked(&'a Parked),
    /// At once among the dead letters of its queue, for a function without any table; the log has the reason.
    DeadLetters(&'a queues::Queue),
}

impl<'a> From<&'a Parked> for Poison<'a> {
    fn from(parked: &'a Parked) -> Self {
        Self::Parked(parked)
    }
}

impl<'a> From<&'a queues::Queue> for Poison<'a> {
    fn from(dead_letters: &'a queues::Queue) -> Self {
        Self::DeadLetters(dead_letters)
    }
}

/// What becomes of records, collected while a batch is worked through.
#[derive(Debug)]
pub struct Fates {
    queue: Queue,
    failed: Vec<Failed>,
}

/// A record that comes back.
#[derive(Debug)]
pub(crate) struct Failed {
    message: String,
    pub(crate) receipt: String,
    pub(crate) receives: u32,
    pub(crate) urgent: bool,
}

impl Fates {
    /// Nothing has become of the records of this queue yet.
    #[must_use]
    pub const fn of(queue: Queue) -> Self {
        Self { queue, failed: Vec::new() }
    }

    /// The record comes back; says why, once.
    pub fn again<T>(&mut self, record: &Record<T>, error: &Error) {
        tracing::warn!(task.message = %record.message, task.receives = record.receives, error = %Chain(error, Detail::Places), "task comes back");
        let Record { message, receipt, receives, urgent, .. } = record;
        let (message, receipt) = (message.clone(), receipt.clone());
        self.failed.push(Failed { message, receipt, receives: *receives, urgent: *urgent });
    }

    /// Whether a record comes back.
    #[must_use]
    pub fn comes_back<T>(&self, record: &Record<T>) -> bool {
        self.failed.iter().any(|failed| failed.message == record.message)
    }

    /// The answer to Lambda: the records that come back, all others are done. Those that come back do so soon, or where
    /// even that fails, after their visibility time-out.
    pub async fn response(self, hold: &Hold) -> SqsBatchResponse {
        if !self.failed.is_empty()
            && let Err(error) = hold.give_back(self.queue, &self.failed).await
        {
            tracing::warn!(queue.name = self.queue.stem, error = %error, "tasks come back later");
        }
        let failures = self.failed.into_iter().skip(usize::from(planted!(FailureAcknowledged))).map(|failed| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = failed.message;
            failure
        });
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures.collect();
        response
    }
}

/// Reads a batch's records; one that does not parse is poison.
pub async fn read<T: DeserializeOwned>(
    event: SqsEvent,
    poison: impl Into<Poison<'_>>,
    now: Timestamp,
    fates: &mut Fates,
) -> Vec<Record<T>> {
    read_as(event, poison, now, fates, from_text::<T>).await
}

/// Reads a batch's records with a reader of the caller's; one that does not parse is poison.
pub async fn read_as<T, E>(
    event: SqsEvent,
    poison: impl Into<Poison<'_>>,
    now: Timestamp,
    fates: &mut Fates,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<Record<T>>
where
    E: StdError + Send + Sync + 'static,
{
    let poison = poison.into();
    let mut records = Vec::with_capacity(event.records.len());
    for message in event.records {
        let record = Record {
            receives: receives(&message),
            urgent: fates.queue.stem == SENDS_TRANSACTIONAL.stem,
            message: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            task: (),
        };
        match parse(&record.body) {
            Ok(task) => {
                let Record { message, receipt, receives, urgent, body, .. } = record;
                records.push(Record { message, receipt, receives, urgent, body, task });
            }
            Err(error) => park(&record, &error, poison, now, fates).await,
        }
    }
    records
}

/// Settles what became of one record: nothing to do, back to the queue, or poison.
pub async fn settle<T>(
    record: &Record<T>,
    result: Result<(), Error>,
    poison: impl Into<Poison<'_>>,
    now: Timestamp,
    fates: &mut Fates,
) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind.is_retryable() => fates.again(record, &error),
        Err(error) => park(record, &error, poison.into(), now, fates).await,
    }
}

async fn park<T>(
    record: &Record<T>,
    reason: &(dyn StdError + Send + Sync + 'static),
    poison: Poison<'_>,
    now: Timestamp,
    fates: &mut Fates,
) {
    let task = ParkedTask::new(
        fates.queue.stem,
        &record.message,
        &record.body,
        &Chain(reason, Detail::Values).to_string(),
        now,
    );
    let told = Chain(reason, Detail::Places).to_string();
    let stored = match poison {
        Poison::Parked(parked) => parked.put(&task).await.map(|()| {
            tracing::error!(task.message = %record.message, parked.id = %task.id, reason = %told, "task parked");
        }),
        Poison::DeadLetters(queue) => queue.put(&[Outgoing::text(task.project.as_ref(), &task.body)]).await.map(|()| {
            tracing::error!(task.message = %record.message, reason = %told, "task given up");
        }),
    };
    if let Err(error) = stored {
        fates.again(record, &error);
    }
}

/// Works through the records of a standard queue beside each other, and holds them while a service is away: what fails,
/// fails alone.
pub async fn each<'a, T, F, Fut>(
    records: &'a [Record<T>],
    (poison, hold): (impl Into<Poison<'_>>, &Hold),
    now: Timestamp,
    fates: &mut Fates,
    work: F,
) where
    F: Fn(&'a Record<T>) -> Fut,
    Fut: Future<Output = Result<(), Error>>,
{
    let poison = poison.into();
    let results = hold.through(records, now, work).await;
    for (record, result) in records.iter().zip(results) {
        settle(record, result, poison, now, fates).await;
    }
}

/// The queue that a batch comes from (Lambda never mixes queues), as its ARN ends: `…:dunlin-sends`. None where that is no
/// queue of ours, or the batch is empty.
#[must_use]
pub fn source(event: &SqsEvent) -> Option<Queue> {
    let arn = event.records.first()?.event_source_arn.as_deref()?;
    // A stage's prefix ends in `-`, and no queue's name ends in another's behind that (a test below).
    QUEUES.into_iter().find(|queue| arn.ends_with(&format!("-{}", queue.name())))
}

fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// How much of a cause may be shown.
#[derive(Clone, Copy)]
enum Detail {
    /// Everything, for the operator who looks at a parked task.
    Values,
    /// Kinds, codes and places, for a log: what a JSON parser says may quote a value.
    Places,
}

/// An error with its causes as a log may show them: kinds, codes and places, never a value that a parser quotes.
#[must_use]
pub fn places(error: &Error) -> String {
    Chain(error, Detail::Places).to_string()
}

/// An error with its causes.
struct Chain<'a>(&'a (dyn StdError + 'static), Detail);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            match (self.1, error.downcast_ref::<serde_json::Error>()) {
                (Detail::Places, Some(json)) => {
                    write!(f, ": {:?} error at line {} column {}", json.classify(), json.line(), json.column())?;
                }
                _ => write!(f, ": {error}")?,
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        Self::new(crate::error::Kind::Invalid, "read a task", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(arn: Option<&str>) -> SqsEvent {
        let mut message = SqsMessage::default();
        message.event_source_arn = arn.map(str::to_owned);
        let mut event = SqsEvent::default();
        event.records = vec![message];
        event
    }

    #[test]
    fn a_batch_is_known_by_its_queue_whatever_the_stage_is_called() {
        for prefix in ["dunlin-", "sends-", "dunlin-sends-", "x-backlog-"] {
            for queue in QUEUES {
                let arn = format!("arn:aws:sqs:eu-west-1:123456789012:{prefix}{}", queue.name());
                assert_eq!(source(&from(Some(&arn))).map(|found| found.stem), Some(queue.stem), "{arn}");
            }
        }
        for none in [None, Some("arn:aws:sqs:eu-west-1:123456789012:dunlin-other"), Some("sends"), Some("")] {
            assert!(source(&from(none)).is_none(), "{none:?}");
        }
        assert!(source(&SqsEvent::default()).is_none());
    }
}
