//! A queue's settings as SQS's attribute map, and back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{DeadLetter, Settings};
use crate::reply::Refusal;

/// What SQS sets when nothing is said (API reference, `CreateQueue`): 30 s hidden, 4 days kept.
pub(super) fn defaults(fifo: bool) -> Settings {
    Settings {
        fifo,
        visibility_seconds: 30,
        delay_seconds: 0,
        retention_seconds: 4 * 24 * 3600,
        wait_seconds: 0,
        content_deduplication: false,
        group_deduplication: false,
        dead_letter: None,
    }
}

/// Changes settings by attributes; attributes that have no effect here are let through.
pub(super) fn apply(settings: &mut Settings, attributes: &BTreeMap<String, Value>) -> Result<(), Refusal> {
    for (name, value) in attributes {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match name.as_str() {
            "VisibilityTimeout" => settings.visibility_seconds = number(name, &text, 0, 43_200)?,
            "DelaySeconds" => settings.delay_seconds = number(name, &text, 0, 900)?,
            "MessageRetentionPeriod" => settings.retention_seconds = number(name, &text, 60, 1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => settings.wait_seconds = number(name, &text, 0, 20)?,
            "ContentBasedDeduplication" => settings.content_deduplication = text == "true",
            "DeduplicationScope" => settings.group_deduplication = text == "messageGroup",
            "RedrivePolicy" => settings.dead_letter = redrive(&text)?,
            "FifoQueue" if (text == "true") != settings.fifo => return Err(invalid(name, &text)),
            _ => {}
        }
    }
    Ok(())
}

fn number(name: &str, text: &str, least: u32, most: u32) -> Result<u32, Refusal> {
    text.parse().ok().filter(|value| (least..=most).contains(value)).ok_or_else(|| invalid(name, text))
}

fn invalid(name: &str, text: &str) -> Refusal {
    Refusal::sender("InvalidAttributeValue", format!("Invalid value for the parameter {name}: {text}"))
}

fn redrive(text: &str) -> Result<Option<DeadLetter>, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: Value,
    }
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Policy = serde_json::from_str(text).map_err(|_| invalid("RedrivePolicy", text))?;
    let count = policy.max_receive_count.as_str().map_or_else(|| policy.max_receive_count.to_string(), str::to_owned);
    let max_receive_count = number("maxReceiveCount", &count, 1, 1000)?;
    let queue = policy.dead_letter_target_arn.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Some(DeadLetter { queue, max_receive_count }))
}

/// Every attribute that a queue of these settings shows, without its counts.
pub(super) fn shown(name: &str, settings: &Settings) -> BTreeMap<&'static str, String> {
    let mut attributes = BTreeMap::from([
        ("QueueArn", super::queue_arn(name)),
        ("VisibilityTimeout", settings.visibility_seconds.to_string()),
        ("DelaySeconds", settings.delay_seconds.to_string()),
        ("MessageRetentionPeriod", settings.retention_seconds.to_string()),
        ("ReceiveMessageWaitTimeSeconds", settings.wait_seconds.to_string()),
        ("MaximumMessageSize", "1048576".to_owned()),
    ]);
    if settings.fifo {
        attributes.insert("FifoQueue", "true".to_owned());
        attributes.insert("ContentBasedDeduplication", settings.content_deduplication.to_string());
        let (scope, limit) = match settings.group_deduplication {
            true => ("messageGroup", "perMessageGroupId"),
            false => ("queue", "perQueue"),
        };
        attributes.insert("DeduplicationScope", scope.to_owned());
        attributes.insert("FifoThroughputLimit", limit.to_owned());
    }
    if let Some(to) = &settings.dead_letter {
        let policy = json!({
            "deadLetterTargetArn": super::queue_arn(&to.queue),
            "maxReceiveCount": to.max_receive_count,
        });
        attributes.insert("RedrivePolicy", policy.to_string());
    }
    attributes
}
