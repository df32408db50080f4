//! The tables, queues and bucket that dunlin owns: one list, read by the data layer, by the local
//! AWS that creates them, and by the test that holds the template against them.

use crate::outage::{RECEIVES, TIMEOUT_SECONDS, VISIBILITY_SECONDS};

/// A DynamoDB table: string keys `pk` and (where `sorted`) `sk`, on-demand, TTL attribute `ttl`.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name behind the stage's prefix.
    pub name: &'static str,
    /// What its items are.
    pub holds: &'static str,
}

/// Name of the sort key and hash key of every table.
pub const HASH_KEY: &str = "pk";
/// Name of the sort key of every table.
pub const SORT_KEY: &str = "sk";
/// Attribute with the second (Unix epoch) after which DynamoDB may remove an item.
pub const TTL: &str = "ttl";

/// Profiles, their activity, and the addresses that may not be mailed.
pub const PROFILES: Table = Table { name: "profiles", holds: "profiles, activity, suppressions" };
/// One item a run.
pub const RUNS: Table = Table { name: "runs", holds: "runs" };
/// One item a wait, in partitions of a day and a shard; and the sweep's cursors.
pub const TIMERS: Table = Table { name: "timers", holds: "timers, sweep cursors" };
/// One item a delivery.
pub const DELIVERIES: Table = Table { name: "deliveries", holds: "deliveries" };
/// What operators make: projects, keys, campaigns and their versions.
pub const CONTROL: Table = Table { name: "control", holds: "projects, keys, campaigns" };
/// Poison tasks with their reasons.
pub const PARKED: Table = Table { name: "parked", holds: "parked tasks" };

/// Every table.
pub const TABLES: [Table; 6] = [PROFILES, RUNS, TIMERS, DELIVERIES, CONTROL, PARKED];

/// An SQS queue with its dead-letter queue (`<stem>-dead`, same kind).
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// Name behind the stage's prefix, without the `.fifo` suffix.
    pub stem: &'static str,
    /// First in, first out within a message group.
    pub fifo: bool,
    /// Seconds the function that reads it may take for one batch.
    pub timeout_seconds: u32,
    /// Receives before the queue gives a message up to its dead-letter queue.
    pub max_receive_count: u32,
    /// Batches that are handled at once, unless the operator says otherwise: Lambda's `MaximumConcurrency`.
    pub concurrency: u32,
}

impl Queue {
    /// Seconds a received message stays hidden when nobody gives it back.
    #[must_use]
    pub const fn visibility_seconds(&self) -> u32 {
        VISIBILITY_SECONDS
    }

    /// The queue's name behind the stage's prefix, as SQS wants it.
    #[must_use]
    pub fn name(&self) -> String {
        if self.fifo { format!("{}.fifo", self.stem) } else { self.stem.to_owned() }
    }

    /// The name of the queue that takes what this one gives up.
    #[must_use]
    pub fn dead_letter_name(&self) -> String {
        if self.fifo { format!("{}-dead.fifo", self.stem) } else { format!("{}-dead", self.stem) }
    }
}

/// Calls on their way from `intake` to `evaluate`, in order per user.
pub const EVENTS: Queue = Queue {
    stem: "events",
    fifo: true,
    timeout_seconds: TIMEOUT_SECONDS,
    max_receive_count: RECEIVES,
    concurrency: 100,
};
/// Calls of projects over their soft quota: read by `evaluate` beside `events`, by a tenth of the readers, so that a flood
/// takes no more than a tenth of what the others have.
pub const BACKLOG: Queue = Queue { stem: "backlog", concurrency: 10, ..EVENTS };
/// Runs to advance: read by `schedule`.
pub const STEPS: Queue = Queue { stem: "steps", fifo: false, concurrency: 50, ..EVENTS };
/// Mails of transactional campaigns: read by `send`, and first.
pub const SENDS_TRANSACTIONAL: Queue = Queue { stem: "sends-transactional", ..SENDS };
/// Mails of other campaigns: read by `send`.
pub const SENDS: Queue = Queue { stem: "sends", fifo: false, concurrency: 10, ..EVENTS };
/// Mails of other campaigns whose calls came by the second intake lane: read by `send`, by the fewest batches at once
/// that Lambda takes, since they share the provider's sending rate with all others.
pub const SENDS_BACKLOG: Queue = Queue { stem: "sends-backlog", concurrency: 2, ..SENDS };
/// Requests of workflows to receivers of their owners': read by `hook`. A batch may wait ten seconds for the slowest of its
/// ten receivers, and costs nothing else meanwhile.
pub const HOOKS: Queue = Queue { stem: "hooks", fifo: false, concurrency: 20, ..EVENTS };
/// What SES reports: read by `feedback`.
pub const FEEDBACK: Queue = Queue { stem: "feedback", fifo: false, concurrency: 10, ..EVENTS };

/// Every queue that a function reads.
pub const QUEUES: [Queue; 8] = [EVENTS, BACKLOG, STEPS, SENDS_TRANSACTIONAL, SENDS, SENDS_BACKLOG, HOOKS, FEEDBACK];

/// Days a queue keeps what nobody took: the longest SQS offers, so that no outage outlasts it.
pub const RETENTION_DAYS: u32 = 14;

/// The bucket with the spill prefix and view-online copies, behind the stage's prefix; in AWS its account and region
/// follow, since a bucket's name is unique in the world.
pub const BUCKET: &str = "store";
/// The SES configuration set whose events come back through SNS to the feedback queue.
pub const CONFIGURATION_SET: &str = "mail";
/// What the configuration set reports, by the names of SES's API: without these, bounces and complaints suppress nobody
/// and an unknown outcome stays unknown. Opens and clicks come over our own links.
pub const FEEDBACK_EVENTS: [&str; 7] =
    ["SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE", "DELIVERY_DELAY"];
/// The prefix of every name on one machine, and the default in the cloud.
pub const DEFAULT_PREFIX: &str = "dunlin-";
