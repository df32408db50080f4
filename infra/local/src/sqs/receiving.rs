//! `ReceiveMessage`, and what is done with a receipt.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::change::BadReceipt;
use super::message::{Message, md5_of_attributes, md5_of_body};
use super::protocol::queue_name;
use super::sending::check_batch;
use super::{BATCH, Sqs, batch};
use crate::reply::Refusal;

/// Longest time a message can stay hidden, in seconds: 12 hours (SQS quotas).
const MAX_VISIBILITY_SECONDS: i64 = 43_200;
/// Longest poll, in seconds (API reference, `ReceiveMessage`).
const MAX_WAIT_SECONDS: u32 = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<u32>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneReceipt {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiptBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<ReceiptEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiptEntry {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl Sqs {
    pub(super) async fn receive_message(&self, request: ReceiveMessage) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        let settings = self.settings(name)?;
        let max = usize::try_from(request.max_number_of_messages.unwrap_or(1)).unwrap_or(0);
        if !(1..=BATCH).contains(&max) {
            let text = format!(
                "Value {max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and {BATCH}, if provided."
            );
            return Err(Refusal::sender("InvalidParameterValue", text));
        }
        let visibility = request.visibility_timeout.map(visibility_seconds).transpose()?;
        let wait_seconds = request.wait_time_seconds.unwrap_or(settings.wait_seconds);
        if wait_seconds > MAX_WAIT_SECONDS {
            let text = format!(
                "Value {wait_seconds} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= {MAX_WAIT_SECONDS}, if provided."
            );
            return Err(Refusal::sender("InvalidParameterValue", text));
        }
        let mut messages = self.take(name, max, visibility);
        // In virtual time nobody waits: who moves the clock asks again.
        if messages.is_empty() && wait_seconds > 0 && !self.shared.clock.is_virtual() {
            let wait = Duration::from_secs(wait_seconds.into());
            if tokio::time::timeout(wait, self.wait_for_message(name)).await.is_ok() {
                messages = self.take(name, max, visibility);
            }
        }
        let bytes = messages.iter().map(|message| message.body.len()).sum();
        self.count_payload(self.service_of(name), "ReceiveMessage", 1, bytes);
        let answers: Vec<Value> = messages.into_iter().map(|message| request.answer(message)).collect();
        Ok(if answers.is_empty() { Self::nothing() } else { json!({ "Messages": answers }) })
    }

    pub(super) fn delete_message(&self, request: &OneReceipt) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.count_payload(self.service_of(name), "DeleteMessage", 1, 0);
        let result = self.change(|engine, now| self.erase(engine, name, "DeleteMessage", &request.receipt_handle, now));
        self.shared.bells.ring(name);
        result.map(|()| Self::nothing()).map_err(refuse_receipt)
    }

    pub(super) fn delete_message_batch(&self, request: ReceiptBatch) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.count_payload(self.service_of(name), "DeleteMessageBatch", 1, 0);
        check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let results: Vec<_> = self.change(|engine, now| {
            let delete = |entry: ReceiptEntry| {
                let result = self.erase(engine, name, "DeleteMessageBatch", &entry.receipt_handle, now);
                (entry.id, result.map(|()| Self::nothing()).map_err(refuse_receipt))
            };
            request.entries.into_iter().map(delete).collect()
        });
        self.shared.bells.ring(name);
        Ok(batch::answer(results.into_iter()))
    }

    pub(super) fn change_visibility(&self, request: &OneReceipt) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.count_payload(self.service_of(name), "ChangeMessageVisibility", 1, 0);
        let seconds = visibility_seconds(request.visibility_timeout.unwrap_or(-1))?;
        let result = self.change(|engine, now| engine.change_visibility(name, &request.receipt_handle, seconds, now));
        self.shared.bells.ring(name);
        result.map(|()| Self::nothing()).map_err(refuse_receipt)
    }

    pub(super) fn change_visibility_batch(&self, request: ReceiptBatch) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        self.settings(name)?;
        self.count_payload(self.service_of(name), "ChangeMessageVisibilityBatch", 1, 0);
        check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let results: Vec<_> = self.change(|engine, now| {
            let change = |entry: ReceiptEntry| {
                let result = visibility_seconds(entry.visibility_timeout.unwrap_or(-1)).and_then(|seconds| {
                    engine.change_visibility(name, &entry.receipt_handle, seconds, now).map_err(refuse_receipt)
                });
                (entry.id, result.map(|()| Self::nothing()))
            };
            request.entries.into_iter().map(change).collect()
        });
        self.shared.bells.ring(name);
        Ok(batch::answer(results.into_iter()))
    }
}

impl ReceiveMessage {
    fn answer(&self, message: Message) -> Value {
        let wanted = |name: &String| {
            self.attribute_names.iter().chain(&self.message_system_attribute_names).any(|of| of == "All" || of == name)
        };
        let attributes: serde_json::Map<String, Value> = message
            .attributes
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let mut custom = message.message_attributes;
        custom.retain(|name, _| {
            self.message_attribute_names.iter().any(|of| {
                of == "All"
                    || of == ".*"
                    || of == name
                    || of.strip_suffix(".*").is_some_and(|start| name.starts_with(start))
            })
        });
        let mut answer = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": md5_of_body(&message.body),
            "Body": message.body,
        });
        if let Value::Object(fields) = &mut answer {
            if !attributes.is_empty() {
                fields.insert("Attributes".to_owned(), Value::Object(attributes));
            }
            if let Some(md5) = md5_of_attributes(&custom) {
                fields.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
                fields.insert("MessageAttributes".to_owned(), json!(custom));
            }
        }
        answer
    }
}

fn visibility_seconds(seconds: i64) -> Result<u32, Refusal> {
    if (0..=MAX_VISIBILITY_SECONDS).contains(&seconds) {
        return Ok(u32::try_from(seconds).unwrap_or_default());
    }
    let text = format!(
        "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and {MAX_VISIBILITY_SECONDS}."
    );
    Err(Refusal::sender("InvalidParameterValue", text))
}

fn refuse_receipt(bad: BadReceipt) -> Refusal {
    match bad {
        BadReceipt::Invalid => Refusal::sender("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        BadReceipt::Expired => Refusal::sender(
            "InvalidParameterValue",
            "Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
        ),
        BadReceipt::NotInFlight => Refusal::sender("MessageNotInflight", "The message referred to is not in flight."),
    }
}
