//! Event-source polling: what Lambda's pollers do. Receive, invoke, delete what was not reported as failed.

use std::collections::HashMap;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;

use super::{Function, World};
use crate::Message;

/// Messages handed to a function at a time: Lambda's most for a FIFO queue (`infra/template.yaml`).
pub const BATCH: usize = 10;
/// Gigabytes a function is given (`infra/template.yaml`), for the meter.
const GIGABYTES: f64 = 0.25;

/// What an invocation costs, by the clock.
pub(super) fn gigabyte_seconds(started: Timestamp, ended: Timestamp) -> f64 {
    ended.duration_since(started).as_secs_f64() * GIGABYTES
}

impl World {
    /// Hands one batch to a function; returns how many messages it held. A function that dies on the way (the crash
    /// layer) acknowledges nothing.
    pub async fn poll(&self, function: Function) -> usize {
        let queue = self.queue_name(function);
        let messages = self.cloud.sqs().receive(&queue, BATCH);
        if messages.is_empty() {
            return 0;
        }
        let receipts: Vec<(String, String)> =
            messages.iter().map(|message| (message.id.clone(), message.receipt.clone())).collect();
        let started = self.cloud.clock().now();
        let crashed = self.cloud.faults().crashed();
        let response = tokio::select! {
            biased;
            () = crashed => return receipts.len(),
            response = self.invoke(function, event(messages)) => response,
        };
        let ended = self.cloud.clock().now();
        self.cloud.meter().add_lambda(function.name(), 1, gigabyte_seconds(started, ended));
        let failed: Vec<&str> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        let done: Vec<String> = receipts
            .iter()
            .filter(|(id, _)| !failed.contains(&id.as_str()))
            .map(|(_, receipt)| receipt.clone())
            .collect();
        self.cloud.sqs().delete(&queue, &done);
        receipts.len()
    }

    /// Invokes a function with an event, as Lambda does.
    pub async fn invoke(&self, function: Function, event: SqsEvent) -> SqsBatchResponse {
        match function {
            Function::Evaluate => self.evaluate.handle(event).await,
            Function::Schedule => self.schedule.handle(event).await,
            Function::Send => self.send.handle(event).await,
            Function::Feedback => self.feedback.handle(event).await,
        }
    }
}

/// Messages in the shape in which Lambda hands them over.
fn event(messages: Vec<Message>) -> SqsEvent {
    let records = messages.into_iter().map(|message| {
        let mut record = SqsMessage::default();
        record.message_id = Some(message.id);
        record.receipt_handle = Some(message.receipt);
        record.body = Some(message.body);
        record.attributes = message.attributes.into_iter().collect::<HashMap<_, _>>();
        record
    });
    let mut event = SqsEvent::default();
    event.records = records.collect();
    event
}
