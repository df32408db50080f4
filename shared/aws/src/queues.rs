//! The standard queues, from the side that fills them: ten messages a request, `MessageGroupId` = project for
//! SQS's fair order, `DelaySeconds` where a task is for later.

use std::collections::HashMap;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use dunlin_core::ids::ProjectId;
use dunlin_core::limits::{SQS_BATCH, SQS_BYTES, SQS_DELAY};
use dunlin_core::task::{TaskError, to_text};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::planted;

/// The attribute of a message that is held back on purpose: when it is due, in milliseconds (Unix epoch), so that whoever
/// measures how late it is does not count the wait.
pub(crate) const DUE_AT: &str = "due_at";

/// A standard queue of ours.
#[derive(Clone, Debug)]
pub struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

/// A task on its way.
#[derive(Clone, Debug)]
pub struct Outgoing {
    group: ProjectId,
    body: String,
    delay_seconds: i32,
    due_at: Option<Timestamp>,
}

impl Outgoing {
    /// A task to be received at once.
    ///
    /// # Errors
    /// When it does not encode.
    pub fn now<T: Serialize>(project: &ProjectId, task: &T) -> Result<Self> {
        let body = to_text(task).map_err(|error: TaskError| Error::new(Kind::Invalid, "encode a task", error))?;
        Ok(Self { group: project.clone(), body, delay_seconds: 0, due_at: None })
    }

    /// A task for `due_at`, or as late as SQS can hold it back: who reads it early puts it back.
    ///
    /// # Errors
    /// When it does not encode.
    pub fn at<T: Serialize>(project: &ProjectId, task: &T, due_at: Timestamp, now: Timestamp) -> Result<Self> {
        let delay_seconds = delay_seconds(due_at, now);
        let held_until = (delay_seconds > 0).then(|| now + SignedDuration::from_secs(delay_seconds.into()));
        Ok(Self { delay_seconds, due_at: held_until, ..Self::now(project, task)? })
    }

    /// A text as it was on a queue before, to be received at once. Texts of no known project share a group.
    #[must_use]
    pub fn text(project: Option<&ProjectId>, body: &str) -> Self {
        let group = project.cloned().unwrap_or_else(|| ProjectId::derive(&[]));
        Self { group, body: body.to_owned(), delay_seconds: 0, due_at: None }
    }
}

/// Whole seconds until `due_at`, rounded up so that nothing is early, within what SQS takes.
fn delay_seconds(due_at: Timestamp, now: Timestamp) -> i32 {
    let wait = due_at.duration_since(now).clamp(SignedDuration::ZERO, SQS_DELAY);
    if planted!(MillisecondsAsSeconds) {
        return i32::try_from(wait.as_millis().min(900)).unwrap_or(0);
    }
    let up = i64::from(wait.subsec_nanos() > 0);
    i32::try_from((wait.as_secs() + up).min(SQS_DELAY.as_secs())).unwrap_or(0)
}

impl Queue {
    /// The queue behind `url`.
    #[must_use]
    pub fn new(sqs: &aws_sdk_sqs::Client, url: String) -> Self {
        Self { sqs: sqs.clone(), url }
    }

    /// Puts tasks, in as few requests as the limits allow, beside each other: a sweep that hands over many is to wait for
    /// one of them, not for all in turn.
    ///
    /// # Errors
    /// When not every task is on the queue: all of them may be put again, since their ids are derived.
    pub async fn put(&self, tasks: &[Outgoing]) -> Result<()> {
        let batches = batches(tasks).into_iter().map(|batch| self.put_batch(batch));
        futures::future::join_all(batches).await.into_iter().collect()
    }

    /// One batch; what of it failed by itself is sent once more.
    async fn put_batch(&self, batch: &[Outgoing]) -> Result<()> {
        let left = self.send(batch).await?;
        if left.is_empty() || self.send(&left).await?.is_empty() {
            return Ok(());
        }
        Err(Error::bare(Kind::Unavailable, "put tasks"))
    }

    /// One request; returns the tasks that failed by themselves and may be sent again.
    async fn send(&self, batch: &[Outgoing]) -> Result<Vec<Outgoing>> {
        let entries = batch.iter().enumerate().map(|(number, task)| {
            SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(&task.body)
                .message_group_id(task.group.as_str())
                .delay_seconds(task.delay_seconds)
                .set_message_attributes(task.due_at.map(attributes))
                .build()
                .map_err(|error| Error::new(Kind::Invalid, "put tasks", error))
        });
        let entries = entries.collect::<Result<Vec<_>>>()?;
        let request = self.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = request.send().await.map_err(Error::of("put tasks"))?;
        if let Some(refused) = answer.failed().iter().find(|refused| refused.sender_fault()) {
            return Err(Error::new(Kind::Invalid, "put tasks", refused.code()));
        }
        let failed = answer.failed().iter().filter_map(|refused| refused.id().parse::<usize>().ok());
        Ok(failed.filter_map(|number| batch.get(number).cloned()).collect())
    }
}

/// The attributes of a message that is held back.
fn attributes(due_at: Timestamp) -> HashMap<String, MessageAttributeValue> {
    let value = MessageAttributeValue::builder().data_type("Number").string_value(due_at.as_millisecond().to_string());
    value.build().map(|value| (DUE_AT.to_owned(), value)).into_iter().collect()
}

/// Splits tasks into requests of at most ten and at most [`SQS_BYTES`].
fn batches(tasks: &[Outgoing]) -> Vec<&[Outgoing]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (end, task) in tasks.iter().enumerate() {
        if end > start && (end - start == SQS_BATCH || bytes + task.body.len() > SQS_BYTES) {
            batches.extend(tasks.get(start..end));
            (start, bytes) = (end, 0);
        }
        bytes += task.body.len();
    }
    batches.extend(tasks.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_000 + millis).expect("an instant")
    }

    #[test]
    fn a_delay_is_never_early_and_never_more_than_sqs_takes() {
        for (wait, seconds) in [
            (-5_000, 0),
            (0, 0),
            (1, 1),
            (999, 1),
            (1_000, 1),
            (1_001, 2),
            (899_500, 900),
            (900_000, 900),
            (900_001, 900),
            (i64::from(u32::MAX), 900),
        ] {
            assert_eq!(delay_seconds(at(wait), at(0)), seconds, "{wait} ms");
        }
    }

    #[test]
    fn tasks_leave_in_as_few_requests_as_the_limits_allow() {
        let project = ProjectId::derive(&["p"]);
        let task =
            |bytes: usize| Outgoing { group: project.clone(), body: "x".repeat(bytes), delay_seconds: 0, due_at: None };
        let sizes = |tasks: &[Outgoing]| batches(tasks).iter().map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&vec![task(1); 23]), [10, 10, 3]);
        assert_eq!(sizes(&vec![task(400_000); 5]), [2, 2, 1]);
        assert_eq!(sizes(&[]), [] as [usize; 0]);
    }
}
