//! The words between the queues' engine and those around it: what a queue is set to, what is to be
//! accepted, what became of it, and what must be written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::{MessageAttribute, Millis, Stored};

/// What a queue is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) fifo: bool,
    pub(crate) visibility_seconds: u32,
    pub(crate) delay_seconds: u32,
    pub(crate) retention_seconds: u32,
    pub(crate) wait_seconds: u32,
    pub(crate) content_deduplication: bool,
    /// Whether a deduplication id counts for its group alone (`DeduplicationScope`), not for the queue.
    #[serde(default)]
    pub(crate) group_deduplication: bool,
    pub(crate) dead_letter: Option<DeadLetter>,
}

/// Where a queue gives up messages to, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    pub(crate) queue: String,
    pub(crate) max_receive_count: u32,
}

/// A message to accept, already checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) body: String,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    pub(crate) delay_seconds: Option<u32>,
    /// How long after its delay it becomes visible.
    pub(crate) late_millis: Millis,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
}

impl Draft {
    /// What is remembered of it, so that it is accepted once in five minutes: its deduplication id, in its group where only
    /// that counts. A tab is in no group and no id.
    pub(crate) fn known_as(&self, settings: &Settings) -> Option<String> {
        known_as(settings, self.group.as_deref(), self.deduplication.as_deref())
    }
}

/// [`Draft::known_as`], of its parts.
pub(crate) fn known_as(settings: &Settings, group: Option<&str>, deduplication: Option<&str>) -> Option<String> {
    let id = deduplication?;
    Some(if settings.group_deduplication { format!("{}\t{id}", group.unwrap_or_default()) } else { id.to_owned() })
}

/// What became of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) key: u64,
    /// False if its deduplication id was accepted before: nothing is stored.
    pub(crate) fresh: bool,
}

/// What must be written down, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Queue { name: String, settings: Settings },
    QueueGone { name: String },
    Insert { queue: Arc<str>, stored: Stored },
    Received { key: u64, visible_at: Millis, receives: u32, first_received_at: Millis },
    VisibleAt { key: u64, visible_at: Millis },
    Move { key: u64, queue: Arc<str>, source: Arc<str> },
    Remove { key: u64 },
    Remember { queue: Arc<str>, remembered: Remembered },
    Forget { below_key: u64 },
    Mail(Box<crate::outbox::Mail>),
}

/// A deduplication id that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) deduplication: String,
    pub(crate) id: String,
    pub(crate) key: u64,
    pub(crate) at: Millis,
}

/// Why a receipt cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadReceipt {
    /// It is not a receipt handle.
    Invalid,
    /// A FIFO queue's message became visible again since.
    Expired,
    /// Its message is not in flight.
    NotInFlight,
}
