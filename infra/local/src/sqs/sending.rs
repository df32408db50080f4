//! `SendMessage` and `SendMessageBatch`: what a queue accepts, by SQS's quotas and rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::change::{Accepted, Draft, Settings};
use super::engine::Engine;
use super::message::{MessageAttribute, Millis, hex, md5_of_attributes, md5_of_body, sequence_number};
use super::protocol::{queue_name, refuse_closed, unknown_queue};
use super::{BATCH, Sqs};
use crate::reply::Refusal;

/// Largest message, and largest batch: 1 MiB with attributes (SQS message quotas, August 2025).
const MAX_BYTES: usize = 1_048_576;
/// Longest delay of a message, in seconds (SQS message quotas).
const MAX_DELAY_SECONDS: i64 = 900;
/// Most attributes of a message (SQS message quotas).
const MAX_ATTRIBUTES: usize = 10;
/// Longest group and deduplication id (API reference, `SendMessage`).
const MAX_ID_CHARACTERS: usize = 128;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Entry {
    id: String,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    message_attributes: BTreeMap<String, MessageAttribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessageBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

impl Entry {
    /// Bytes that count against the quota: body and attributes with their names and types.
    fn bytes(&self) -> usize {
        let attributes: usize = self
            .message_attributes
            .iter()
            .map(|(name, attribute)| {
                let text = attribute.string_value.as_ref().map_or(0, String::len);
                let binary = attribute.binary_value.as_ref().map_or(0, |value| value.len() / 4 * 3);
                name.len() + attribute.data_type.len() + text + binary
            })
            .sum();
        self.message_body.as_ref().map_or(0, String::len) + attributes
    }

    /// The message that the entry asks for, if the queue accepts it.
    fn draft(self, settings: &Settings) -> Result<Draft, Refusal> {
        let bytes = self.bytes();
        let Some(body) = self.message_body.filter(|body| !body.is_empty()) else {
            return Err(missing("MessageBody"));
        };
        if let Some(character) = body.chars().find(|character| !is_allowed(*character)) {
            let code = u32::from(character);
            let text = format!(
                "Invalid binary character '#x{code:X}' was found in the message body, the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
            );
            return Err(Refusal::sender("InvalidMessageContents", text));
        }
        if bytes > MAX_BYTES {
            let text =
                format!("One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes.");
            return Err(Refusal::sender("InvalidParameterValue", text));
        }
        if self.message_attributes.len() > MAX_ATTRIBUTES {
            let text = format!(
                "Number of message attributes [{}] exceeds the allowed maximum [{MAX_ATTRIBUTES}].",
                self.message_attributes.len()
            );
            return Err(Refusal::sender("InvalidParameterValue", text));
        }
        let delay_seconds = delay(self.delay_seconds, settings.fifo)?;
        check_id("MessageGroupId", self.message_group_id.as_deref())?;
        check_id("MessageDeduplicationId", self.message_deduplication_id.as_deref())?;
        if settings.fifo && self.message_group_id.is_none() {
            return Err(missing("MessageGroupId"));
        }
        if !settings.fifo && self.message_deduplication_id.is_some() {
            return Err(wrong_kind(
                "MessageDeduplicationId",
                self.message_deduplication_id.as_deref().unwrap_or_default(),
            ));
        }
        let deduplication = match self.message_deduplication_id {
            None if settings.fifo && settings.content_deduplication => Some(hex(&Sha256::digest(body.as_bytes()))),
            None if settings.fifo => {
                let text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
                return Err(Refusal::sender("InvalidParameterValue", text));
            }
            given => given,
        };
        Ok(Draft {
            body,
            group: self.message_group_id,
            deduplication,
            delay_seconds,
            late_millis: 0,
            attributes: self.message_attributes,
        })
    }
}

fn delay(seconds: Option<i64>, fifo: bool) -> Result<Option<u32>, Refusal> {
    match seconds {
        None => Ok(None),
        Some(seconds) if !(0..=MAX_DELAY_SECONDS).contains(&seconds) => {
            let text = format!(
                "Value {seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= {MAX_DELAY_SECONDS}."
            );
            Err(Refusal::sender("InvalidParameterValue", text))
        }
        Some(0) if fifo => Ok(None),
        Some(seconds) if fifo => Err(wrong_kind("DelaySeconds", &seconds.to_string())),
        Some(seconds) => Ok(u32::try_from(seconds).ok()),
    }
}

/// The characters of XML 1.0, which is what SQS accepts (API reference, `SendMessage`).
fn is_allowed(character: char) -> bool {
    matches!(character, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check_id(name: &str, id: Option<&str>) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    if (1..=MAX_ID_CHARACTERS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let text = format!(
        "Value {id} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and punctuation characters. 1 to {MAX_ID_CHARACTERS} in length."
    );
    Err(Refusal::sender("InvalidParameterValue", text))
}

fn missing(parameter: &str) -> Refusal {
    Refusal::sender("MissingParameter", format!("The request must contain the parameter {parameter}."))
}

fn wrong_kind(parameter: &str, value: &str) -> Refusal {
    let text = format!(
        "Value {value} for parameter {parameter} is invalid. Reason: The request include parameter that is not valid for this queue type"
    );
    Refusal::sender("InvalidParameterValue", text)
}

/// A draft accepted, or refused, with the digests that the answer carries.
struct Outcome {
    accepted: Accepted,
    md5_of_body: String,
    md5_of_attributes: Option<String>,
}

impl Outcome {
    fn json(&self, fifo: bool) -> Value {
        let mut answer = json!({ "MessageId": self.accepted.id, "MD5OfMessageBody": self.md5_of_body });
        if let Value::Object(fields) = &mut answer {
            if let Some(md5) = &self.md5_of_attributes {
                fields.insert("MD5OfMessageAttributes".to_owned(), json!(md5));
            }
            if fifo {
                fields.insert("SequenceNumber".to_owned(), json!(sequence_number(self.accepted.key)));
            }
        }
        answer
    }
}

fn arrivals<'a>(name: &str, outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<(Arc<str>, u64)> {
    let name: Arc<str> = Arc::from(name);
    outcomes.filter(|outcome| outcome.accepted.fresh).map(|outcome| (Arc::clone(&name), outcome.accepted.key)).collect()
}

impl Sqs {
    fn accept(
        &self,
        engine: &mut Engine,
        (name, operation): (&str, &str),
        entry: Entry,
        settings: &Settings,
        now: Millis,
    ) -> Result<Outcome, Refusal> {
        let mut draft = entry.draft(settings)?;
        draft.late_millis = self.jitter(name, operation, draft.delay_seconds.unwrap_or(settings.delay_seconds));
        let (md5_of_body, md5_of_attributes) = (md5_of_body(&draft.body), md5_of_attributes(&draft.attributes));
        let accepted = engine.reserve(name, draft, now).ok_or_else(unknown_queue)?;
        Ok(Outcome { accepted, md5_of_body, md5_of_attributes })
    }

    pub(super) async fn send_message(&self, request: SendMessage) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        let settings = self.settings(name)?;
        self.count_payload(self.service_of(name), "SendMessage", 1, request.entry.bytes());
        let outcome = self
            .commit(|engine, now| {
                let outcome = self.accept(engine, (name, "SendMessage"), request.entry, &settings, now);
                let arrivals = arrivals(name, outcome.iter());
                (outcome, arrivals)
            })
            .await
            .map_err(|error| refuse_closed(&error))??;
        Ok(outcome.json(settings.fifo))
    }

    pub(super) async fn send_message_batch(&self, request: SendMessageBatch) -> Result<Value, Refusal> {
        let name = queue_name(&request.queue_url);
        let settings = self.settings(name)?;
        let bytes: usize = request.entries.iter().map(Entry::bytes).sum();
        self.count_payload(self.service_of(name), "SendMessageBatch", 1, bytes);
        check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
        if bytes > MAX_BYTES {
            let text = format!("Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {bytes} bytes.");
            return Err(Refusal::sender("BatchRequestTooLong", text));
        }
        let operation = "SendMessageBatch";
        let failures = self.failures(name, operation, request.entries.len());
        let outcomes = self
            .commit(|engine, now| {
                let mut send = |(mut entry, failure): (Entry, Option<Refusal>)| {
                    let id = std::mem::take(&mut entry.id);
                    let accept = || self.accept(engine, (name, operation), entry, &settings, now);
                    (id, failure.map_or_else(accept, Err))
                };
                let outcomes: Vec<(String, Result<Outcome, Refusal>)> =
                    request.entries.into_iter().zip(failures).map(&mut send).collect();
                let arrivals = arrivals(name, outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()));
                (outcomes, arrivals)
            })
            .await
            .map_err(|error| refuse_closed(&error))?;
        let results = outcomes.into_iter().map(|(id, outcome)| (id, outcome.map(|sent| sent.json(settings.fifo))));
        Ok(super::batch::answer(results))
    }
}

/// The rules of every batch: 1 to 10 entries, ids distinct and well-formed.
pub(super) fn check_batch<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let mut entries = 0;
    for id in ids {
        entries += 1;
        let well_formed = (1..=80).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !well_formed {
            let text = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
            return Err(Refusal::sender("InvalidBatchEntryId", text));
        }
        if !seen.insert(id) {
            return Err(Refusal::sender("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    if entries == 0 {
        return Err(Refusal::sender("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries > BATCH {
        let text = format!("Maximum number of entries per request are {BATCH}. You have sent {entries}.");
        return Err(Refusal::sender("TooManyEntriesInBatchRequest", text));
    }
    Ok(())
}
