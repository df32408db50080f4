//! Event-source polling: what Lambda's pollers do. Receive, invoke, delete what was not reported as failed.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage, SqsMessageAttribute};
use dunlin_aws::resources::Queue;
use jiff::Timestamp;

use super::lambda::Uninvoked;
use super::{Function, World};
use crate::Message;
use crate::sqs::queue_arn;

/// Messages handed to a function at a time: Lambda's most for a FIFO queue (`infra/template.yaml`).
pub const BATCH: usize = 10;
/// Gigabytes a function is given (`infra/template.yaml`), for the meter.
const GIGABYTES: f64 = 0.25;

/// What an invocation costs, by the clock.
pub(super) fn gigabyte_seconds(started: Timestamp, ended: Timestamp) -> f64 {
    ended.duration_since(started).as_secs_f64() * GIGABYTES
}

impl World {
    /// Hands one batch of each of its queues to a function; returns how many messages they held.
    pub async fn poll(&self, function: Function) -> usize {
        let mut handled = 0;
        for queue in function.queues() {
            handled += self.poll_queue(function, queue).await;
        }
        handled
    }

    /// Hands one batch of a queue to a function; returns how many messages it held. A function that dies on the way (the
    /// crash layer) acknowledges nothing.
    pub async fn poll_queue(&self, function: Function, of: &Queue) -> usize {
        if let Some(lambda) = &self.lambda {
            lambda.listening().await;
        }
        let queue = self.queue_name(of);
        let messages = self.cloud.sqs().receive(&queue, BATCH);
        if messages.is_empty() {
            return 0;
        }
        let receipts: Vec<(String, String)> =
            messages.iter().map(|message| (message.id.clone(), message.receipt.clone())).collect();
        let all: Vec<String> = receipts.iter().map(|(_, receipt)| receipt.clone()).collect();
        let started = self.cloud.clock().now();
        let crashed = self.cloud.faults().crashed();
        let invoked = tokio::select! {
            biased;
            () = crashed => return all.len(),
            invoked = self.invoke(function, of, event(&queue, messages)) => invoked,
            never = self.hide(of, &queue, &all) => match never {},
        };
        let ended = self.cloud.clock().now();
        self.cloud.meter().add_lambda(function.name(), 1, gigabyte_seconds(started, ended));
        let response = match invoked {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(function.name = function.name(), error = %error, "nothing of this batch is done");
                if matches!(error, Uninvoked::Unanswered(_)) {
                    self.cloud.sqs().make_visible(&queue, &all, 1);
                }
                return all.len();
            }
        };
        let failed: Vec<&str> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        let done: Vec<String> = receipts
            .iter()
            .filter(|(id, _)| !failed.contains(&id.as_str()))
            .map(|(_, receipt)| receipt.clone())
            .collect();
        self.cloud.sqs().delete(&queue, &done);
        all.len()
    }

    /// Invokes a function with an event, as Lambda does.
    async fn invoke(&self, function: Function, queue: &Queue, event: SqsEvent) -> Result<SqsBatchResponse, Uninvoked> {
        if let Some(lambda) = &self.lambda {
            let timeout = Duration::from_secs(queue.timeout_seconds.into());
            return lambda.invoke(function, event, timeout).await;
        }
        let Some(handler) = self.handlers.get(function as usize) else {
            return Err(Uninvoked::Failed("there is no such function".to_owned()));
        };
        Ok(handler.handle(event).await)
    }

    /// Keeps messages hidden while a function that is watched is compiled: that may take longer than their visibility
    /// time-out. A function in this process is as fast as Lambda's.
    async fn hide(&self, of: &Queue, queue: &str, receipts: &[String]) -> Infallible {
        let seconds = of.visibility_seconds();
        loop {
            if self.lambda.is_none() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_secs(u64::from(seconds) / 2)).await;
            self.cloud.sqs().make_visible(queue, receipts, seconds);
        }
    }
}

/// Messages in the shape in which Lambda hands them over.
#[must_use]
pub fn event(queue: &str, messages: Vec<Message>) -> SqsEvent {
    let records = messages.into_iter().map(|message| {
        let mut record = SqsMessage::default();
        record.message_id = Some(message.id);
        record.receipt_handle = Some(message.receipt);
        record.body = Some(message.body);
        record.attributes = message.attributes.into_iter().collect::<HashMap<_, _>>();
        let custom = message.message_attributes.into_iter().map(|(name, value)| {
            let mut attribute = SqsMessageAttribute::default();
            attribute.string_value = value.string_value;
            attribute.data_type = Some(value.data_type);
            (name, attribute)
        });
        record.message_attributes = custom.collect();
        record.event_source = Some("aws:sqs".to_owned());
        record.event_source_arn = Some(queue_arn(queue));
        record.aws_region = Some(crate::REGION.to_owned());
        record
    });
    let mut event = SqsEvent::default();
    event.records = records.collect();
    event
}
