//! What a queue holds and hands out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
pub(crate) type Millis = i64;

/// A received message, as `ReceiveMessage` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's id; a redelivery keeps it.
    pub id: String,
    /// The handle of this one receive.
    pub receipt: String,
    /// What was sent.
    pub body: String,
    /// SQS's own attributes (`ApproximateReceiveCount`, `SentTimestamp`, `MessageGroupId`, …).
    pub attributes: BTreeMap<String, String>,
    /// The sender's attributes.
    pub message_attributes: BTreeMap<String, MessageAttribute>,
}

/// An attribute that the sender gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, with an optional label after a dot.
    pub data_type: String,
    /// The value, unless it is binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The value in base64, if it is binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// How much a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that can be received (in a FIFO queue also those behind a message in flight).
    pub visible: u64,
    /// Messages whose delay has not passed.
    pub delayed: u64,
    /// Messages that were received and not yet deleted.
    pub in_flight: u64,
    /// How long ago the oldest message was sent.
    pub oldest_age: Option<SignedDuration>,
}

impl Depth {
    /// All messages, whatever their state.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.visible + self.delayed + self.in_flight
    }
}

/// What a message is made of; it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) group: Option<Arc<str>>,
    pub(crate) deduplication: Option<String>,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) sent_at: Millis,
    /// The queue that gave it up, in a dead-letter queue.
    pub(crate) source: Option<Arc<str>>,
}

/// A message in a queue, with what changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Ascends with every message of every queue; the order within a group.
    pub(crate) key: u64,
    pub(crate) content: Arc<Content>,
    pub(crate) visible_at: Millis,
    pub(crate) receives: u32,
    pub(crate) first_received_at: Option<Millis>,
}

impl Stored {
    /// The handle of the latest receive: where the message is, and which receive it was.
    pub(crate) fn receipt(&self) -> String {
        Receipt { key: self.key, receive: self.receives }.text()
    }

    /// The message as a receiver sees it.
    pub(crate) fn message(&self, fifo: bool) -> Message {
        let content = &self.content;
        let mut attributes = BTreeMap::from([
            ("SenderId".to_owned(), crate::ACCOUNT.to_owned()),
            ("SentTimestamp".to_owned(), content.sent_at.to_string()),
            ("ApproximateReceiveCount".to_owned(), self.receives.to_string()),
        ]);
        if let Some(at) = self.first_received_at {
            attributes.insert("ApproximateFirstReceiveTimestamp".to_owned(), at.to_string());
        }
        if let Some(group) = &content.group {
            attributes.insert("MessageGroupId".to_owned(), group.to_string());
        }
        if let Some(id) = &content.deduplication {
            attributes.insert("MessageDeduplicationId".to_owned(), id.clone());
        }
        if let Some(source) = &content.source {
            attributes.insert("DeadLetterQueueSourceArn".to_owned(), super::queue_arn(source));
        }
        if fifo {
            attributes.insert("SequenceNumber".to_owned(), sequence_number(self.key));
        }
        Message {
            id: content.id.clone(),
            receipt: self.receipt(),
            body: content.body.clone(),
            attributes,
            message_attributes: content.attributes.clone(),
        }
    }
}

/// A receipt handle, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) key: u64,
    pub(crate) receive: u32,
}

impl Receipt {
    pub(crate) fn text(self) -> String {
        format!("AQEB-{:016x}-{:08x}", self.key, self.receive)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (key, receive) = text.strip_prefix("AQEB-")?.split_once('-')?;
        let key = u64::from_str_radix(key, 16).ok()?;
        let receive = u32::from_str_radix(receive, 16).ok()?;
        Some(Self { key, receive })
    }
}

/// A FIFO queue's sequence number: 20 digits, ascending, not consecutive.
pub(crate) fn sequence_number(key: u64) -> String {
    format!("{:020}", 18_850_000_000_000_000_000_u128 + u128::from(key))
}

/// The MD5 of a body, in hexadecimal.
pub(crate) fn md5_of_body(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

/// The MD5 of a message's attributes, in the encoding of the SQS developer guide ("calculating the
/// MD5 message digest for message attributes"); `None` when there are none.
pub(crate) fn md5_of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Option<String> {
    use base64::Engine as _;
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        add_field(&mut digest, name.as_bytes());
        add_field(&mut digest, attribute.data_type.as_bytes());
        if let Some(text) = &attribute.binary_value {
            digest.update([2]);
            add_field(&mut digest, &base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default());
        } else {
            digest.update([1]);
            add_field(&mut digest, attribute.string_value.as_deref().unwrap_or_default().as_bytes());
        }
    }
    Some(hex(&digest.finalize()))
}

fn add_field(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
